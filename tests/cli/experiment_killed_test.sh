#!/usr/bin/env bash
# The runs of an experiment end with the process that works on it, also when that is killed: they save
# first, and go on when the command is repeated.
# usage: experiment_killed_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"
pids=()
trap 'kill -KILL "${pids[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT

cp "$config" task.yaml
cat >long.yaml <<END
name: long
dir: long
tasks:
  tiny: {config: task.yaml log.quiet=true}
methods:
  fixed: {test: methods/mbpo.yaml hyper.apply_epochs=50000 log.transitions=false run.term_grace=1h}
END
run=long/tiny/fixed/0/test
"$program" experiment run -j1 long.yaml >log 2>&1 &
pids=($!)
until grep -qs '"event":"epoch"' $run/metrics.jsonl; do sleep 0.1; done
# those that it has started
read -r -a children <"/proc/${pids[0]}/task/${pids[0]}/children" || true # it ends without a newline
[[ ${#children[@]} == 1 ]] || fail "${#children[@]} processes of ${pids[0]}"
pids+=("${children[@]}")
kill -KILL "${pids[0]}"
until [[ ! -e /proc/${children[0]}/exe ]]; do sleep 0.1; done # CTest ends this if its run goes on
grep -q '"state":"checkpointed"' $run/status.json || fail "not saved: $(cat $run/status.json)"
ls $run/checkpoint/*/*.h5 >/dev/null || fail "no checkpoint"
