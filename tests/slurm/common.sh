# shellcheck shell=bash disable=SC2034
# common.sh - sourced by the scripts beside it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# Ends the script as skipped where Slurm cannot be started. As root it can be, so it must be there.
need_slurm() {
  if [[ $(id -u) != 0 ]]; then
    echo "skipped: a private Slurm needs root"
    exit 77
  fi
  local program
  for program in munged slurmctld slurmd sbatch scontrol mpirun; do
    command -v $program >/dev/null || fail "no $program: mpi_launch/setup --tests installs it"
  done
}

# May we make namespaces of our own? Containers often forbid it.
has_namespaces() {
  unshare --uts --pid --fork --mount --mount-proc --kill-child \
    sh -c 'hostname probe && mount -t tmpfs tmpfs /dev/shm' 2>/dev/null
}

# is_ours DIRECTORY PID: a living process whose command line names DIRECTORY.
is_ours() {
  [[ -r /proc/$2/cmdline ]] && tr '\0' ' ' <"/proc/$2/cmdline" | grep -F "$1/" >/dev/null
}

# end_recorded DIRECTORY FILE SIGNAL: ends the process whose id is in FILE, if it is ours; SIGKILL
# after five seconds. Removes FILE.
end_recorded() {
  local pid try
  [[ -e $2 ]] || return 0
  pid=$(<"$2")
  rm -f "$2"
  is_ours "$1" "$pid" || return 0
  kill "-$3" "$pid"
  for ((try = 0; try < 50; try++)); do
    is_ours "$1" "$pid" || return 0
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
}
