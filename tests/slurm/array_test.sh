#!/usr/bin/env bash
# Job arrays: four runs of their own, one of them requeued; and four tasks that join one run.
# shellcheck source=tests/slurm/scenario.sh
source "$(dirname "$0")/scenario.sh"

# two experiments x two seeds, each with the bits of a process outside of Slurm
short=('ppo.stages=[1]' mbpo.epoch_length=200)
directories='{method}/s{seed}'
cat >third <<'END'
#!/bin/sh
[ "$SLURM_ARRAY_TASK_ID" = 3 ] || unset AUTOMBPO_FAULT
exec "$PROGRAM" "$@"
END
chmod +x third
export PROGRAM=$AUTOMBPO
AUTOMBPO=$work/third submit_held array.sbatch --array=0-3 -- 0-1 \
  "${train[*]} ${short[*]} run.dir=$directories" \
  "${train[*]} ${short[*]} run.dir=$directories run.method=other mbpo.policy_updates=10"
scontrol requeue "${job}_3"
let_go
for method in autombpo other; do
  updates=20
  if [[ $method == other ]]; then
    updates=10
  fi
  for seed in 0 1; do
    OPENBLAS_NUM_THREADS=1 "$AUTOMBPO" "${train[@]}" "${short[@]}" run.dir="alone/$method/$seed" \
      run.method=$method run.seed=$seed mbpo.policy_updates=$updates >/dev/null
  done
done
await_end "$job"
for method in autombpo other; do
  for seed in 0 1; do
    check_completed "$job" "$method/s$seed" \
      "$("$AUTOMBPO" inspect --checksum "alone/$method/$seed")"
  done
done
[[ $(starts_of other/s1) == 2 ]] || fail "task 3 was not started twice"

# one run, joined by four tasks; one is requeued in the middle
submit_held campaign.sbatch --array=0-3 -- "${train[@]}" run.dir=joined
await "task 2 to run" is_running "${job}_2"
scontrol requeue "${job}_2"
let_go
await_end "$job"
check_completed "$job" joined

# two tasks in one directory are refused
submit array.sbatch --array=0-1 -- 0-1 "${train[*]} run.dir=shared"
await_end "$job"
[[ $(state_of "$job" | sort -u) == FAILED ]] || fail "two seeds may share a directory"
[[ ! -e shared ]] || fail "a refused task wrote files"
