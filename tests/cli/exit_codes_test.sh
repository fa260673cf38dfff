#!/usr/bin/env bash
# Exit codes: 0 done, 1 failed, 2 usage or configuration, with nothing written.
# usage: exit_codes_test.sh PROGRAM SOURCE_DIR
set -euo pipefail
program=$1
config=$2/tests/mpi/tiny.yaml
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cd "$work"

# expect CODE ARGUMENT...: output goes to "$work/out".
expect() {
  local expected=$1 code=0
  shift
  "$program" "$@" >out 2>&1 || code=$?
  if [[ $code != "$expected" ]]; then
    cat out >&2
    echo "FAILED: autombpo $*: exit code $code, expected $expected" >&2
    exit 1
  fi
}

# says PATTERN: the output of the last command has it.
says() {
  grep -Eq -- "$1" out || {
    cat out >&2
    echo "FAILED: expected the text '$1'" >&2
    exit 1
  }
}

nothing_written() {
  [[ $(ls) == out ]] || {
    echo "FAILED: written in spite of an error: $(ls)" >&2
    exit 1
  }
}

# wrong usage
expect 2
expect 2 no-such-verb
says "unknown verb 'no-such-verb'"
expect 2 train --no-such-option
expect 2 train no-such-file.yaml
expect 2 baseline "$config"
says '-o FILE'
expect 2 env describe no-such-task
expect 2 inspect
expect 1 inspect no-such-directory
nothing_written

# every verb refuses a bad configuration, lists all that is wrong with it, and writes nothing
for verb in train apply 'baseline -o file.yaml' 'config check' 'config show'; do
  # shellcheck disable=SC2086 # two words
  expect 2 $verb "$config" run.dir=run mbpo.no_such_key=1 mbpo.epoch_length=long sac.batch_size=-1
  says 'no_such_key'
  says 'epoch_length'
  says 'batch_size'
  nothing_written
done

# a controller needs a baseline; the message says which command makes it
expect 2 train "$config" run.dir=run scheduler.baseline=missing.yaml
says 'autombpo baseline -o'
nothing_written

# right usage
expect 0 --help
expect 0 version
for verb in train apply baseline inspect config env; do
  expect 0 "$verb" --help
done
expect 0 env list
expect 0 config check "$config"
nothing_written
