#!/usr/bin/env bash
# One job on two nodes gives the bits of one process.
# shellcheck source=tests/slurm/scenario.sh
source "$(dirname "$0")/scenario.sh"

submit job.sbatch --nodes=2 --ntasks=3 -- "${train[@]}" run.dir=run
await_end "$job"
check_completed "$job" run
grep -q '"ranks":4' run/starts.jsonl || fail "expected 4 ranks: $(cat run/starts.jsonl)"

# an installed copy finds its program and scripts by itself, from wherever it is submitted
cmake --install "$(dirname "$AUTOMBPO")" --prefix "$work/a prefix" >/dev/null
job=$(env -u AUTOMBPO -u AUTOMBPO_HOME sbatch --parsable --ntasks=2 \
  "$work/a prefix/share/autombpo/mpi_launch/job.sbatch" "${train[@]}" run.dir=installed)
await_end "$job"
check_completed "$job" installed
