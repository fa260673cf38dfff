#!/usr/bin/env bash
# Hyper-episodes that diverge are sealed and folded, not lost: an absurd learning rate ends a run
# complete, with the same bits at 1 and 3 ranks.
# usage: diverged_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"

"$program" baseline -q -o baseline.yaml "$config" scheduler.hyper_episodes=1 run.dir=base >/dev/null
arguments=(train -q "$config" scheduler.baseline=baseline.yaml sac.learning_rate=1
  sac.hidden_size=64 mbpo.policy_updates=40 hyper.policy_updates_max=40)
"$program" "${arguments[@]}" run.dir=ranks-1
"$source_dir/mpi_launch/local" -n 2 "${arguments[@]}" run.dir=ranks-3
"$program" inspect --verify ranks-1 >/dev/null

diverged=$(grep -c '"status":"diverged"' ranks-1/metrics.jsonl) || fail "nothing diverged"
echo "$diverged of 6 hyper-episodes diverged"
grep -q "\"diverged\":$diverged" ranks-1/status.json || fail "status.json does not count them"
[[ -e ranks-1/COMPLETE && -e ranks-3/COMPLETE ]] || fail "not complete"
[[ $(checksum ranks-1) == "$(checksum ranks-3)" ]] ||
  fail "1 and 3 ranks differ"
