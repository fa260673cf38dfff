#!/usr/bin/env bash
# A node is lost: Slurm starts the job on others, and it ends with the bits of the undisturbed run.
export CLUSTER_NODE_TIMEOUT=10
# shellcheck source=tests/slurm/scenario.sh
source "$(dirname "$0")/scenario.sh"

submit_held job.sbatch --nodelist=n[1-2] --ntasks=2 --ntasks-per-node=1 -- "${train[@]}" run.dir=run
"$here/cluster_node" "$work/cluster" crash n2
lost=$SECONDS
# n2 must not be asked for any more
await "the job back in the queue" is_pending "$job"
echo "back in the queue $((SECONDS - lost)) s after the loss"
let_go
scontrol update "JobId=$job" ReqNodeList=
await_end "$job"
check_completed "$job" run
sinfo -h -N -n n2 -o %t | grep down >/dev/null || fail "n2 is not down"
