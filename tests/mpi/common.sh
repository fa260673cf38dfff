# shellcheck shell=bash disable=SC2034
# common.sh - sourced by the scripts beside it, called with PROGRAM SOURCE_DIR.
# shellcheck source=tests/cli/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../cli/common.sh"
# shellcheck source=mpi_launch/supervise.sh
source "$source_dir/mpi_launch/supervise.sh"
export AUTOMBPO=$program # for mpi_launch/local

is_open_mpi() { [[ $(mpirun --version 2>&1) == *'Open MPI'* ]]; }

# rank_of PROCESS RANK: prints the process below it that is this rank.
rank_of() {
  local process
  for process in $(family_of "$1"); do
    if tr '\0' '\n' <"/proc/$process/environ" | grep -xE "(OMPI_COMM_WORLD|PMI)_RANK=$2" >/dev/null; then
      echo "$process"
    fi
  done
}

# run_undisturbed KEY=VALUE...: a run that is slow enough to be disturbed. Sets $arguments, which
# make it, and $expected, its checksum.
run_undisturbed() {
  local slower=(mbpo.policy_updates=20 hyper.policy_updates_max=40 sac.batch_size=64
    checkpoint.every=0.1s log.quiet=true "$@")
  "$program" baseline -o baseline.yaml "$config" "${slower[@]}" scheduler.hyper_episodes=1 \
    run.dir=base >/dev/null
  arguments=(train "$config" "${slower[@]}" scheduler.baseline=baseline.yaml)
  "$program" "${arguments[@]}" run.dir=undisturbed >/dev/null
  expected=$(checksum undisturbed)
  echo "undisturbed: $expected"
}

# await DIR: until process $pid has ended, or another checkpoint or sealed file has appeared since the
# last call. Needs a file `stamp`.
await() {
  while [[ -z $(find "$1" -name '*.h5' -newer stamp 2>/dev/null) ]]; do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.02
  done
  touch stamp
}

# await_more DIR KILLS: once at first, and twice as often after each ten kills: on a slow machine what
# there is between two saves is little work, and a run that is killed there must end.
await_more() {
  local i
  for ((i = 0; i < 1 << $2 / 10; i++)); do
    await "$1"
  done
}
