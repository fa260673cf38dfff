#!/usr/bin/env bash
# The program is part of what results depend on: its id is that of its code, wherever and whenever it
# was built, and one run is made by one program.
# usage: program_test.sh PROGRAM SOURCE_DIR CMAKE BUILD_DIR
source "$(dirname "$0")/common.sh"
cmake=$3 build=$4
id=$("$program" version | sed -n 's/.*program \([0-9a-f]\{16\}\)$/\1/p')
[[ -n $id ]] || fail "no id: $("$program" version)"

# The same sources elsewhere, later, with the same options have the same id; documents do not count.
mkdir copy
(cd "$source_dir" && cp -r CMakeLists.txt src include configs mpi_launch docs packaging "$work/copy")
# id_of_copy: without compiling anything
id_of_copy() {
  "$cmake" --build there --target program_id >log 2>&1 || fail "program_id"
  sed -n 's/.*"\([0-9a-f]\{16\}\)".*/\1/p' there/program_id.c
}
mapfile -t options < <(sed -n 's/^\(CMAKE_BUILD_TYPE\|CMAKE_C_FLAGS\|CMAKE_CXX_FLAGS\|AUTOMBPO_[A-Z]*\):[A-Z]*=/-D\1=/p' \
  "$build/CMakeCache.txt" | grep -v AUTOMBPO_TESTS)
"$cmake" -S copy -B there "${options[@]}" -DAUTOMBPO_TESTS=OFF >log 2>&1 || fail "cmake"
[[ $(id_of_copy) == "$id" ]] || fail "the id depends on the place: $(id_of_copy), here $id"
"$cmake" -S copy -B there -DCMAKE_BUILD_TYPE=Debug -DAUTOMBPO_MARCH=x86-64-v2 -DAUTOMBPO_VECTOR_BYTES=16 \
  >log 2>&1 || fail "cmake"
[[ $(id_of_copy) == "$id" ]] || fail "the id depends on the CPU, or on how it is compiled"
"$cmake" -S copy -B there "-DCMAKE_C_FLAGS=-ffast-math" >log 2>&1 || fail "cmake"
[[ $(id_of_copy) != "$id" ]] || fail "flags that change results have the same id"
"$cmake" -S copy -B there "${options[@]}" >log 2>&1 || fail "cmake"
echo more >>copy/docs/design.md
[[ $(id_of_copy) == "$id" ]] || fail "the id depends on documents"
sed -i 's/#define BETA1 0.9$/#define BETA1 0.8/' copy/src/nn/adam.c
[[ $(id_of_copy) != "$id" ]] || fail "another constant has the same id"

# Another program: the same one with another id in it.
other=$work/other
sed "s/$id/0123456789abcdef/" "$program" >"$other"
chmod +x "$other"
[[ $("$other" version) == *0123456789abcdef ]] || fail "no other program"
fixed=("$config" scheduler.kind=fixed scheduler.hyper_episodes=2 log.quiet=true)
"$program" train "${fixed[@]}" run.dir=run >/dev/null 2>&1
sum=$(checksum run)
rm run/episodes/000001.h5 run/COMPLETE
code=0
"$other" resume run >out 2>&1 || code=$?
[[ $code == 2 ]] || fail "another program resumed: exit code $code"
says "program $id.*this is 'program 0123456789abcdef.*run.allow_other_program=true"
[[ ! -e run/episodes/000001.h5 ]] || fail "another program wrote into the run"
"$other" resume run run.allow_other_program=true >out 2>&1 || fail "allowed, but refused"
says 'warning: .*results may differ'
[[ $(checksum run) == "$sum" ]] || fail "the same code, but other results"
grep -q '"program":"0123456789abcdef"' run/starts.jsonl || fail "starts.jsonl does not name it"

if command -v mpirun >/dev/null; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  code=0
  mpirun --oversubscribe -n 1 "$program" train "${fixed[@]}" run.dir=two : \
    -n 1 "$other" train "${fixed[@]}" run.dir=two >out 2>&1 || code=$?
  [[ $code == 2 ]] || fail "two programs ran as one: exit code $code"
  says "rank 1 has 'program 0123456789abcdef"
  [[ ! -e two ]] || fail "two programs made a run directory"
fi
echo "one run, one program"
