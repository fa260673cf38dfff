#!/usr/bin/env bash
# The portable build links, takes its kernel when it starts, and can be installed: of the targets
# that mpi_launch/setup builds alone.
# usage: portable_test.sh CMAKE SOURCE_DIR
set -euo pipefail
cmake=$1 source=$2
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

"$cmake" -S "$source" -B "$work/build" -DCMAKE_BUILD_TYPE=Release -DAUTOMBPO_MARCH=x86-64-v3 \
  -DAUTOMBPO_DISPATCH=ON -DAUTOMBPO_TESTS=OFF >"$work/log"
targets=()
eval "$(grep '^targets=(autombpo' "$source/mpi_launch/setup")"
"$cmake" --build "$work/build" --target "${targets[@]}" --parallel 2 >>"$work/log"
"$cmake" --install "$work/build" --prefix "$work/prefix" >>"$work/log" || fail "cmake --install"
"$work/prefix/bin/autombpo" version >/dev/null || fail "the installed program does not start"

# usage: kernel_of HWCAPS: the kernel in use with these capabilities of the CPU taken away
kernel_of() {
  GLIBC_TUNABLES=$1 "$work/build/autombpo" bench gemm --json --repeats 1 --seconds 0.01 |
    grep -o '"kernels":"[^ "]*'
}

[[ $(kernel_of glibc.cpu.hwcaps=-AVX512F) == '"kernels":"AVX2' ]] || fail "not AVX2 without AVX-512"
sum_of() {
  GLIBC_TUNABLES=$1 "$work/build/autombpo" train -q "$source/tests/mpi/tiny.yaml" scheduler.kind=fixed \
    scheduler.hyper_episodes=1 run.dir="$work/run$1" >>"$work/log" 2>&1
  "$work/build/autombpo" inspect --checksum "$work/run$1"
}
[[ $(sum_of glibc.cpu.hwcaps=-AVX512F) == "$(sum_of "")" ]] || fail "AVX2 gives other bits"
if grep -qw avx512f /proc/cpuinfo; then
  [[ $(kernel_of "") == '"kernels":"AVX-512'* ]] || fail "AVX-512 is not taken"
fi
