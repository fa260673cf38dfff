#!/usr/bin/env bash
# A worker that is killed (where MPI lets the others live) or frozen is noticed in bounded time; its
# hyper-episode goes on elsewhere from its checkpoint, and the run ends with the same bits.
# usage: lost_rank_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"
pid=
trap 'kill -TERM $pid 2>/dev/null || true; wait || true; rm -rf "$work"' EXIT
export OPENBLAS_NUM_THREADS=1 OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_btl_vader_single_copy_mechanism=none
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

run_undisturbed mbpo.epoch_length=150 run.lost_after=4s

# the process of a rank of the run in $1
process_of() {
  local process
  for process in $(pgrep -P "$pid"); do
    if tr '\0' '\n' <"/proc/$process/environ" | grep -x "OMPI_COMM_WORLD_RANK=$2" >/dev/null; then
      echo "$process"
    fi
  done
}

# disturb NAME SIGNAL MPI_OPTION...: hits rank 2 while it works.
disturb() {
  local name=$1 signal=$2 code=0 begun
  shift 2
  mpirun "$@" -n 4 --oversubscribe --bind-to none "$program" "${arguments[@]}" run.dir="$name" \
    >log 2>&1 &
  pid=$!
  until grep -qs '"event":"begin".*"rank":2' "$name/metrics.jsonl"; do
    kill -0 $pid || fail "$name: ended before rank 2 began"
    sleep 0.05
  done
  begun=$SECONDS
  kill -"$signal" "$(process_of "$name" 2)"
  wait $pid || code=$?
  echo "$name: exit code $code after $((SECONDS - begun)) s"
  ((SECONDS - begun < 400)) || fail "$name: took too long"
  [[ -e $name/COMPLETE ]] || fail "$name: not complete"
  [[ $(checksum "$name") == "$expected" ]] || fail "$name: another checksum"
  grep -q '"event":"lost".*"rank":2' "$name/metrics.jsonl" || fail "$name: no lost event"
  grep -q '"lost":1' "$name/status.json" || fail "$name: status.json does not count the loss"
  grep -q 'rank 2 has been silent' log || fail "$name: no warning"
  return $code
}

disturb killed KILL --enable-recovery --mca btl tcp,self || fail "killed: exit code $?, expected 0"
# mpirun takes a rank that does not end as a failure: what counts is COMPLETE
disturb frozen STOP || true
