# common.sh - sourced by the scripts beside it: places, one lock a task, how MPI is to behave.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build

say() { printf '%s: %s\n' "${0##*/}" "$*"; }
fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# fail_with LOG TEXT: shows the end of LOG.
fail_with() {
  tail -n 40 "$1" >&2
  fail "$2; all of it is in $1"
}

# lock FILE: waits for other runs of the same task; held until this script ends.
lock() {
  mkdir -p "$(dirname "$1")"
  exec 9>"$1"
  flock -n 9 || {
    say "waiting for another run of this command"
    flock 9
  }
}

# One BLAS thread a rank; a waiting rank gives its core away; shared memory works in containers too,
# which forbid to read another process; Open MPI refuses root unless told.
mpi_environment() {
  export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
  export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_btl_base_warn_component_unused=0
  export OMPI_MCA_btl_vader_single_copy_mechanism=none
  if [[ $(id -u) == 0 ]]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  fi
}
