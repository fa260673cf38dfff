#!/usr/bin/env bash
# RoR's trainer goes from hyper-episode to hyper-episode, and through kills, without losing a bit; what
# it knows in the end is applied, in the same task alone.
# usage: ror_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"

arguments=(train -q "$config" methods/ror.yaml scheduler.hyper_episodes=4 mbpo.epoch_length=150
  sac.batch_size=64 checkpoint.every=0.1s)
"$program" "${arguments[@]}" run.dir=alone >log 2>&1 || fail alone
expected=$(checksum alone)
for ranks in 2 3; do
  "$source_dir/mpi_launch/local" -n $((ranks - 1)) "${arguments[@]}" run.dir="ranks-$ranks" >log 2>&1 ||
    fail "$ranks ranks"
  [[ $(checksum "ranks-$ranks") == "$expected" ]] || fail "$ranks ranks: another checksum"
done

kills=0
touch stamp
while [[ ! -e killed/COMPLETE ]]; do
  "$program" "${arguments[@]}" run.dir=killed >log 2>&1 &
  pid=$!
  await_more killed $kills
  sleep 0.0$((RANDOM % 10))
  kill -KILL $pid 2>/dev/null || true
  wait $pid 2>/dev/null || true
  kills=$((kills + 1))
  ((kills < 100)) || fail "a run that is killed whenever it has saved never ends"
done
[[ $(checksum killed) == "$expected" ]] || fail "killed: another checksum"
echo "killed $kills times: the same bits"

apply=(train -q "$config" methods/ror.yaml scheduler.controller=alone scheduler.hyper_episodes=2
  run.seed=1000)
"$program" "${apply[@]}" run.dir=applied >log 2>&1 || fail applied
"$program" "${apply[@]}" ror.learn=false run.dir=frozen >log 2>&1 || fail frozen
mv alone moved
"$program" resume applied >log 2>&1 || fail "the copy in the directory is not what counts"
for run in moved applied frozen; do
  expect 0 'the same bits$' audit $run
done
code=0
"$program" train -q "$config" env.id=pendulum-v1 methods/ror.yaml scheduler.controller=moved \
  run.seed=1000 \
  run.dir=other >out 2>&1 || code=$?
[[ $code == 2 ]] || fail "a trainer of another task: exit code $code"
says 'scheduler.transfer=true allows'
expect 2 'holds no|not a|no such|No such|is not' train "$config" methods/ror.yaml \
  scheduler.controller=nowhere run.dir=none
