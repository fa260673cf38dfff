#!/usr/bin/env bash
# The signal before the time limit: the run saves, its job goes back into the queue by itself.
# shellcheck source=tests/slurm/scenario.sh
source "$(dirname "$0")/scenario.sh"

submit_held job.sbatch --ntasks=2 --time=60 -- "${train[@]}" run.dir=run
for start in 1 2; do
  ((start == 1)) || await_held
  scancel --batch --signal=USR1 "$job"
  await "the job back in the queue" is_pending "$job"
  grep -q '"state":"checkpointed"' run/status.json || fail "start $start was not stopped by itself"
  hurry "$job"
done
let_go
await_end "$job"
check_completed "$job" run
[[ $(starts_of run) == 3 ]] || fail "expected 3 starts"

# The limit itself: Slurm looks for jobs near theirs every 30 s.
submit_held job.sbatch --ntasks=1 --time=1 --signal=B:USR1@59 -- "${train[@]}" run.dir=limit
await "the stop before the limit" grep -qs '"state":"checkpointed"' limit/status.json
let_go
scontrol update "JobId=$job" TimeLimit=60 # on a slow machine it would be stopped again and again
await_end "$job"
check_completed "$job" limit
[[ $(starts_of limit) -gt 1 ]] || fail "the job was not stopped by its time limit"
