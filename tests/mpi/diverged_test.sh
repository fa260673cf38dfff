#!/usr/bin/env bash
# Hyper-episodes that diverge are sealed and folded, not lost: an absurd learning rate ends a run
# complete, with the same bits at 1 and 3 ranks. They are counted, earn less than the baseline in
# what they lost, and are never the best.
# usage: diverged_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"

"$program" baseline -q -o baseline.yaml "$config" scheduler.hyper_episodes=1 run.dir=base >/dev/null
arguments=(train -q "$config" scheduler.baseline=baseline.yaml sac.learning_rate=1
  sac.hidden_size=64 mbpo.policy_updates=40 hyper.policy_updates_max=40)
"$program" "${arguments[@]}" run.dir=ranks-1 >result
"$source_dir/mpi_launch/local" -n 2 "${arguments[@]}" run.dir=ranks-3
"$program" inspect --verify ranks-1 >/dev/null

diverged=$(grep -c '"status":"diverged"' ranks-1/metrics.jsonl) || fail "nothing diverged"
echo "$diverged of 6 hyper-episodes diverged"
[[ -e ranks-1/COMPLETE && -e ranks-3/COMPLETE ]] || fail "not complete"
[[ $(checksum ranks-1) == "$(checksum ranks-3)" ]] ||
  fail "1 and 3 ranks differ"

# also by a start that finds them sealed
"$program" "${arguments[@]}" run.dir=ranks-1 >again
"$program" resume ranks-1 >resumed 2>line
for said in result again resumed; do
  grep -q "^finished: 6 hyper-episodes ($diverged diverged) " $said || fail "$said: $(<$said)"
done
grep -q "  $diverged diverged" line || fail "the last line does not count them: $(<line)"
grep -q "\"diverged\":$diverged" ranks-1/status.json || fail "status.json does not count them"

best=$(sed -n 's/.*"best":{"episode":\(-\{0,1\}[0-9]*\).*/\1/p' ranks-1/status.json)
if grep -q "\"hyper_episode\":$best,.*\"status\":\"diverged\"" ranks-1/metrics.jsonl; then
  fail "the best hyper-episode, $best, has diverged"
fi
((diverged == 6)) && expected=-1 || expected='[0-5]'
[[ $best == $expected ]] || fail "best: $best"
