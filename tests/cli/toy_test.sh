#!/usr/bin/env bash
# Another scheduler is one file and one row of a table: options, help, rules, state, any number of
# ranks, resuming, audit and export follow, and the rules of the source tree hold.
# usage: toy_test.sh PROGRAM SOURCE_DIR CMAKE BUILD_DIR
source "$(dirname "$0")/common.sh"
cmake=$3
build_dir=$4

mkdir tree
cp -r "$source_dir"/{CMakeLists.txt,LICENSE,README.md,CHANGELOG.md,CITATION.cff,CONTRIBUTING.md} tree
cp -r "$source_dir"/{src,include,configs,mpi_launch,docs,tests,analysis,packaging} tree
cp "$source_dir/tests/cli/toy.c" tree/src/hyper/schedulers/toy.c
sed -i 's/^  KIND(external, .*[^\\]$/& \\\n  KIND(toy, "a walk at random")/' tree/include/hyper/scheduler_table.h
[[ $(diff -rq "$source_dir/src" tree/src) == "Only in tree/src/hyper/schedulers: toy.c" ]] || fail "more than a file"
[[ $(diff "$source_dir/include/hyper/scheduler_table.h" tree/include/hyper/scheduler_table.h | grep -c '^>') == 2 ]] ||
  fail "more than a row"
"${PYTHON:-python3}" tree/tests/layers.py tree >log 2>&1 || fail "the rules of the source tree"

# as the build beside it, but quicker to compile
cached() { sed -n "s/^$1:[A-Z]*=//p" "$build_dir/CMakeCache.txt"; }
"$cmake" -S tree -B build -G "$(cached CMAKE_GENERATOR)" -DCMAKE_C_COMPILER="$(cached CMAKE_C_COMPILER)" \
  -DCMAKE_C_COMPILER_LAUNCHER="$(cached CMAKE_C_COMPILER_LAUNCHER)" -DCMAKE_BUILD_TYPE=Debug \
  -DCMAKE_C_FLAGS_DEBUG=-O0 -DMUJOCO_DIR="$(cached MUJOCO_DIR)" -DAUTOMBPO_WERROR=ON -DAUTOMBPO_TESTS=OFF \
  -DAUTOMBPO_BULLET=OFF -DAUTOMBPO_RENDER=OFF >log 2>&1 || fail "cmake"
"$cmake" --build build --parallel 2 --target autombpo >log 2>&1 || fail "build"
program=$work/build/autombpo
export AUTOMBPO=$program # for mpi_launch/local

expect 0 '^scheduler.kind: .*; toy = a walk at random$' config keys scheduler.kind
says ' toy[;|]? '
expect 0 '^toy.high: largest real ratio$' config keys toy
"$program" config man >out && says '^.B toy.low$'
"$program" config completion bash >out && says 'scheduler.kind\) words="[a-z ]* toy"'
expect 2 "'toy.low=0.7': must be below toy.high=0.5" config check "$config" scheduler.kind=toy toy.low=0.7
expect 0 'no problem found' config check "$config" scheduler.kind=toy
expect 0 '\(beta = 0 to 1\)' config check --plan "$config" scheduler.kind=toy
says '^model trainings  2 an epoch'

run=(train -q "$config" scheduler.kind=toy toy.high=0.9 scheduler.hyper_episodes=2)
"$program" "${run[@]}" run.dir=alone >log 2>&1 || fail "1 rank"
"$source_dir/mpi_launch/local" -n 2 "${run[@]}" run.dir=ranks >log 2>&1 || fail "3 ranks"
[[ $(checksum alone) == "$(checksum ranks)" ]] || fail "3 ranks: other bits"
expect 0 'the same bits$' audit alone
expect 0 'complete: 2 of 2 hyper-episodes' inspect alone
expect 0 'real_ratio' schedule alone
expect 2 'a run of scheduler.kind=toy cannot be forked' fork alone 0 --at 1 --all

# killed in the middle, some decisions behind its exploration: its state goes on where it was
code=0
AUTOMBPO_FAULT=after-save:100 "$program" "${run[@]}" run.dir=killed checkpoint.every=0s >log 2>&1 || code=$?
[[ $code == 137 ]] || fail "not killed"
ls killed/checkpoint/*/*.h5 >/dev/null || fail "killed before there was a checkpoint"
"$program" resume killed log.quiet=true checkpoint.every=1h >log 2>&1 || fail "resume"
grep -q 'restored at [1-9][0-9]* real samples' log || fail "it began anew"
[[ $(checksum alone) == "$(checksum killed)" ]] || fail "killed: other bits"
expect 2 'holds a run of another configuration' "${run[@]}" toy.high=0.8 run.dir=alone
