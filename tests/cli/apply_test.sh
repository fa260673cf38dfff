#!/usr/bin/env bash
# A controller carries what it needs: wherever it is applied, it acts in the hyper-MDP that it was
# trained in; what differs is named, and what cannot be is refused before anything is written.
# usage: apply_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"

# has RUN SECTION.KEY VALUE: what the resolved configuration of a run says.
has() {
  local found
  found=$(sed -n "/^${2%.*}:/,/^[^ ]/s/^  ${2#*.}: \(.*\)  # .*/\1/p" "$1/run.yaml")
  [[ $found == "$3" ]] || fail "$1: $2 is $found, expected $3"
}

silent_about() { ! grep -q -- "$1" out || fail "unexpected text '$1'"; }

"$program" baseline -q -o baseline.yaml "$config" scheduler.hyper_episodes=2 run.dir=baseline >log
# staged, of another width, scale, factor, bounds and interval than $config has
"$program" train -q "$config" scheduler.baseline=baseline.yaml run.dir=trained \
  ppo.groups=train_model+real_ratio,policy_updates,rollout_length 'ppo.stages=[1,1,1]' \
  ppo.episodes_per_update=2 ppo.hidden_size=24 ppo.at_bounds=mask hyper.real_ratio_factor=1.5 \
  hyper.feature_min=-1 hyper.decision_interval=15 hyper.policy_updates_max=3 \
  'hyper.scale_eval_return=[0, 50]' >log

# all of it comes from the policy file; where a file says something else, that is named
expect 0 . apply -q "$config" scheduler.controller=trained run.dir=applied
has applied ppo.groups '"train_model+real_ratio,policy_updates,rollout_length"'
has applied ppo.hidden_size 24
has applied ppo.at_bounds mask
has applied hyper.real_ratio_factor 1.5
has applied hyper.feature_min -1
has applied hyper.decision_interval 15
has applied hyper.policy_updates_max 3
has applied hyper.scale_eval_return '[0, 50]'
says "tiny.yaml:[0-9:]+: 'hyper.decision_interval=10' is not used: .* trained with 15"
says "'hyper.policy_updates_max=4' is not used: .* trained with 3"
silent_about real_ratio_factor # nothing but the default differed
silent_about train_epochs      # the run's own
reference=$(checksum applied)

# the file of one version does as well as the run, and so does saying what is true already
expect 0 . apply -q "$config" scheduler.controller=trained/policy/v000003.h5 run.dir=again \
  hyper.decision_interval=15
silent_about decision_interval
[[ $(checksum again) == "$reference" ]] || fail "an equal value on the command line gives another run"

# the command line overrides, and so does a file with settings=given; both are named
expect 0 "command line: 'hyper.real_ratio_factor=2': the controller was trained with 1.5" \
  apply -q "$config" scheduler.controller=trained run.dir=overridden hyper.real_ratio_factor=2
has overridden hyper.real_ratio_factor 2
has overridden hyper.decision_interval 15
expect 2 "'ppo.hidden_size=16': the controller of .* has 24, and can be applied with no other" \
  apply -q "$config" scheduler.controller=trained run.dir=refused scheduler.settings=given
cat >own.yaml <<END
scheduler: {kind: apply, controller: trained, settings: given}
ppo: {hidden_size: 24, groups: 'train_model+real_ratio,policy_updates,rollout_length'}
END
expect 0 "tiny.yaml:[0-9:]+: 'hyper.decision_interval=10': the controller was trained with 15" \
  train -q "$config" own.yaml run.dir=given run.seed=1000
has given hyper.decision_interval 10

# the configuration that is saved repeats the run, overrides and all; the warning stays
expect 0 "real_ratio_factor=2': the controller was trained with 1.5" \
  train -q overridden/run.yaml run.dir=repeated
[[ $(checksum repeated) == $(checksum overridden) ]] || fail "run.yaml gives another run"

# a run is resumed from its own copy
mv trained elsewhere
rm overridden/COMPLETE overridden/episodes/000000.h5
expect 0 . resume -q overridden
[[ $(checksum repeated) == $(checksum overridden) ]] || fail "a resumed run has another result"
mv elsewhere trained

# one head of it: the others keep MBPO's own schedule, though the controller was trained on all
expect 0 . train -q "$config" "$source_dir/configs/methods/autombpo_r.yaml" run.dir=r \
  scheduler.controller=trained run.seed=1000
has r hyper.schedule_policy_updates true
has r hyper.apply_policy_updates false

# another shape and another task cannot be by mistake
refused() {
  expect 2 "$@" run.dir=refused
  [[ ! -e refused ]] || fail "written in spite of an error"
}
refused "'ppo.groups=\"\"': the controller of trained/policy/v000003.h5 has \"train_model" \
  apply "$config" scheduler.controller=trained ppo.groups=
refused "'hyper.schedule_train_model=false': the controller of" \
  apply "$config" scheduler.controller=trained hyper.schedule_train_model=false
refused 'a controller of inverted-pendulum-v4, but the task is pendulum-v1: scheduler.transfer=true' \
  apply "$config" scheduler.controller=trained env.id=pendulum-v1
refused 'scheduler.transfer=true allows that' \
  config check "$config" scheduler.kind=apply scheduler.controller=trained run.seed=1 \
  env.id=pendulum-v1
refused "'scheduler.controller=\"\"': must name a run directory or a policy file" apply "$config"
expect 0 . apply -q "$config" scheduler.controller=trained env.id=pendulum-v1 run.dir=transferred \
  scheduler.transfer=true
rm transferred/COMPLETE transferred/episodes/000000.h5
expect 0 . resume -q transferred

# where it has never been: once a feature and start, whatever the number of decisions
expect 0 'real_ratio is 0.9, outside of 0[.0-9]* to 0[.0-9]*, which the controller was trained on' \
  apply -q "$config" scheduler.controller=trained run.dir=far mbpo.real_ratio=0.9 \
  scheduler.hyper_episodes=2
[[ $(grep -c 'real_ratio is' out) == 1 ]] || fail "said more than once"
silent_about 'progress is'
grep -q '"event":"extrapolation","hyper_episode":0,"feature":"real_ratio","value":0.9' \
  far/metrics.jsonl || fail "not in metrics.jsonl"
# a feature that no acting head reads cannot mislead one: of these groups, only policy_updates' own
# reads G
expect 0 . apply -q "$config" scheduler.controller=trained run.dir=far-g mbpo.policy_updates=9 \
  hyper.apply_policy_updates=false
silent_about 'policy_updates is'
