#!/usr/bin/env bash
# What `autombpo launch` prints runs: here with run.max_wall, so that the job goes back into the
# queue and is started again. One worker is a process without MPI.
# shellcheck source=tests/slurm/scenario.sh
source "$(dirname "$0")/scenario.sh"

printf 'run:\n  max_wall: 0.2s\n' >limit.yaml
"$AUTOMBPO" launch "${train[@]:2}" "$work/limit.yaml" --workers=1 run.dir=run >script
unset AUTOMBPO_HOME  # a printed script needs no source tree
job=$(sbatch --parsable <script)
await "the first stop" grep -qs '"state":"checkpointed"' run/status.json
# on a busy machine so little time may be enough for nothing but starting and saving
printf 'run:\n  max_wall: 0s\n' >limit.yaml
await_end "$job"
check_completed "$job" run
[[ $(starts_of run) -gt 1 ]] || fail "run.max_wall did not stop the run"
