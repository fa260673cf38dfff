#!/usr/bin/env bash
# scancel --signal to a step, to the script and to all, scancel itself, and the same job once more.
# Whatever they did to the run, it ends with the bits of the undisturbed one.
# shellcheck source=tests/slurm/scenario.sh
source "$(dirname "$0")/scenario.sh"

# the daemon of MPI on the other node dies: mpirun ends, and is started again
submit_held job.sbatch --nodes=2 --ntasks=2 -- "${train[@]}" run.dir=run
scancel --signal=KILL "$job.0"
has_two_starts() { [[ $(starts_of run) == 2 ]]; }
await "the second start" has_two_starts
await_held

# save and go on
scancel --batch --signal=USR2 "$job"
let_go
await_end "$job"
check_completed "$job" run
has_two_starts || fail "SIGUSR2 ended a start"

# cancelled: it saves, and stays away
submit_held job.sbatch --nodes=2 --ntasks=2 -- "${train[@]}" run.dir=cancelled
scancel "$job"
await "the end of the job" has_ended "$job"
[[ $(state_of "$job") == CANCELLED ]] || fail "scancel left the job $(state_of "$job")"
[[ ! -e cancelled/COMPLETE ]] || fail "scancel came too late"
let_go

submit_held job.sbatch --nodes=2 --ntasks=2 -- "${train[@]}" run.dir=cancelled
scancel --full --signal=TERM "$job"
await "the end of the job" has_ended "$job"
[[ ! -e cancelled/COMPLETE ]] || fail "SIGTERM came too late"
let_go

submit job.sbatch --ntasks=3 -- "${train[@]}" run.dir=cancelled
await_end "$job"
check_completed "$job" cancelled
