#!/usr/bin/env bash
# Signals and deadlines: SIGUSR1, SIGTERM and SIGINT save and stop with 75, a second SIGINT stops at
# once, SIGUSR2 saves and goes on, run.max_wall and Slurm's end time are kept.
# run.term_grace bounds SIGTERM; SIGHUP is nothing to a run without a terminal.
# usage: signals_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"
pid=
trap 'kill -KILL $pid 2>/dev/null || true; rm -rf "$work"' EXIT

# long enough that nothing here sees its end, and the grace is for those who test it
long=("$config" scheduler.kind=fixed hyper.apply_epochs=1000 mbpo.epoch_length=300 log.quiet=true
  mbpo.policy_updates=20 checkpoint.every=1h run.term_grace=1h)

# begin NAME ARGUMENT...: starts a run, and waits until it is under way.
begin() {
  local name=$1
  shift
  "$program" train "${long[@]}" run.dir="$name" "$@" >log 2>&1 &
  pid=$!
  until grep -qs '"event":"epoch"' "$name/metrics.jsonl"; do
    kill -0 $pid 2>/dev/null || fail "$name: ended before its first epoch"
    sleep 0.02
  done
}

# finish NAME CODE
finish() {
  local code=0
  wait $pid || code=$?
  [[ $code == "$2" ]] || fail "$1: exit code $code, expected $2"
}

for signal in USR1 TERM INT; do
  begin $signal
  # a shell starts background processes with SIGINT ignored; the program takes it all the same
  kill -$signal $pid
  finish $signal 75
  grep -q '"state":"checkpointed"' $signal/status.json || fail "$signal: status.json"
  grep -q '"bytes":[1-9]' $signal/status.json || fail "$signal: no checkpoint in status.json"
  ls $signal/checkpoint/episode-000000/gen-*.h5 >/dev/null || fail "$signal: no checkpoint"
  [[ $(ls $signal/lease | grep -v '^now$') == '' ]] || fail "$signal: leases are left"
done

begin save
kill -USR2 $pid
until grep -q '"event":"checkpoint"' save/metrics.jsonl; do
  sleep 0.02
done
kill -0 $pid || fail "SIGUSR2 ended the run"
# the second SIGINT while the first cannot be heard yet
kill -STOP $pid
kill -INT $pid
kill -CONT $pid
kill -INT $pid
code=0
wait $pid || code=$?
[[ $code == 130 || $code == 75 ]] || fail "second SIGINT: exit code $code, expected 130"

# training a model for hours, it is at no safe point: SIGTERM ends it after the grace all the same. To get
# there takes less work than to begin.
"$program" train "${long[@]}" run.dir=grace run.term_grace=1s model.max_epochs=100000 \
  model.patience=100000 model.hidden_size=200 >log 2>&1 &
pid=$!
worked() { awk '{print $14 + $15}' "/proc/$pid/stat"; }
until grep -qs '"event":"begin"' grace/metrics.jsonl; do sleep 0.02; done
to_begin=$(worked)
until (($(worked) > 2 * to_begin + 100)); do
  kill -0 $pid 2>/dev/null || fail "grace: ended before it was hit"
  sleep 0.1
done
kill -HUP $pid
kill -TERM $pid
finish grace 75
grep -q 'out of time: ended' log || fail "grace: no word about it"
[[ ! -e grace/checkpoint/episode-000000 ]] || fail "grace: it was at a safe point"

# deadlines: stopped before the time is up, counted from the start that metrics.jsonl tells. The clock is
# the one of chaos/walk, which goes on as the program looks at it, however fast that is.
clock=$(dirname "$program")/tests/libwalk_shim.so
[[ -e $clock ]] || { echo "no such clock beside sanitizers: deadlines are not tested"; exit 0; }
# keeps_deadline NAME SECONDS
keeps_deadline() {
  local code=0 begun ended
  LD_PRELOAD=$clock "$program" train "${long[@]}" run.dir="$1" "${@:3}" >log 2>&1 || code=$?
  [[ $code == 75 ]] || fail "$1: exit code $code, expected 75"
  grep -q '"deadline":"20' "$1/status.json" || fail "$1: status.json does not tell the deadline"
  begun=$(date +%s -d "$(sed -n '1s/.*"time":"\([^"]*\)".*/\1/p' "$1/metrics.jsonl")")
  ended=$(date +%s -d "$(sed -n '$s/.*"time":"\([^"]*\)".*/\1/p' "$1/metrics.jsonl")")
  ((ended - begun <= $2)) || fail "$1: stopped $((ended - begun)) s after its start"
}

keeps_deadline wall 8 run.max_wall=8s
SLURM_JOB_END_TIME=1700000008 keeps_deadline slurm 8
