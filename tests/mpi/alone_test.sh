#!/usr/bin/env bash
# A process that runs alone starts no other: Open MPI's daemon for such processes (orted) would be a
# second one to kill, and has outlived it.
source "$(dirname "$0")/common.sh"

"$program" train "$config" scheduler.kind=fixed scheduler.hyper_episodes=1000 run.dir=run \
  log.quiet=true >log 2>&1 &
pid=$!
trap 'kill -9 $pid 2>/dev/null || true; rm -rf "$work"' EXIT
until [[ -e run/episodes/000000.h5 ]]; do
  kill -0 $pid 2>/dev/null || fail "the run did not begin"
  sleep 0.05
done
children=$(pgrep -P $pid || true)
[[ -z $children ]] || fail "it has children: $(ps -o args= -p $children)"
echo "no other process"
