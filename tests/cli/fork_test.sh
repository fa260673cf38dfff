#!/usr/bin/env bash
# A fork repeats a hyper-episode bit by bit up to one decision, and differs from there on, whoever
# scheduled and however many ranks there are; what cannot be forked is refused.
# usage: fork_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"
export AUTOMBPO=$program # for mpi_launch/local

"$program" baseline -q -o baseline.yaml "$config" scheduler.hyper_episodes=1 run.dir=base >log 2>&1
"$program" train -q "$config" scheduler.baseline=baseline.yaml run.dir=joint >log 2>&1 || fail joint
"$program" train -q "$config" methods/autombpo_staged.yaml ppo.stages=[1,1,1] ppo.episodes_per_update=2 \
  hyper.policy_updates_start=2 scheduler.baseline=baseline.yaml run.dir=staged >log 2>&1 || fail staged
"$program" train -q "$config" scheduler.kind=random run.dir=random >log 2>&1 || fail random
"$program" apply -q "$config" scheduler.controller=joint run.dir=apply >log 2>&1 || fail apply
"$program" train -q "$config" ppo.advantage=fork ppo.forks=1 scheduler.baseline=baseline.yaml \
  run.dir=advantage >log 2>&1 || fail advantage

# rows COLUMN FILE: rows of /decisions/COLUMN, one a line
rows() { h5dump -m '%.17g' -d "/decisions/$1" -y -w 0 "$2" | grep -E '^ *-?[0-9]'; }

# hyper-episode 4 of the last is itself a fork, made for its advantages
for run in 'joint 4' 'staged 5' 'random 0' 'apply 0' 'advantage 4'; do
  read -r name episode <<<"$run"
  "$program" fork "$name" "$episode" --at 3 --all -q -o "fork-$name" >out 2>log || fail "fork of $name"
  says "^as it was"
  says "the same bits as $name/episodes/00000$episode.h5 up to decision 3"
  units=("fork-$name"/episodes/*.h5)
  ((${#units[@]} > 3)) || fail "$name: ${#units[@]} units"
  for unit in "${units[@]:1}"; do
    for column in state hyperparameters; do
      [[ $column == state ]] && before=4 || before=3 # the state at decision 3 is equal, too
      cmp -s <(rows $column "$unit" | head -$before) \
        <(rows $column "$name/episodes/00000$episode.h5" | head -$before) ||
        fail "$unit: $column differs before the decision"
    done
    cmp -s <(rows action "$unit" | sed -n 4p) \
      <(rows action "$name/episodes/00000$episode.h5" | sed -n 4p) && fail "$unit: nothing is otherwise"
  done
  expect 0 'the same bits$' audit "fork-$name"
done

"$source_dir/mpi_launch/local" -n 2 fork joint 4 --at 3 --all -q -o ranks >out 2>log || fail "3 ranks"
[[ $(checksum ranks) == "$(checksum fork-joint)" ]] || fail "3 ranks: other bits"
rm ranks/COMPLETE ranks/episodes/000002.h5
"$program" resume ranks >log 2>&1 || fail resume
[[ $(checksum ranks) == "$(checksum fork-joint)" ]] || fail "resumed: other bits"

"$program" train -q "$config" methods/mbpo.yaml run.dir=mbpo >log 2>&1 || fail mbpo
expect 2 'a run of scheduler.kind=fixed cannot be forked, only one of random, ppo, apply$' fork mbpo 0 --at 1 --all
expect 2 'there are 9 decisions' fork joint 1 --at 9 --all
action=$(rows action joint/episodes/000001.h5 | sed -n 3p | tr -d ' ')
names=(down keep up)
expect 2 'decision 2: real_ratio=.* is what was chosen' fork joint 1 --at 2 \
  --set real_ratio="${names[$(cut -d, -f2 <<<"$action")]}"
expect 2 "'real_ratio=sideways' is not a choice" fork joint 1 --at 2 --set real_ratio=sideways
expect 2 'was not possible: this head was not asked' fork staged 0 --at 1 --set rollout_length=up
expect 2 'No such file' fork joint 99 --at 0 --all
expect 2 'usage: autombpo fork' fork joint 1 --at 2

# a fork of forks has no choices that could be made again
expect 2 "'fork.of=fork': its hyper-episodes cannot be forked" config check --plan "$config" \
  scheduler.kind=fork fork.of=fork
