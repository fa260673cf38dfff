#!/usr/bin/env bash
# autombpo launch prints a script that bash takes, submits nothing, and refuses what could not run.
# usage: launch_script_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"

"$program" baseline -q -o baseline.yaml "$config" run.dir=baseline >/dev/null
launch=("$program" launch "$config" scheduler.baseline=baseline.yaml)
before=$(ls)

mkdir "$work/cluster"
printf '#!/bin/sh\necho "MaxArraySize            = 5"\n' >"$work/cluster/scontrol"
chmod +x "$work/cluster/scontrol"
before=$(ls)
PATH=$work/cluster:$PATH "${launch[@]}" seeds=0..9 >split.sbatch
grep -qx '#SBATCH --array=0-3' split.sbatch || fail "the array exceeds MaxArraySize"
# each task takes every fourth seed
cat >slurm <<'END'
slurm_run() { echo "${*: -1}"; }
END
sed '1,/^# -----/d' split.sbatch >>slurm
taken=$(for task in 0 1 2 3; do SLURM_ARRAY_TASK_ID=$task bash slurm; done | sort -t= -k2n | xargs)
[[ $taken == $(printf 'run.seed=%s ' {0..9} | xargs) ]] || fail "the tasks take $taken"
rm slurm

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
# what one rank needs, for each of two nodes with two ranks and rank 0 on one
one=$("$program" plan --json --measure=0 "${launch[@]:2}" | sed 's/.*"rank_bytes":\([0-9]*\).*/\1/')
for script in job campaign array limited; do
  reserved=$(sed -n 's/^#SBATCH --mem[a-z-]*=\([0-9]*\)M$/\1/p' $script.sbatch)
  [[ -n $reserved ]] || fail "$script: no memory is reserved"
  ranks=$([[ $script == array ]] && echo 2 || echo 1)
  ((reserved << 20 > ranks * one && reserved >> 1 << 20 < (ranks + 1) * one)) ||
    fail "$script: $reserved MB for $ranks ranks of $one bytes"
done
grep -q '^#SBATCH --mem-per-cpu=' job.sbatch || fail "Slurm may spread its ranks: memory is of each"
grep -qx '#SBATCH --time=0-00:1[01]:00' job.sbatch || fail "the time of a short run is not its own"
grep -qx '#SBATCH --ntasks=3' job.sbatch || fail "three hyper-episodes run at a time"
grep -qx '#SBATCH --array=0-3' campaign.sbatch || fail "no array of four tasks"
grep -qx '#SBATCH --time=0-02:00:00' campaign.sbatch || fail "--time is not in the script"
grep -qx '#SBATCH --array=0-9' array.sbatch || fail "no array of ten seeds"
grep -qx '#SBATCH --time=0-01:00:00' limited.sbatch || fail "run.max_wall does not set the limit"
rm -r ./*.sbatch

# times mean what they mean to sbatch
while read -r time limit; do
  "${launch[@]}" "--time=$time" >timed.sbatch
  grep -qx "#SBATCH --time=$limit" timed.sbatch || fail "--time=$time is not $limit"
done <<END
60 0-01:00:00
90:00 0-01:30:00
100:00:00 4-04:00:00
1-12 1-12:00:00
1-12:30 1-12:30:00
2-00:00:01 2-00:01:00
2h30m 0-02:30:00
END
rm timed.sbatch
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
for time in never 0 -1 02:99:00 1-25:00:00 1-24 00:60 1:2:3:4 400-0; do
  refused "${launch[@]}" "--time=$time"
  grep -q -- "--time=$time: must be" problem || fail "the refusal does not name --time=$time"
done
