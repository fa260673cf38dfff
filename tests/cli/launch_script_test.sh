#!/usr/bin/env bash
# autombpo launch prints a script that bash takes, submits nothing, and refuses what could not run.
# usage: launch_script_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"

"$program" baseline -q -o baseline.yaml "$config" run.dir=baseline >/dev/null
launch=("$program" launch "$config" scheduler.baseline=baseline.yaml)
before=$(ls)

"${launch[@]}" >job.sbatch
"${launch[@]}" --array=4 --time=02:00:00 run.dir="it's here" >campaign.sbatch
"${launch[@]}" seeds=0..9 --workers=3 --nodes=2 >array.sbatch
"${launch[@]}" run.max_wall=50m >limited.sbatch
for script in ./*.sbatch; do
  bash -n "$script"
  if command -v shellcheck >/dev/null; then
    shellcheck "$script"
  fi
done
grep -qx '#SBATCH --ntasks=3' job.sbatch || fail "three hyper-episodes run at a time"
grep -qx '#SBATCH --array=0-3' campaign.sbatch || fail "no array of four tasks"
grep -qx '#SBATCH --time=0-02:00:00' campaign.sbatch || fail "--time is not in the script"
grep -qx '#SBATCH --array=0-9' array.sbatch || fail "no array of ten seeds"
grep -qx '#SBATCH --time=0-01:00:00' limited.sbatch || fail "run.max_wall does not set the limit"
rm ./*.sbatch
[[ $(ls) == "$before" ]] || fail "launch wrote files"

# refused COMMAND...: exit code 2, and no script
refused() {
  local code=0
  "$@" >script 2>problem || code=$?
  [[ $code == 2 && ! -s script && -s problem ]] || fail "exit code $code of: $*"
}
refused "$program" launch
refused "$program" launch missing.yaml
refused "${launch[@]}" sac.no_such_key=1
refused "${launch[@]}" seeds=3..1
refused "${launch[@]}" seeds=0..3 run.dir=one
refused "${launch[@]}" --nodes=0
refused "${launch[@]}" --time=never
