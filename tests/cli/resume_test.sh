#!/usr/bin/env bash
# autombpo resume: needs nothing but the run directory, says what it restores, changes no result, and
# follows nothing outside of the directory that the command does not name.
# usage: resume_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"

expect 0 . baseline -q -o baseline.yaml "$config" scheduler.hyper_episodes=1 run.dir=base
expect 0 . train -q "$config" scheduler.baseline=baseline.yaml run.dir=run
expected=$(checksum run)
cp -r run original

# without its inputs, moved, and from elsewhere
rm baseline.yaml run/COMPLETE run/episodes/00000[45].h5 run/policy/v000002.h5
mkdir elsewhere
mv run elsewhere/moved
cd elsewhere
expect 0 '4 of 6 hyper-episodes sealed, controller version 1 of 2' resume -q moved
[[ $(checksum moved) == "$expected" ]] || fail "resumed: another checksum"
expect 0 'nothing is missing' resume -n moved
expect 0 'nothing is missing' resume -q moved
[[ $(checksum moved) == "$expected" ]] || fail "resumed twice: another checksum"
cd ..

# what killed processes left goes when the run is complete, unless others live that may be writing it:
# one that cannot be known to be dead has renewed its leases a moment ago
cp -r original remains
rm remains/COMPLETE remains/episodes/000005.h5 remains/policy/v000002.h5
touch remains/{episodes/000005.h5,policy/v000001.h5,status.json}.host-1-0.tmp
owner=remains/lease/owner-0123456789abcdef
echo "another-boot 1 2 3 - 0 elsewhere" >"$owner"
SLURM_JOB_END_TIME=1 expect 75 'warning: SLURM_JOB_END_TIME=1 is past' resume -q remains
expect 0 . resume -q remains
[[ $(find remains -name '*.tmp' | wc -l) == 3 ]] || fail "somebody may be writing these files"
touch -d '10 minutes ago' "$owner"
expect 0 . resume -q remains
left=$(find remains -name '*.tmp' -o -path '*/lease/*')
[[ -z $left ]] || fail "left: $left"
[[ $(checksum remains) == "$expected" ]] || fail "remains: another checksum"

# options that results depend on may not change; others may
expect 2 'mbpo.policy_updates: 2 -> 3' resume original mbpo.policy_updates=3
expect 0 'nothing is missing' resume -q original checkpoint.every=3s run.max_wall=1h
expect 2 'run directory is missing' resume
expect 2 'there is no run here' resume no-such-directory
expect 2 'only key=value' resume original "$config"

# a directory that was made but not born starts; one whose run.yaml was cut off, too
mkdir -p born/episodes cut
head -c 300 original/run.yaml >cut/run.yaml
cp original/baseline.yaml baseline.yaml
for name in born cut; do
  expect 2 'run.yaml' resume "$name"
  expect 0 . train -q "$config" scheduler.baseline=baseline.yaml run.dir="$name"
  [[ $(checksum "$name") == "$expected" ]] || fail "$name: another checksum"
done
# but not with the results of another configuration
cp -r original other
rm other/run.yaml
expect 2 'another configuration' train -q "$config" scheduler.baseline=baseline.yaml run.dir=other \
  mbpo.policy_updates=3

# of the differences those alone are named that make it another run: not where a copy of R' is
expect 2 'mbpo.policy_updates: 2 -> 3' resume original mbpo.policy_updates=3
[[ $(grep -c ' -> ' out) == 1 ]] || fail "the refusal names $(grep ' -> ' out)"

# a changed baseline is another run; resume goes on with the first one
sed 's/^return_mean: \[/&9/' baseline.yaml >changed.yaml
expect 2 'autombpo resume original' train "$config" scheduler.baseline=changed.yaml run.dir=original

# an edited or damaged run.yaml is no other run
cp -r original damaged
sed -i 's/^  policy_updates: 2 /  policy_updates: 3 /' damaged/run.yaml
expect 2 'run.yaml' resume damaged

# code, directories and files that a data file names are not followed
cp -r original plugin
sed -i 's/^  id: .*/  id: plugin:evil.so/' plugin/run.yaml
expect 2 'say that it may be loaded' resume plugin
cp -r original assets
sed -i 's/^  assets: .*/  assets: \/etc/' assets/run.yaml
expect 2 'say that they may be read' resume assets
cp -r original including
sed -i '1i "include": [/etc/passwd]' including/run.yaml
expect 2 'includes other files' resume including

# other physics is refused, unless allowed; the CPU and the C library do not count
[[ $(<original/machine) =~ ^program\ [0-9a-f]{16}\;\ MuJoCo\ [0-9.]+\;\ task\  ]] ||
  fail "machine: $(<original/machine)"
rm original/COMPLETE original/episodes/000005.h5 original/policy/v000002.h5
sed -i 's/MuJoCo [0-9.]*/MuJoCo 0.1/' original/machine
expect 2 'two kinds of physics.*allow_other_program' resume original run.allow_mixed_cpu=true
expect 0 'results may differ' resume -q original run.allow_other_program=true

# with bfloat16, where this CPU has it, the kernel counts
if "$program" train -q "$config" scheduler.kind=fixed scheduler.hyper_episodes=1 run.dir=rounded \
  compute.precision=bfloat16 >out 2>&1; then
  rm rounded/COMPLETE rounded/episodes/000000.h5
  sed -i 's/bfloat16 by [^;]*/bfloat16 by another kernel/' rounded/machine
  expect 2 'allow_mixed_cpu' resume rounded run.allow_other_program=true
  expect 0 'results may differ' resume -q rounded run.allow_mixed_cpu=true
fi

# a controller that is applied is an input, too
expect 0 . train -q "$config" scheduler.baseline=baseline.yaml run.dir=run
expect 0 . apply -q "$config" scheduler.controller=run scheduler.hyper_episodes=2 run.dir=applied
applied=$(checksum applied)
rm -r run applied/COMPLETE applied/episodes/000001.h5
expect 0 '1 of 2 hyper-episodes' resume -q applied
[[ $(checksum applied) == "$applied" ]] || fail "applied: another checksum"
