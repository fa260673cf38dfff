#!/usr/bin/env bash
# The law of resuming: a run that is killed or stopped at any moment, and resumed on another number
# of ranks from another directory, ends with the bits of the undisturbed run.
# usage: kill_resume_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"
pids=()
trap 'kill -KILL "${pids[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT

run_undisturbed mbpo.epoch_length=120

# begin RANKS WORD...: starts the program on so many ranks, in the background.
begin() {
  local ranks=$1
  shift
  if ((ranks == 1)); then
    "$program" "$@" >>log 2>&1 &
  else
    "$source_dir/mpi_launch/local" -n $((ranks - 1)) "$@" >>log 2>&1 &
  fi
  pid=$!
  pids+=("$pid")
}

# disturb NAME SIGNAL RANKS...: on each number of ranks, runs until something new was saved, then
# sends the signal; at last finishes on one rank from another directory, where nothing but the run
# directory is left.
disturb() {
  local name=$1 signal=$2 first=1
  shift 2
  touch stamp
  for ranks in "$@"; do
    if ((first)); then
      begin "$ranks" "${arguments[@]}" run.dir="$name"
    else
      begin "$ranks" resume "$name"
    fi
    first=0
    await "$name"
    sleep 0.0$((RANDOM % 10))
    kill -"$signal" "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  (cd / && "$program" resume "$work/$name" >>"$work/log" 2>&1) || fail "$name: resume"
  [[ $(checksum "$name") == "$expected" ]] || fail "$name: another checksum"
  grep -q '"state":"finished"' "$name/status.json" || fail "$name: status.json"
  [[ -e $name/COMPLETE && -z $(ls "$name/checkpoint") ]] || fail "$name: leftovers"
  echo "$name: $* ranks, SIG$signal each: the same bits"
}

disturb killed-1 KILL 1 1 1
disturb killed-n KILL 3 2
disturb stopped-n USR1 1 3 1

code=0
AUTOMBPO_FAULT=after-save:9 "$program" "${arguments[@]}" run.dir=middle checkpoint.every=0 >log 2>&1 || code=$?
[[ $code == 137 ]] || fail "middle: exit code $code, expected 137"
"$program" resume middle checkpoint.every=1 >log 2>&1 || fail "middle: resume"
grep -q 'restored at [1-9][0-9]* real samples' log || fail "middle: not from its checkpoint"
[[ $(checksum middle) == "$expected" ]] || fail "middle: another checksum"
