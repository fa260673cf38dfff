#!/usr/bin/env bash
# Sealed files name a plugin as it names itself: the same bits wherever it lies, and a run goes on
# with a plugin that has moved.
# usage: plugin_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"

for place in here some/where/else; do
  mkdir -p $place
  cp "$(dirname "$program")"/tests/plugin/swing_up.{so,xml} $place
  "$program" train -q "$config" methods/mbpo.yaml hyper.apply_epochs=2 \
    scheduler.hyper_episodes=1 env.id=plugin:$place/swing_up.so run.dir=$place/run >/dev/null
done
cmp here/run/episodes/000000.h5 some/where/else/run/episodes/000000.h5
h5dump -a env here/run/episodes/000000.h5 | grep -F '"plugin:swing-up-v1"' >/dev/null || fail "its name"
h5dump -a env_spec here/run/episodes/000000.h5 | grep "horizon.*: 30}" >/dev/null || fail "where its episodes were cut"

rm here/run/episodes/000000.h5 here/run/COMPLETE here/swing_up.so
"$program" resume -q here/run env.id=plugin:some/where/else/swing_up.so >/dev/null
cmp here/run/episodes/000000.h5 some/where/else/run/episodes/000000.h5
