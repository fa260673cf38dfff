#!/usr/bin/env bash
# What looks at a run asks its directory for what is there, not for each hyper-episode that could be:
# of a run of a million, of which one is sealed, no command makes a thousand calls.
# usage: calls_test.sh PROGRAM SOURCE_DIR WALK_SHIM
source "$(dirname "$0")/common.sh"
shim=$3

# count COMMAND...: calls that it makes in the directory of the run, into $calls
count() {
  : >list
  LD_PRELOAD=$shim WALK_DIR=$work/run WALK_LIST=$work/list "$program" "$@" >out 2>&1 || true
  calls=$(wc -l <list)
}

# seal COMMAND...: until another hyper-episode is sealed, when it is killed
seal() {
  hold after-seal-before-remove:1
  LD_PRELOAD=$shim WALK_DIR=$work/run WALK_LIST=$work/list "$program" "$@" >out 2>&1 &
  await_held $!
  kill -9 "$held"
  wait $! 2>/dev/null || true
  let_go
}

# few WHAT MOST
few() {
  ((calls < $2)) || {
    cut -d' ' -f1 list | sort | uniq -c
    fail "$1: $calls calls"
  }
  echo "$1: $calls calls"
}

seal train -q "$config" scheduler.kind=random scheduler.hyper_episodes=1000000 run.dir="$work/run"
calls=$(wc -l <list)
few train 1000
[[ $(ls run/episodes) == 000000.h5 ]] || fail "sealed: $(ls run/episodes)"

# nor does rank 0 ask at each of its 12 decisions whether somebody else has sealed it
asked=$(grep -c 'stat /episodes/000000.h5$' list)
((asked < 10)) || fail "$asked questions for the hyper-episode that runs"

for command in schedule inspect status audit verify; do
  count "$command" "$work/run"
  few "$command" 1000
done
says 'hyper-episode 0: epochs 1 to'

: >list
seal resume -q "$work/run"
calls=$(wc -l <list)
few resume 1000
[[ -e run/episodes/000001.h5 ]] || fail "sealed: $(ls run/episodes)"
echo "what is there is listed"
