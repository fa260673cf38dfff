#!/usr/bin/env bash
# Several starts on one run directory share its hyper-episodes through leases; what a killed or
# frozen one leaves is taken over; the results are those of a single start.
# usage: join_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"
pids=()
trap 'kill -KILL "${pids[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT

run_undisturbed mbpo.epoch_length=250

# start NAME OPTION...: one more process on this directory.
start() {
  "$program" "${arguments[@]}" run.dir="$1" "${@:2}" >"log-${#pids[@]}" 2>&1 &
  pids+=($!)
}

compare() {
  [[ -e $1/COMPLETE ]] || fail "$1: not complete"
  [[ $(checksum "$1") == "$expected" ]] || fail "$1: another checksum"
  [[ -z $(ls "$1/checkpoint") ]] || fail "$1: checkpoints are left"
}

for i in 1 2 3; do
  start together
done
for pid in "${pids[@]}"; do
  wait "$pid" || fail "together: one of three failed"
done
compare together
# each hyper-episode was run once
[[ $(grep -c '"event":"begin"' together/metrics.jsonl) == 6 ]] || fail "work was done twice"
[[ -z $(ls together/lease | grep -v '^now$') ]] || fail "leases are left"
echo "together: three starts, no hyper-episode twice"

# one is killed, one is frozen until its lease has run out, both with work; the third does the rest
pids=()
for i in 0 1; do
  hold after-save:1
  start disturbed run.lease_timeout=3s
  await_held "${pids[i]}"
done
unset AUTOMBPO_FAULT
start disturbed run.lease_timeout=3s
kill -KILL "${pids[0]}"
kill -STOP "${pids[1]}"
let_go # as soon as it is woken up
wait "${pids[0]}" 2>/dev/null || true
wait "${pids[2]}" || fail "disturbed: the one that was left failed"
compare disturbed
kill -CONT "${pids[1]}"
wait "${pids[1]}" || fail "disturbed: the one that was frozen failed"
compare disturbed
grep -q '"state":"finished"' disturbed/status.json || fail "disturbed: status.json"
echo "disturbed: one killed, one frozen: the same bits"

# another configuration cannot join
"$program" "${arguments[@]}" run.dir=refused >log-1 2>&1 &
pids=($!)
until [[ -e refused/run.yaml ]]; do
  sleep 0.02
done
code=0
"$program" "${arguments[@]}" run.dir=refused mbpo.policy_updates=3 2>log-2 || code=$?
[[ $code == 2 ]] || fail "another configuration joined: exit code $code, expected 2"
wait "${pids[0]}"
compare refused
