# shellcheck shell=bash disable=SC2034
# common.sh - sourced by the scripts beside it, called with PROGRAM SOURCE_DIR: they run in a
# directory of their own, which is removed in the end.
set -euo pipefail
program=$1
source_dir=$2
# shellcheck source=tests/cli/hold.sh
source "$source_dir/tests/cli/hold.sh"
config=$source_dir/tests/mpi/tiny.yaml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# fail TEXT: shows what programs have printed into out, log* and *.log.
fail() {
  echo "FAILED: $*" >&2
  cat "$work"/out "$work"/log* "$work"/*.log >&2 2>/dev/null || true
  exit 1
}

# says PATTERN: the output of the last `expect` has it.
says() { grep -Eq -- "$1" out || fail "expected the text '$1'"; }

# expect CODE PATTERN ARGUMENT...: exit code, and a text of the output.
expect() {
  local expected=$1 pattern=$2 code=0
  shift 2
  "$program" "$@" >out 2>&1 || code=$?
  [[ $code == "$expected" ]] || fail "autombpo $*: exit code $code, expected $expected"
  says "$pattern"
}

# await_held PROCESS: until one is held, while the process that started it lives; it is $held.
await_held() {
  until is_held; do
    kill -0 "$1" 2>/dev/null || fail "it ended before $AUTOMBPO_FAULT"
    sleep 0.02
  done
}

checksum() { "$program" inspect --checksum "$1"; }
