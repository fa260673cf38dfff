#!/usr/bin/env bash
# A run directory: made by train, complete at the end, continued by the same configuration only.
# usage: train_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"
mkdir here
cd here

"$program" baseline -q -o baseline.yaml "$config" scheduler.hyper_episodes=2 run.dir=baseline
train=("$program" train -q "$config" scheduler.baseline="$PWD/baseline.yaml")

# a dry run prints a configuration that is complete, and writes nothing
before=$(ls)
"${train[@]}" -n run.dir=run >../dry.yaml
[[ $(ls) == "$before" ]] || fail "train -n wrote something"
"$program" config check ../dry.yaml >/dev/null || fail "train -n printed a bad configuration"

"${train[@]}" run.dir=run
[[ -e run/COMPLETE ]] || fail "no COMPLETE"
grep -q '"state":"finished"' run/status.json || fail "status.json does not say finished"
"$program" inspect --verify run >/dev/null
first=$(checksum run)

# repeating it changes nothing
stamps=$(stat -c '%n %Y %i' run/episodes/*.h5 run/policy/*.h5)
"${train[@]}" run.dir=run || fail "repeating a finished run failed"
[[ $(stat -c '%n %Y %i' run/episodes/*.h5 run/policy/*.h5) == "$stamps" ]] ||
  fail "repeating a finished run wrote sealed files again"
[[ $(wc -l <run/starts.jsonl) == 2 ]] || fail "starts.jsonl does not count two starts"

# another configuration may not have the directory
code=0
"${train[@]}" run.dir=run mbpo.policy_updates=3 2>refusal || code=$?
[[ $code == 2 ]] || fail "exit code $code for a directory of another run, expected 2"
grep -q 'policy_updates' refusal || fail "the refusal does not name the difference"
[[ $(checksum run) == "$first" ]] || fail "the refused run changed the directory"

# the configuration that is saved, and the dry run, repeat the run
"$program" train -q run/run.yaml run.dir=again
[[ $(checksum again) == "$first" ]] || fail "run.yaml gives another run"
"$program" train -q ../dry.yaml run.dir=dry
[[ $(checksum dry) == "$first" ]] || fail "the dry run's configuration gives another run"

# what is missing is made again, to the bit
rm again/COMPLETE again/episodes/000004.h5 again/policy/v000002.h5
"$program" train -q run/run.yaml run.dir=again
[[ $(checksum again) == "$first" ]] || fail "a continued run has another result"

# a trained controller can be applied
"$program" apply -q "$config" scheduler.controller=run run.dir=applied
"$program" inspect --verify applied >/dev/null

# what others' configurations ask for is of the whole run, and its policy plays
"$program" train -q "$config" scheduler.kind=fixed 'sac.policy_layers=[8, 5, 3]' 'sac.critic_layers=[12]' \
  sac.temperature=0.3 sac.target_entropy=auto sac.critic_learning_rate=1e-3 sac.policy_interval=2 \
  sac.target_interval=3 sac.reward_scale=0.5 mbpo.mean_actions=true mbpo.mean_predictions=true run.dir=others
"$program" play --episodes 1 others | grep 'mean return' >/dev/null || fail "a policy of other widths does not play"
[[ $(checksum others) != $("$program" train -q others/run.yaml sac.temperature=auto run.dir=learnt && checksum learnt) ]] ||
  fail "a fixed temperature is a learnt one"
