#!/usr/bin/env bash
# What cannot work is refused before anything is written, with code 2 and the option that must change;
# whatever is let through never reaches a CHECK.
source "$(dirname "$0")/common.sh"
"$program" baseline -q -o baseline.yaml "$config" scheduler.hyper_episodes=1 run.dir=base >/dev/null
base=("$config" scheduler.baseline=baseline.yaml run.dir=run log.quiet=true)

# refused PATTERN KEY=VALUE...
refused() {
  expect 2 "$1" train "${base[@]}" "${@:2}"
  [[ ! -e run ]] || fail "something was written for ${*:2}"
}
off=(hyper.schedule_{train_model,real_ratio,policy_updates,rollout_length}=false)
refused "'mbpo.real_ratio=1': must be below 1" mbpo.real_ratio=1 hyper.schedule_real_ratio=false
refused "'mbpo.real_ratio=0': must be above 0" mbpo.real_ratio=0
refused "'mbpo.real_ratio=0.05': must be above 0.*in \[0.1, 1\]" hyper.real_ratio_min=0.1
refused "'hyper.real_ratio_factor=1': must be above 1" hyper.real_ratio_factor=1
refused "'mbpo.policy_updates=20': must be in \[1, 4\]" mbpo.policy_updates=20
refused "'hyper.policy_updates_start=30': must be in \[1, 4\]" hyper.policy_updates_start=30
refused "'hyper.rollout_length_start=9': must be in \[1, 3\]" hyper.rollout_length_start=9
refused "ppo.groups.*head 'real_ratio' is not named" ppo.groups=train_model
refused "ppo.groups.*unknown head 'foo'" ppo.groups=foo
refused "ppo.groups.*is named, but hyper.schedule_rollout_length is false" \
  ppo.groups=train_model+real_ratio+policy_updates+rollout_length hyper.schedule_rollout_length=false
refused 'no head is scheduled' "${off[@]}"
refused "'mbpo.min_pool=2000000': must be at most mbpo.env_buffer" mbpo.min_pool=2000000
refused "'mbpo.env_buffer=1': must hold an episode" mbpo.env_buffer=1 mbpo.min_pool=1
one_step=(mbpo.max_path_length=1 mbpo.min_pool=1 log.transitions=false)
refused "'mbpo.env_buffer=1': must be at least 2" mbpo.env_buffer=1 "${one_step[@]}"
refused "'mbpo.exploration_steps=1': must be at least 2" mbpo.exploration_steps=1 "${one_step[@]}"
refused "'hyper.decision_interval=500': must be at most mbpo.epoch_length" hyper.decision_interval=500
# what belongs to one kind of scheduler
refused "'pbt.score_epochs=3': must be at most pbt.interval=2" scheduler.kind=pbt pbt.interval=2
refused "'pbt.frequencies=\[1, 2\]': must have one item" scheduler.kind=pbt pbt.members=6 \
  'pbt.frequencies=[1,2]'
refused "'pbt.frequencies=\[1.5\]': item 1 must be an integer" scheduler.kind=pbt 'pbt.frequencies=[1.5]'
refused "'ror.levels=\[0.5\]': must have two items" scheduler.kind=ror 'ror.levels=[0.5]'
refused "'fork.choices=\"\"': names no choice" scheduler.kind=fork
refused "'scheduler.schedule=\"\"': must name the file of a schedule" scheduler.kind=replay
refused "'external.command=\"\"': must be given, or else external.socket" scheduler.kind=external
# what is too large is the option that, at its default, would spare most
refused "command line: 'mbpo.retain_epochs=1000': too much for the memory" hyper.rollouts=10000 \
  mbpo.retain_epochs=1000 hyper.rollout_length_max=1000
refused "command line: 'ppo.look_ahead=100000': too much" ppo.look_ahead=100000 ppo.minibatch_size=20000
refused "command line: 'hyper.train_epochs=100000': too much" hyper.train_epochs=100000 \
  hyper.decision_interval=1 mbpo.epoch_length=100000
refused "command line: 'ppo.stages=\[100000\]': is 1100000 hyper-episodes, expected at most 1000000" \
  'ppo.stages=[100000]' ppo.episodes_per_update=11
# a task's own limit of 1000 steps cuts episodes: no buffer need hold more
expect 0 . config check "${base[@]}" mbpo.max_path_length=1000000 mbpo.env_buffer=1149
refused "log.transitions=true': needs mbpo.env_buffer of at least 1149" mbpo.env_buffer=1148 \
  mbpo.max_path_length=1000000
refused "'mbpo.env_buffer=999': must hold an episode of 1000 steps" mbpo.max_path_length=1000000 \
  mbpo.env_buffer=999
expect 0 . config check "${base[@]}" scheduler.kind=fixed hyper.decision_interval=500

# Intervals that do not divide the epoch, lengths at their largest, all kinds of schedulers.
seed=0
for options in mbpo.epoch_length=31 hyper.decision_interval=7 "hyper.rollout_interval=13
  hyper.rollout_each_decision=false" mbpo.rollout_interval=11 mbpo.retain_epochs=3 \
  hyper.rollout_length_start=3 mbpo.real_ratio=1 "mbpo.env_buffer=60 log.transitions=false" ppo.at_bounds=mask \
  "hyper.rollout_length_max=1" "sac.batch_size=1" "mbpo.evaluation_episodes=1"; do
  for kind in fixed random static ppo ror; do
    seed=$((seed + 1))
    # shellcheck disable=SC2086 # a list of words
    "$program" train "${base[@]}" run.dir="$kind$seed" run.seed=$seed scheduler.kind=$kind \
      scheduler.hyper_episodes=2 'ppo.stages=[1]' $options >out 2>&1 || fail "$kind $options"
  done
done
echo "what cannot work is refused, what is let through works"
