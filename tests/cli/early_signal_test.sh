#!/usr/bin/env bash
# A signal that comes before there are handlers stops a run as one that comes later does; a process that
# begins with signals blocked, as a child of some launchers, is stopped by them, too.
# usage: early_signal_test.sh PROGRAM SOURCE_DIR LIBRARY
source "$(dirname "$0")/common.sh"
library=$3

short=("$config" scheduler.kind=fixed scheduler.hyper_episodes=1 run.dir=run)
printf 'name: e\ndir: all\ntasks: {tiny: {config: %s}}\nmethods: {fixed: {test: %s}}\n' "$config" \
  'scheduler.kind=fixed scheduler.hyper_episodes=1' >e.yaml

# stopped_by SIGNAL ARGUMENT...
stopped_by() {
  local number
  number=$(kill -l "$1")
  EARLY_SIGNAL=$number LD_PRELOAD=$library expect 75 . "${@:2}"
}

for signal in USR1 TERM INT; do
  stopped_by $signal train "${short[@]}"
  [[ -e run/run.yaml && ! -e run/COMPLETE ]] || fail "train: not begun, or complete"
done
stopped_by USR1 resume run
stopped_by USR1 baseline -o out.yaml "${short[@]}" run.dir=base
stopped_by USR1 experiment run e.yaml
[[ ! -e all/tiny/fixed ]] || fail "an experiment that is stopped begins runs"
expect 0 finished train "${short[@]}"
expect 0 finished train "${short[@]}" run.dir=random scheduler.kind=random
stopped_by USR1 fork random 0 --at 0 --all

# what saves nothing ends by it
code=0
EARLY_SIGNAL=$(kill -l USR1) LD_PRELOAD=$library "$program" inspect run >out 2>&1 || code=$?
[[ $code == $((128 + $(kill -l USR1))) ]] || fail "inspect: exit code $code"

# blocked by who has started it
blocked='import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
os.kill(os.getpid(), signal.SIGUSR1)
os.execv(sys.argv[1], sys.argv[1:])'
code=0
python3 -c "$blocked" "$program" train "${short[@]}" run.dir=blocked >out 2>&1 || code=$?
[[ $code == 75 ]] || fail "signals that were blocked: exit code $code"
