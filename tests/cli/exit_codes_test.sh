#!/usr/bin/env bash
# Exit codes: 0 done, 1 failed, 2 usage or configuration, with nothing written.
# usage: exit_codes_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"

nothing_written() {
  [[ $(ls) == out ]] || fail "written in spite of an error: $(ls)"
}

# wrong usage
expect 2 .
expect 2 "unknown verb 'no-such-verb'" no-such-verb
expect 2 . train --no-such-option
expect 2 . train no-such-file.yaml
expect 2 '-o FILE' baseline "$config"
expect 2 . env describe no-such-task
expect 2 . inspect
nothing_written

# every verb refuses a bad configuration, lists all that is wrong with it, and writes nothing
for verb in train apply 'baseline -o file.yaml' 'config check' 'config show'; do
  # shellcheck disable=SC2086 # two words
  expect 2 'no_such_key' $verb "$config" run.dir=run mbpo.no_such_key=1 mbpo.epoch_length=long \
    sac.batch_size=-1
  says 'epoch_length'
  says 'batch_size'
  nothing_written
done

# a controller needs a baseline; the message says which command makes it
expect 2 'autombpo baseline -o' train "$config" run.dir=run scheduler.baseline=missing.yaml
expect 2 'no baseline baselines/hopper-v4.yaml' train "$source_dir/configs/hopper.yaml" run.dir=run run.max_wall=5
nothing_written

# a number that is no number is told with its option
for option in array nodes workers; do
  for value in 0 -1 2x 1000000; do
    expect 2 "^autombpo launch: --$option is '$value', expected a whole number from 1 to [0-9]+$" launch "--$option=$value" "$config"
  done
done
expect 2 "^autombpo plan: --ranks is 'few', expected a whole number from 1 to [0-9]+$" plan --ranks=few
nothing_written

# right usage; help fits a terminal of 80 columns
expect 0 . version
expect 0 . --help
taken=
verbs=$(sed -n 's/^  \([a-z]\+\) .*/\1/p' out)
for verb in '' $verbs; do
  expect 0 . ${verb:+"$verb"} --help
  ! grep -E '^.{81}' out || fail "autombpo $verb --help is wider than 80 columns"
  said=$(cat out)
  expect 0 . help ${verb:+"$verb"}
  [[ $(cat out) == "$said" ]] || fail "autombpo help $verb is not autombpo $verb --help"
done

# what is no run is wrong usage, for every verb that takes one
mkdir foreign
touch foreign/notes
for verb in $verbs; do
  # its usage, up to the first empty line
  "$program" "$verb" --help | sed '/^$/q' | grep -E '(^|[ |])(RUN|DIR)\b' >usage || continue
  [[ $verb != doctor ]] || continue  # DIR is where runs are to be
  of=()
  [[ $verb != fork ]] || of=(0 --at 1 --all)
  taken="$taken $verb"
  for run in no-such foreign foreign/no-such.h5; do
    expect 2 "$run" "$verb" "$run" "${of[@]}"
  done
  [[ $(ls foreign) == notes ]] || fail "autombpo $verb wrote into a directory that is no run"
done
[[ $taken == ' resume status top inspect audit verify schedule fork play' ]] || fail "tried:$taken"
rm -r foreign usage

expect 0 . env list
expect 0 . config check "$config"
nothing_written
