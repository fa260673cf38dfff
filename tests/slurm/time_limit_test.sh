#!/usr/bin/env bash
# The signal before the time limit: the run saves, its job goes back into the queue by itself.
# shellcheck source=tests/slurm/scenario.sh
source "$(dirname "$0")/scenario.sh"

submit job.sbatch --ntasks=2 --time=10 -- "${train[@]}" run.dir=run
for start in 1 2; do
  await_progress run
  scancel --batch --signal=USR1 "$job"
  await "the job back in the queue" is_pending "$job"
  grep -q '"state":"checkpointed"' run/status.json || fail "start $start was not stopped by itself"
  hurry "$job"
done
await_end "$job"
check_completed "$job" run
[[ $(starts_of run) == 3 ]] || fail "expected 3 starts"

# The limit itself. Slurm looks for jobs near their limit every 30 s after its start, so the job
# starts some seconds before such a moment; should it be over by then, another one does.
begun=$(stat -c %Y cluster/run/slurmctld.pid)
for try in 1 2 3; do
  until ((($(date +%s) - begun) % 30 == 25)); do
    sleep 0.2
  done
  submit job.sbatch --ntasks=1 --time=1 --signal=B:USR1@59 -- "${train[@]}" run.dir="limit-$try"
  await_end "$job"
  check_completed "$job" "limit-$try"
  [[ $(starts_of "limit-$try") == 1 ]] || break
done
[[ $(starts_of "limit-$try") -gt 1 ]] || fail "no job was stopped by its time limit"
