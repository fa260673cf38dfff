# shellcheck shell=bash disable=SC2034
# common.sh - sourced by the scripts beside it, called with PROGRAM SOURCE_DIR.
# shellcheck source=tests/cli/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../cli/common.sh"
export AUTOMBPO=$program # for mpi_launch/local

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
