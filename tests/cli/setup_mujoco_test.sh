#!/usr/bin/env bash
# mpi_launch/setup --mujoco builds against the library of a wheel whose hash is the index's, and no other.
# usage: setup_mujoco_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"
export PYTHON=${PYTHON:-/usr/bin/python3}
"$PYTHON" -m pip --version >log 2>&1 && command -v dpkg-query >log || { echo "no pip, or not Debian: skipped" && exit 77; }

# An index of one wheel, and a cmake that tells what it was asked for.
mkdir -p wheel/mujoco/include/mujoco wheel/mujoco-7.8.9.dist-info bin
echo 'not a library' >wheel/mujoco/libmujoco.so.7.8.9
printf 'Metadata-Version: 2.1\nName: mujoco\nVersion: 7.8.9\n' >wheel/mujoco-7.8.9.dist-info/METADATA
printf 'Wheel-Version: 1.0\nTag: py3-none-any\n' >wheel/mujoco-7.8.9.dist-info/WHEEL
: >wheel/mujoco-7.8.9.dist-info/RECORD
file=mujoco-7.8.9-py3-none-any.whl
(cd wheel && "$PYTHON" -m zipfile -c "../$file" mujoco mujoco-7.8.9.dist-info)
printf '#!/bin/sh\necho "$@" >>"%s/asked"\n' "$work" >bin/cmake
chmod +x bin/cmake
export PATH=$work/bin:$PATH AUTOMBPO_BUILD=$work/build PIP_CONFIG_FILE=/dev/null PIP_NO_INDEX=1 PIP_FIND_LINKS=$work/index.html
unset PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_CONSTRAINT

# index SHA256: it states this hash
index() { echo "<html><body><a href='$file#sha256=$1'>$file</a></body></html>" >index.html; }

setup() { "$source_dir/mpi_launch/setup" "$@" >out 2>&1; }

index "$(printf '%064d' 7)"
! setup --mujoco 7.8.9 || fail "a wheel with another hash was taken"
says 'pip finds no good wheel of MuJoCo 7.8.9'
[[ ! -e build/mujoco-7.8.9 && ! -e asked ]] || fail "something was built of it"

index "$(sha256sum <$file | cut -d ' ' -f 1)"
setup --tests --mujoco 7.8.9 -DMORE=1 || fail "a good wheel was refused: $(cat out)"
[[ -f build/mujoco-7.8.9/libmujoco.so.7.8.9 && -d build/mujoco-7.8.9/include ]] || fail "it is not there"
grep -q -e "-DAUTOMBPO_TESTS=ON .*-DMUJOCO_DIR=$work/build/mujoco-7.8.9 -DMORE=1" asked ||
  fail "cmake was asked for $(cat asked)"

rm index.html asked
setup --mujoco 7.8.9 || fail "what is there was fetched again: $(cat out)"
setup || fail "setup: $(cat out)"
[[ $(grep -c MUJOCO_DIR asked) == 1 ]] || fail "what build/ has is not left alone: $(cat asked)"
setup --mujoco debian || fail "back to Debian's: $(cat out)"
grep -qe '-DMUJOCO_DIR=$' -e '-DMUJOCO_DIR= ' asked || fail "not back to Debian's: $(cat asked)"
! setup --mujoco newest || fail "no version was taken for one"
says "expected a version"
echo "setup takes MuJoCo of a wheel whose hash is good"
