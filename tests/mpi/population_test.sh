#!/usr/bin/env bash
# Population-based training is the same at any number of ranks, in starts that share a directory,
# and after kills; snapshots take bounded room and are gone in the end.
# usage: population_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"
pids=()
trap 'kill -KILL "${pids[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT

members=5
arguments=(train -q "$config" scheduler.kind=pbt pbt.members=$members pbt.interval=2
  pbt.score_epochs=2 hyper.apply_epochs=5 mbpo.epoch_length=120 sac.batch_size=64 checkpoint.every=0.1s
  run.lease_timeout=3s log.transitions=false)
"$program" "${arguments[@]}" run.dir=alone >/dev/null
expected=$(checksum alone)
[[ $(ls alone/episodes/*.h5 | wc -l) == 15 ]] || fail "expected 3 rounds of 5 members"
"$program" inspect alone | grep 'complete: 15 of 15' >/dev/null || fail "$("$program" inspect alone | head -2)"

compare() {
  [[ $(checksum "$1") == "$expected" ]] || fail "$1: another checksum"
  [[ -e $1/COMPLETE && -z $(ls "$1/checkpoint" "$1/snapshot" | grep h5) ]] || fail "$1: leftovers"
}
compare alone

for ranks in 2 3 5; do
  "$source_dir/mpi_launch/local" -n $((ranks - 1)) "${arguments[@]}" run.dir="ranks-$ranks" >/dev/null
  compare "ranks-$ranks"
done

# killed and resumed, on one rank and on three, until it ends; the room that snapshots take is looked at
code=0
AUTOMBPO_FAULT=after-seal-before-remove:$members "$program" "${arguments[@]}" run.dir=killed >log 2>&1 || code=$?
[[ $code == 137 ]] || fail "not killed when it had sealed a round"
most=$(ls killed/snapshot | grep -c 'h5$')
((most == members)) || fail "$most snapshots of a round of $members members"
kills=1
touch stamp
while [[ ! -e killed/COMPLETE ]]; do
  if ((kills % 2)); then
    "$source_dir/mpi_launch/local" -n 2 "${arguments[@]}" run.dir=killed >>log 2>&1 &
  else
    "$program" "${arguments[@]}" run.dir=killed >>log 2>&1 &
  fi
  pid=$!
  pids=("$pid")
  await_more killed $kills
  sleep 0.0$((RANDOM % 10))
  count=$(ls killed/snapshot 2>/dev/null | grep -c 'h5$' || true)
  most=$((count > most ? count : most))
  kill -KILL "${pids[0]}" 2>/dev/null || true
  wait "${pids[0]}" 2>/dev/null || true
  kills=$((kills + 1))
  ((kills < 100)) || fail "a run that is killed whenever it has saved never ends"
done
"$program" resume killed >/dev/null 2>&1
compare killed
((most <= 2 * members)) || fail "$most snapshots of $members members"
echo "killed $kills times: the same bits; at most $most snapshots"

for i in 1 2 3; do
  "$program" "${arguments[@]}" run.dir=together >"log-$i" 2>&1 &
  pids[i]=$!
done
for i in 1 2 3; do
  wait "${pids[i]}" || fail "one of three starts on one directory failed: $(cat "log-$i")"
done
compare together

# a start that shares no random numbers is another result
"$program" "${arguments[@]}" run.dir=seed run.seed=1 >/dev/null
[[ $(checksum seed) != "$expected" ]] || fail "the seed does not matter"
