# shellcheck shell=bash disable=SC2034
# common.sh - sourced by the scripts beside it: places, messages, one lock a task.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${AUTOMBPO_BUILD:-$root/build} # where the program is built
[[ $build == /* ]] || build=$PWD/$build
# The program; scripts that were installed have theirs in bin/, two above share/autombpo.
program=${AUTOMBPO:-$build/autombpo}
[[ -n ${AUTOMBPO-} || -x $program || ! -x $root/../../bin/autombpo ]] || program=$root/../../bin/autombpo
# shellcheck source=mpi_launch/supervise.sh
source "$root/mpi_launch/supervise.sh"

say() { printf '%s: %s\n' "${0##*/}" "$*"; }
fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# help_if_asked ARGUMENT...: what stands at the top of the script, if --help or -h comes first.
help_if_asked() {
  if [[ ${1-} == --help || ${1-} == -h ]]; then
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
  fi
}

# fail_with LOG TEXT: shows the end of LOG.
fail_with() {
  tail -n 40 "$1" >&2
  fail "$2; all of it is in $1"
}

# lock FILE: waits for other runs of the same task; held until this script ends.
lock() {
  local place
  place=$(dirname "$1")
  { mkdir -p "$place" && : >>"$1"; } 2>/dev/null ||
    fail "cannot write into $place, which $(owner_of "$place") owns: take a clone of your own, or" \
      "say where to build (export AUTOMBPO_BUILD=DIRECTORY) and start this in a directory of yours"
  exec 9>>"$1"
  flock -n 9 || {
    say "waiting for another run of this command"
    flock 9
  }
}

# owner_of DIRECTORY: or of the first above it that is there.
owner_of() { stat -c %U "$1" 2>/dev/null || owner_of "$(dirname "$1")"; }

# Debian's, which has Debian's packages, unless another is named
find_python() {
  local python=${PYTHON:-/usr/bin/python3}
  command -v "$python" || echo python3
}

# analysis MODULE ARGUMENT...: becomes a command of the Python package, which need not be installed.
analysis() {
  local python
  python=$(find_python)
  "$python" -c 'import sys; from importlib.util import find_spec as find; sys.exit(not all(map(find, sys.argv[1:])))' \
    numpy h5py matplotlib jinja2 2>/dev/null ||
    fail "$python is no Python 3 with numpy, h5py, matplotlib and jinja2 (of Debian: python3-numpy python3-h5py" \
      "python3-matplotlib python3-jinja2); PYTHON=... names another"
  PYTHONPATH=$root/analysis/src${PYTHONPATH:+:$PYTHONPATH} exec "$python" -m "autombpo_analysis.$1" "${@:2}"
}
