#!/usr/bin/env bash
# seeds=A..B is a run for each seed, as run.seed makes it: of train alone and under mpirun, and for
# the mean of a baseline.
# usage: several_seeds_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"
export AUTOMBPO=$program
short=(-q "$config" hyper.train_epochs=2 hyper.apply_epochs=2)
fixed=("${short[@]}" methods/mbpo.yaml scheduler.hyper_episodes=1)

"$program" train "${fixed[@]}" run.seed=3 run.dir=alone >/dev/null
expect 0 'into there/s5; nothing was written' train -n "${fixed[@]}" seeds=3..5 'run.dir=there/s{seed}'
says 'into there/s3;'
[[ ! -e there ]] || fail "a dry run wrote something"
expect 0 'in there/s5$' train "${fixed[@]}" seeds=3..5 'run.dir=there/s{seed}'
[[ $(cd there && echo */COMPLETE) == "s3/COMPLETE s4/COMPLETE s5/COMPLETE" ]] || fail "not three runs"
[[ $(checksum there/s3) == "$(checksum alone)" ]] || fail "seeds=3..5 makes another run of seed 3"
[[ $(checksum there/s4) != "$(checksum alone)" ]] || fail "two seeds, one run"

# repeating makes what is missing, here under mpirun
before=$(checksum there/s4)
rm -r there/s4 there/s5/COMPLETE there/s5/episodes/000000.h5
"$source_dir/mpi_launch/local" -n 2 train "${fixed[@]}" seeds=3..5 'run.dir=there/s{seed}' >out 2>log ||
  fail "under mpirun: exit code $?"
says 'in there/s5$'
[[ $(checksum there/s4) == "$before" ]] || fail "under mpirun seed 4 is another run"

# R' is the mean over the seeds
expect 0 "mean.yaml: R' of inverted-pendulum-v4 over 3 runs" \
  baseline -o mean.yaml "${short[@]}" seeds=0..1,7 'run.dir=base/s{seed}'
grep -qx 'seeds: \[0, 1, 7\]' mean.yaml || fail "mean.yaml names other seeds"
for seed in 0 1 7; do
  "$program" baseline -q -o "$seed.yaml" "${short[@]}" run.seed=$seed run.dir=base/s$seed \
    scheduler.hyper_episodes=1 >/dev/null
done
mean=$(sed -n 's/return_mean: \[\([^,]*\),.*/\1/p' [017].yaml | awk '{ s += $1 } END { print s / 3 }')
awk -v mean="$mean" '/^return_mean/ { gsub(/[^-.0-9e ]/, ""); d = $2 / mean - 1 }
  END { exit !(d < 1e-5 && d > -1e-5) }' mean.yaml || fail "not the mean, $mean"

# the first that fails ends it; what cannot be done is refused
mkdir -p taken/s1
cp -r there/s3/. taken/s1
expect 2 'taken/s1 holds a run of another configuration' \
  train "${fixed[@]}" seeds=0..2 'run.dir=taken/s{seed}'
[[ -e taken/s0/COMPLETE && ! -e taken/s2 ]] || fail "it did not end at seed 1"
expect 2 'run.dir=one is one directory for 3 seeds' train "${fixed[@]}" seeds=0..2 run.dir=one
expect 2 'seeds=3..1: expected A..B or A,B,C' train "${fixed[@]}" seeds=3..1
expect 2 'seeds=1,1: expected .* each seed once' baseline -o x.yaml "${short[@]}" seeds=1,1
expect 2 'are both given' train "${fixed[@]}" seeds=0..2 run.seed=1
code=0
"$source_dir/mpi_launch/local" -n 1 --restart train "${fixed[@]}" seeds=0..2 >out 2>&1 || code=$?
[[ $code == 2 ]] || fail "local --restart with seeds: exit code $code"
says 'seeds= are several runs'
[[ ! -e one && ! -e x.yaml && ! -e runs ]] || fail "a refused command wrote something"
