#!/usr/bin/env bash
# One job on two nodes gives the bits of one process.
# shellcheck source=tests/slurm/scenario.sh
source "$(dirname "$0")/scenario.sh"

submit job.sbatch --nodes=2 --ntasks=3 -- "${train[@]}" run.dir=run
await_end "$job"
check_completed "$job" run
grep -q '"ranks":4' run/starts.jsonl || fail "expected 4 ranks: $(cat run/starts.jsonl)"
