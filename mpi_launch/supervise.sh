# shellcheck shell=bash
# supervise.sh - runs autombpo until its run is complete; sourced by `local` and the Slurm scripts,
# and part of what `autombpo launch` prints.
#
# What counts is in the run directory: COMPLETE and status.json. The exit code of mpirun does not
# say whether a run is complete (Open MPI returns 0 after a lost node, and 1 after SIGTERM).

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

# mpi_command RANKS BINDING: sets $mpi to the start of a command on so many ranks, each bound to a core
# or to none. Open MPI must be told that there may be more ranks than cores; Hydra (MPICH, Intel MPI)
# takes no such option.
mpi_command() {
  mpi=(mpirun -n "$1")
  case $(mpirun --version 2>/dev/null) in
  *HYDRA* | *Hydra* | *Intel*) mpi+=(-bind-to "$2") ;;
  *) mpi+=(--oversubscribe --bind-to "${2/core/core:overload-allowed}") ;;
  esac
}

note() { printf '%s %s: %s\n' "$(date -u +%FT%TZ)" "${0##*/}" "$*" >&2; }

# run_directory PROGRAM VERB ARGUMENT...: prints where this command keeps its run.
run_directory() {
  local program=$1 verb=$2 plan directory
  shift 2
  case $verb in
  resume)
    printf '%s\n' "$1"
    return
    ;;
  train | apply | baseline) ;;
  *)
    note "'$verb' has no run directory; train, apply, baseline or resume has"
    return 2
    ;;
  esac
  plan=$("$program" "$verb" --dry-run "$@") || return 2
  directory=$(sed -n 's/^# .* into \(.*\); nothing was written$/\1/p' <<<"$plan")
  [[ -n $directory ]] || return 2
  if [[ $directory == *$'\n'* ]]; then
    note "seeds= are several runs, and one is watched over at a time: give run.seed, or use" \
      "\`autombpo launch ... seeds=A..B\`, which makes a job of each"
    return 2
  fi
  printf '%s\n' "$directory"
}

# progress_of DIRECTORY: a number that changes when a file is sealed or a checkpoint is written.
progress_of() {
  { find "$1" -name '*.h5' -printf '%P %s %T@\n' 2>/dev/null || true; } | sort | cksum
}

# status_of DIRECTORY: prints status.json with the time of its last change.
status_of() {
  stat -c %y "$1/status.json" 2>/dev/null && cat "$1/status.json"
}

# was_checkpointed DIRECTORY BEFORE CODE: did the start that found status BEFORE and returned CODE
# stop early by itself (run.max_wall, the end that Slurm announced)?
was_checkpointed() {
  local now
  now=$(status_of "$1") || true
  [[ $3 == 75 || ($now != "$2" && $now == *'"state":"checkpointed"'*) ]]
}

# starts_of DIRECTORY: how many starts it has recorded.
starts_of() { wc -l 2>/dev/null <"$1/starts.jsonl" || echo 0; }

# What signals ask for: "", USR1 or TERM; the process that they go to; and who watches over it.
supervise_stop=
supervise_pid=
supervise_watch=
# Is rank 0 a process of this machine, for sure?
supervise_here=

# The first TERM, INT or HUP asks for a checkpoint as USR1 does, because mpirun gives its ranks only
# a second after TERM; the next one ends mpirun.
# shellcheck disable=SC2317 # called by traps
on_signal() {
  local signal=$1
  case $signal in
  USR2) ;;
  USR1) supervise_stop=${supervise_stop:-USR1} ;;
  *)
    if [[ $supervise_stop == TERM ]]; then
      signal=TERM
    else
      supervise_stop=TERM
      signal=USR1
    fi
    ;;
  esac
  if [[ -n $supervise_pid ]]; then
    kill "-$signal" "$supervise_pid" 2>/dev/null || true
    [[ $signal != USR1 || -z $supervise_watch ]] || kill -USR1 "$supervise_watch" 2>/dev/null || true
  fi
}

# Signals count from here on.
catch_signals() {
  local signal
  for signal in USR1 USR2 TERM INT HUP; do
    # shellcheck disable=SC2064 # $signal of now
    trap "on_signal $signal" $signal
  done
}

# family_of PROCESS: prints it and all below it.
family_of() {
  local child
  printf '%s\n' "$1"
  for child in $(pgrep -P "$1"); do
    family_of "$child"
  done
}

# rank_0_of PROCESS: prints the one below it that mpirun has started as rank 0, if there is one; Open MPI
# and Hydra name ranks differently.
rank_0_of() {
  family_of "$1" | sed 's|.*|/proc/&/environ|' |
    xargs grep -lzxE '(OMPI_COMM_WORLD|PMI)_RANK=0' 2>/dev/null | tr -dc '0-9\n' | head -n 1
}

# lives PROCESS: and is not only left to be collected.
lives() { [[ $(ps -o stat= -p "$1") == [^Z]* ]]; }

# has_ended PROCESS: waits two seconds for that.
has_ended() { timeout 2 tail -f -s 0.1 --pid "$1" /dev/null >/dev/null 2>&1; }

# is_silent DIRECTORY SINCE: whether nothing was written for AUTOMBPO_SILENCE seconds (default half
# an hour, 0 = for ever). Rank 0 writes status.json every 10 seconds, a process that is alone does so
# between two steps of its work.
is_silent() {
  local limit=${AUTOMBPO_SILENCE:-1800}
  ((limit > 0 && SECONDS - $2 > limit)) &&
    [[ -z $(find "$1" -maxdepth 1 -newermt "$limit seconds ago" 2>/dev/null) ]]
}

# watch_over PROCESS [DIRECTORY]: kills a start that hangs, until it ends. That is seen when it writes
# nothing, and when rank 0 is gone but mpirun is not, as happens with --enable-recovery and when a rank
# dies while MPI starts. Once it gets USR1, it repeats that to the start every ten seconds: mpirun loses
# a signal that comes before its ranks are there.
watch_over() {
  local process=$1 directory=${2-} since=$SECONDS leader='' gone='' why='' turns=0
  local stop=$supervise_stop
  trap 'stop=yes' USR1
  while [[ -z $why ]] && ! has_ended "$process"; do
    leader=${leader:-$(rank_0_of "$process" || true)}
    if [[ $stop ]] && ((++turns % 5 == 0)); then
      kill -USR1 "$process" 2>/dev/null || true
    fi
    if [[ $leader ]] && ! lives "$leader"; then
      gone=${gone:-$SECONDS}
    fi
    if [[ $gone ]] && ((SECONDS - gone >= 10)); then
      why="rank 0 is gone, but mpirun is not"
    elif [[ -z $leader && $supervise_here ]] && ((SECONDS - since > 60)); then
      why="mpirun has no rank 0"
    elif [[ $directory ]] && is_silent "$directory" "$since"; then
      why="nothing was written to $directory for ${AUTOMBPO_SILENCE:-1800} s"
    fi
  done
  if [[ $why ]]; then
    note "$why: killed"
    # shellcheck disable=SC2046 # a list
    kill -KILL $(family_of "$process") 2>/dev/null || true
  fi
}

# supervise_once DIRECTORY COMMAND...: runs COMMAND in a session of its own, so that Ctrl-C reaches
# it only through us. Returns its code.
supervise_once() {
  local directory=$1 code=0
  shift
  setsid "$@" </dev/null &
  supervise_pid=$!
  watch_over "$supervise_pid" "$directory" &
  supervise_watch=$!
  # a signal that came before there was a process; the watch knows of it
  [[ -z $supervise_stop ]] || kill -USR1 "$supervise_pid" 2>/dev/null || true
  while :; do
    code=0
    wait "$supervise_pid" || code=$?
    # a signal ends the wait early
    kill -0 "$supervise_pid" 2>/dev/null || break
  done
  supervise_pid=
  kill "$supervise_watch" 2>/dev/null || true
  supervise_watch=
  return "$code"
}

# nap SECONDS: ended early by a signal.
nap() {
  sleep "$1" &
  wait $! || true
}

# supervise DIRECTORY RESTARTS COMMAND...: after catch_signals, runs COMMAND again and again until
# DIRECTORY/COMPLETE, at least once. Restarts wait 1, 2, 4 ... 60 seconds, 1 again after progress.
# Returns 0 when complete, 75 when stopped with what was saved ($supervise_stop: USR1, TERM, or
# empty if the run stopped by itself), 1 after RESTARTS restarts in a row that sealed and saved nothing, 2
# if COMMAND was refused.
supervise() {
  local directory=$1 restarts=$2 failures=0 code before status starts
  shift 2
  while [[ -z $supervise_stop ]]; do
    before=$(progress_of "$directory")
    status=$(status_of "$directory") || true
    starts=$(starts_of "$directory")
    code=0
    supervise_once "$directory" "$@" || code=$?
    if [[ $code == 2 && $(starts_of "$directory") == "$starts" ]]; then
      return 2
    fi
    if [[ -e $directory/COMPLETE ]]; then
      note "$directory is complete"
      return 0
    fi
    if [[ -n $supervise_stop ]] || was_checkpointed "$directory" "$status" $code; then
      return 75
    fi
    failures=$((failures + 1))
    if [[ $(progress_of "$directory") != "$before" ]]; then
      failures=1
    fi
    if ((failures > restarts)); then
      note "ended with code $code; $restarts restarts sealed and saved nothing: the error is above"
      return 1
    fi
    note "ended with code $code before $directory is complete; restart $failures of $restarts"
    nap $((failures < 7 ? 1 << (failures - 1) : 60))
  done
  return 75
}
