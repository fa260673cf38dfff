#!/usr/bin/env bash
# run.threads changes no bit: sealed files are equal with 1, 2 and 3 threads, and where a run goes on
# with another number of them.
# usage: threads_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"

# networks of the published sizes, so that their products are shared
short=("$source_dir/configs/hopper.yaml" scheduler.kind=fixed scheduler.hyper_episodes=1 hyper.train_epochs=1
  hyper.apply_epochs=1 hyper.decision_interval=15 hyper.critic_loss_batch=200 hyper.rollouts=400
  mbpo.epoch_length=30 mbpo.exploration_steps=30 mbpo.min_pool=30 mbpo.policy_updates=3 mbpo.train_interval=15
  mbpo.rollout_interval=15 mbpo.rollouts=400 mbpo.rollout_schedule='[0,1,1,2]' mbpo.evaluation_episodes=1
  model.max_epochs=2)

for threads in 1 2 3; do
  expect 0 finished train -q "${short[@]}" run.threads="$threads" run.dir="threads-$threads"
done
expected=$(checksum threads-1)
for threads in 2 3; do
  [[ $(checksum "threads-$threads") == "$expected" ]] || fail "$threads threads: another checksum"
  cmp threads-1/episodes/000000.h5 "threads-$threads/episodes/000000.h5"
done

# killed as soon as there is a checkpoint, twice, and each time with another number
kill_at() {
  local code=0 count=$1
  shift
  AUTOMBPO_FAULT=after-save:$count "$program" "$@" checkpoint.every=0.1s >out 2>&1 || code=$?
  [[ $code == 137 ]] || fail "exit code $code, expected 137"
}
kill_at 1 train -q "${short[@]}" run.threads=3 run.dir=killed
cp killed/checkpoint/*/gen-000000.h5 first.h5 || fail "no checkpoint"
kill_at 1 resume -q killed run.threads=2
cp killed/checkpoint/*/gen-000001.h5 second.h5 || fail "no second checkpoint"
expect 0 finished resume -q killed run.threads=1
[[ $(checksum killed) == "$expected" ]] || fail "other threads in the middle: another checksum"

expect 2 'run.threads.*0.*1' train -q "${short[@]}" run.threads=0
# threads that share a core are told of, one thread is not
core=$(taskset -pc $$ | sed 's/.*: *\([0-9]*\).*/\1/')
alone() { taskset -c "$core" "$program" train -n "${short[@]}" "$@" 2>&1; }
alone run.threads=2 >out || fail "dry run"
says 'run.threads=2, but rank 0 may use 1 core of .*: expected at most as many threads'
alone >out || fail "dry run"
! grep -q warning out || fail "a warning for one thread"
echo "1, 2 and 3 threads: $expected"
