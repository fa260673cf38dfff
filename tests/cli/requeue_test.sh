#!/usr/bin/env bash
# A Slurm job whose time is too short for anything to be saved does not come back for ever. Slurm is
# only acted here: a scontrol that notes what it is told.
# usage: requeue_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"
mkdir bin
printf '#!/bin/sh\necho "$*" >>requeued\n' >bin/scontrol
chmod +x bin/scontrol
touch requeued

# job CODE REQUEUES END: a job that ends at this time returns CODE; so many were put back until then.
job() {
  local code=0
  env PATH="$PWD/bin:$PATH" AUTOMBPO="$program" AUTOMBPO_RESTARTS=2 SLURM_JOB_ID=7 \
    SLURM_JOB_END_TIME="$3" bash -euo pipefail -c \
    'source "$0/supervise.sh" && source "$0/slurm.sh" && slurm_run "$@"' "$source_dir/mpi_launch" \
    train -q "$config" scheduler.kind=fixed scheduler.hyper_episodes=2 run.dir=run >log 2>&1 || code=$?
  [[ $code == "$1" ]] || fail "exit code $code, expected $1"
  [[ $(wc -l <requeued) == "$2" ]] || fail "$(wc -l <requeued) jobs were put back, expected $2"
}

job 0 1 1
job 0 2 1
job 1 2 1
grep -q 'the last 3 starts sealed and saved nothing' log || fail "it is not said why it ended"
# with time it goes on
job 0 2 $(($(date +%s) + 600))
[[ -e run/COMPLETE ]] || fail "not complete"
