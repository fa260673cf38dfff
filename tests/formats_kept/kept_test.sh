#!/usr/bin/env bash
# docs/formats.md promises that each version of the formats stays readable: here is a run of each, made
# by the program of its time, and everything that reads such files reads it. A new version comes with a
# new directory; the old ones are never made again.
# usage: kept_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/../cli/common.sh"
kept=$source_dir/tests/formats_kept
newest=$(sed -n 's/^Format version \([0-9]*\):.*/\1/p' "$source_dir/docs/formats.md")
[[ $newest -ge 1 ]] || fail "docs/formats.md does not say its version"

for ((version = 1; version <= newest; version++)); do
  cp -r "$kept/version-$version" "v$version" || fail "no files of version $version"
  cd "v$version"
  expect 0 " [0-9]+ sealed files" inspect --verify run
  ! grep BAD out || fail "a sealed file is taken for damaged"
  expect 0 "^state +finished" status run
  expect 0 "^decision," schedule run
  # it goes on: where nothing is missing, and where the last version of the controller is, which is
  # made again from what is sealed
  go_on=(resume run run.allow_other_program=true run.allow_mixed_cpu=true)
  expect 0 "nothing is missing" "${go_on[@]}"
  last=$(printf '%s\n' run/policy/*.h5 | tail -n 1)
  rm "$last" run/COMPLETE
  expect 0 "^finished: " "${go_on[@]}"
  [[ -s $last && -s run/COMPLETE ]] || fail "the run was not completed again"
  expect 0 " [0-9]+ sealed files" inspect --verify run
  expect 0 "mean return" play --episodes 1 --steps 5 run/episodes/000000.h5
  "$program" env replay --task inverted-pendulum-v4 --input play.h5 --output again.h5 || fail "replay"
  for use in "apply scheduler.controller=run" "train scheduler.baseline=baseline.yaml scheduler.kind=fixed" \
    "train scheduler.kind=replay scheduler.schedule=schedule.csv"; do
    # shellcheck disable=SC2086 # a list of words
    expect 0 "method: " ${use%% *} -n "$config" ${use#* } run.dir=new
  done
  expect 0 "^ *real_ratio:" config show run/run.yaml
  if "${PYTHON:-python3}" -c 'import numpy, h5py' 2>/dev/null; then
    "$source_dir/mpi_launch/plot" check run >out 2>&1 || fail "the Python package: $(cat out)"
    says " 0 problems"
    "$source_dir/mpi_launch/plot" returns run -o returns.png >out 2>&1 || fail "plot: $(cat out)"
    [[ -s returns.png && -s returns.csv ]] || fail "no figure"
    "$source_dir/mpi_launch/export" run --to npz -o exported >out 2>&1 || fail "export: $(cat out)"
  fi
  cd ..
done
