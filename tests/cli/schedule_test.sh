#!/usr/bin/env bash
# A schedule that was exported and replayed gives the same bits; one written by hand is followed; a
# bad one is refused with its line.
source "$(dirname "$0")/common.sh"

"$program" train "$config" scheduler.kind=random scheduler.hyper_episodes=2 run.dir=first \
  log.quiet=true >out 2>&1 || fail "first run"
"$program" schedule first/episodes/000001.h5 -o one.csv
replay() { # RUN SCHEDULE OPTION...
  "$program" train "$config" methods/replay.yaml scheduler.schedule="$2" log.quiet=true \
    run.dir="$1" "${@:3}" >out 2>&1 || fail "replay of $2"
}

replay again one.csv scheduler.hyper_episodes=2
for part in epochs final decisions/state decisions/features_raw decisions/hyperparameters; do
  h5diff -q first/episodes/000001.h5 again/episodes/000001.h5 /$part ||
    fail "/$part differs when it is replayed"
done
if h5diff -q first/episodes/000000.h5 again/episodes/000000.h5 /epochs; then
  fail "another hyper-episode follows another schedule, but has the same results"
fi

# of a whole run: the mean, which has an effect of its own
"$program" schedule first >mean.csv
replay mean mean.csv
[[ $(wc -l <mean.csv) == $(wc -l <one.csv) ]] || fail "lines of the mean"

# by hand: beta rises linearly, all else is MBPO's own
printf '# a ramp\nprogress,real_ratio\n0,0.1\n\n1,0.9\n' >ramp.csv
replay ramp ramp.csv
h5dump -m '%.6f' -d /decisions/hyperparameters -y -w 0 ramp/episodes/000000.h5 |
  awk -F, 'NF > 3 {print $2}' >betas
[[ $(head -1 betas) == *0.100000* ]] || fail "beta begins at $(head -1 betas)"
sort -c -n betas || fail "beta does not rise"
[[ $(sort -u betas | wc -l) -gt 4 ]] || fail "beta is no ramp"

# the copy in the directory is what counts
rm ramp/episodes/000000.h5 ramp/COMPLETE
sum=$(sha256sum <mean/episodes/000000.h5)
mv mean.csv moved.csv
rm mean/episodes/000000.h5 mean/COMPLETE
"$program" resume mean log.quiet=true >out 2>&1 || fail "resume without the file"
[[ $(sha256sum <mean/episodes/000000.h5) == "$sum" ]] || fail "other bits after resuming"

refused() { # TEXT PATTERN
  printf '%b' "$1" >bad.csv
  expect 2 "$2" train "$config" methods/replay.yaml scheduler.schedule=bad.csv run.dir=bad
  [[ ! -e bad ]] || fail "something was written"
}
refused '' 'bad.csv: not a schedule'
refused 'time,real_ratio\n' "bad.csv:1: the first column is 'time', expected decision or progress"
refused 'decision,beta\n' "bad.csv:1: column 'beta' is unknown"
refused 'decision\n0\n' 'bad.csv:1: no hyperparameter'
refused 'decision,real_ratio\n0,0.5,1\n' 'bad.csv:2: 3 columns, expected 2'
refused 'decision,real_ratio\n0,1.5\n' "bad.csv:2: real_ratio is '1.5', expected a number from 0 to 1"
refused 'decision,real_ratio\n1,0.5\n1,0.5\n' "bad.csv:3: '1' does not come after"
refused 'progress,rollout_length\n0,9\n' 'rollout_length is 9, expected at most'
expect 2 "'scheduler.schedule=\"\"': must name the file of a schedule" train "$config" methods/replay.yaml run.dir=bad
echo "schedules are exported, replayed and refused"
