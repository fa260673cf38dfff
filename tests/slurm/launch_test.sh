#!/usr/bin/env bash
# What `autombpo launch` prints runs: here with run.max_wall, so that the job goes back into the
# queue until the run is complete. One worker is a process without MPI.
# shellcheck source=tests/slurm/scenario.sh
source "$(dirname "$0")/scenario.sh"

"$AUTOMBPO" launch "${train[@]:2}" --workers=1 run.dir=run run.max_wall=3s >script
unset AUTOMBPO_HOME  # a printed script needs no source tree
job=$(sbatch --parsable <script)
await_end "$job"
check_completed "$job" run
[[ $(starts_of run) -gt 1 ]] || fail "run.max_wall did not stop the run"
