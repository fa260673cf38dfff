#!/usr/bin/env bash
# What appears or vanishes in a run directory while the program works there never ends it by a signal,
# and the run comes to the same bits.
source "$(dirname "$0")/common.sh"
trap 'kill -9 $pid 2>/dev/null || true; rm -rf "$work"' EXIT
pid=
"$program" baseline -q -o baseline.yaml "$config" scheduler.hyper_episodes=1 run.dir=base \
  hyper.train_epochs=60 >/dev/null 2>&1
long=(-q "$config" scheduler.baseline=baseline.yaml log.transitions=false hyper.apply_epochs=60
  hyper.train_epochs=60 hyper.decision_interval=30)

# background POINT:COUNT ARGUMENT...: until it has come there, where it stays
background() {
  hold "$1"
  "$program" "${@:2}" checkpoint.every=0.02s >out 2>&1 &
  pid=$!
  await_held $pid
}

# Another process seals the hyper-episode that this one is at: heads that are not asked, or masked.
for options in scheduler.kind=fixed \
  "scheduler.kind=random ppo.at_bounds=mask hyper.rollout_length_each_epoch=true"; do
  rm -rf run whole
  # shellcheck disable=SC2086 # a list of words
  "$program" train "${long[@]}" $options run.dir=whole >out 2>&1 || fail "$options"
  mkdir run
  # shellcheck disable=SC2086
  background after-save:1 train "${long[@]}" $options run.dir=run
  cp whole/episodes/000000.h5 run/episodes/new
  mv run/episodes/new run/episodes/000000.h5
  let_go
  code=0
  wait $pid || code=$?
  [[ $code == 0 ]] || fail "$options: exit code $code when another had sealed it"
  [[ $(checksum run) == "$(checksum whole)" ]] || fail "$options: another checksum"
done

# A version of the controller vanishes before an old hyper-episode that acts with it is made again.
rm -rf run
"$program" train "${long[@]}" ppo.stages='[4]' ppo.episodes_per_update=1 run.dir=run >out 2>&1 ||
  fail "four stages"
sum=$(checksum run)
rm run/episodes/00000[01].h5 run/COMPLETE
background after-seal-before-remove:1 resume -q run
cp run/policy/v000001.h5 kept
rm run/policy/v000001.h5
let_go
code=0
wait $pid || code=$?
[[ $code == 1 ]] || fail "a controller is gone: exit code $code"
says 'hyper-episode 1: .*policy/v000001.h5'
cp kept run/policy/v000001.h5
"$program" resume -q run >out 2>&1 || fail "with the controller again"
[[ $(checksum run) == "$sum" ]] || fail "another checksum"
echo "what comes and goes is met"
