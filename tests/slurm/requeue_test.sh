#!/usr/bin/env bash
# A job that is requeued in the middle goes on, with the bits of the undisturbed run.
# shellcheck source=tests/slurm/scenario.sh
source "$(dirname "$0")/scenario.sh"

submit_held job.sbatch --nodes=2 --ntasks=2 -- "${train[@]}" run.dir=run
scontrol requeue "$job"
let_go
await_end "$job"
check_completed "$job" run
grep -q '"SLURM_RESTART_COUNT":"1"' run/starts.jsonl || fail "the job was not restarted by Slurm"
