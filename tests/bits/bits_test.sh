#!/usr/bin/env bash
# Results do not depend on the CPU: with vectors of any width, and with any of its features taken from
# the C library, functions give the same bits, and sealed files are equal.
# usage: bits_test.sh PROGRAM SOURCE_DIR FUNCTIONS WIDTH...   (beside FUNCTIONS: FUNCTIONS_WIDTH and autombpo_WIDTH)
source "$(dirname "$0")/../cli/common.sh"
functions=$3
shift 3

"$functions" >expected
(($(wc -l <expected) > 300)) || fail "too few functions"
for width in "$@"; do
  "${functions}_$width" >log || fail "functions_$width"
  diff expected log >out || fail "vectors of $width bytes give other bits"
done

# Of glibc: what its functions choose a version by.
masks=(-AVX512F -AVX2 -AVX2,-FMA,-AVX,-FMA4,-AVX512F)
for mask in "${masks[@]}"; do
  GLIBC_TUNABLES=glibc.cpu.hwcaps=$mask "$functions" >log
  diff expected log >out || fail "without $mask functions give other bits"
done

# sum NAME PROGRAM ARGUMENT...: the checksum of a run
sum() {
  local run=$1 by=$2
  shift 2
  "$by" train -q scheduler.baseline= log.transitions=true "$@" run.dir="$run" >log 2>&1 ||
    fail "$run: $*"
  checksum "$run"
}

# shellcheck source=tests/bits/runs.sh
source "$source_dir/tests/bits/runs.sh"
for run in tiny hopper; do
  declare -n arguments=$run
  expected=$(sum $run "$program" "${arguments[@]}")
  for width in "$@"; do
    found=$(sum "$run-$width" "$(dirname "$functions")/autombpo_$width" "${arguments[@]}")
    [[ $found == "$expected" ]] || fail "$run, vectors of $width bytes: $found, expected $expected"
  done
done

expected=$(sum cheetah "$program" "${cheetah[@]}")
for mask in "${masks[@]}"; do
  found=$(GLIBC_TUNABLES=glibc.cpu.hwcaps=$mask sum "cheetah$mask" "$program" "${cheetah[@]}")
  [[ $found == "$expected" ]] || fail "physics without $mask: $found, expected $expected"
done
echo "the same bits with vectors of $* bytes, and under ${#masks[@]} masks"
