#!/usr/bin/env bash
# scancel --signal to a step, to the script and to all, scancel itself, and the same job once more.
# Whatever they did to the run, it ends with the bits of the undisturbed one.
# shellcheck source=tests/slurm/scenario.sh
source "$(dirname "$0")/scenario.sh"

resubmit() {
  submit job.sbatch --nodes=2 --ntasks=2 -- "${train[@]}" run.dir=run
  await_progress run
}

# the daemon of MPI on the other node dies: mpirun ends, and is started again
resubmit
scancel --signal=KILL "$job.0"
await_progress run

# save and go on
scancel --batch --signal=USR2 "$job"
await_progress run
[[ $(state_of "$job") == RUNNING ]] || fail "SIGUSR2 ended the job"

# cancelled: it saves, and stays away
scancel "$job"
await "the end of the job" has_ended "$job"
[[ $(state_of "$job") == CANCELLED ]] || fail "scancel left the job $(state_of "$job")"
[[ ! -e run/COMPLETE ]] || fail "scancel came too late"

resubmit
scancel --full --signal=TERM "$job"
await "the end of the job" has_ended "$job"

submit job.sbatch --ntasks=3 -- "${train[@]}" run.dir=run
await_end "$job"
check_completed "$job" run
