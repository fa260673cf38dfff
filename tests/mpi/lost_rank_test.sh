#!/usr/bin/env bash
# A worker that is killed (where MPI lets the others live) or frozen is noticed in bounded time; its
# hyper-episode goes on elsewhere from its checkpoint, and the run ends with the same bits.
# usage: lost_rank_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"
pid=
trap 'kill -TERM $pid 2>/dev/null || true; wait || true; rm -rf "$work"' EXIT
mpi_environment

run_undisturbed mbpo.epoch_length=150 run.lost_after=10s

# disturb NAME SIGNAL MPI_OPTION...: hits a rank while it works.
disturb() {
  local name=$1 signal=$2 code=0 begun=$SECONDS losses rank
  shift 2
  mpi_command 4 none
  hold after-save:1
  "${mpi[@]}" "$@" "$program" "${arguments[@]}" run.dir="$name" \
    >log 2>&1 &
  pid=$!
  await_held $pid
  rank=$(tr '\0' '\n' <"/proc/$held/environ" | sed -nE 's/^(OMPI_COMM_WORLD|PMI)_RANK=//p')
  kill -"$signal" "$held"
  let_go
  wait $pid || code=$?
  echo "$name: exit code $code after $((SECONDS - begun)) s"
  [[ -e $name/COMPLETE ]] || fail "$name: not complete"
  [[ $(checksum "$name") == "$expected" ]] || fail "$name: another checksum"
  grep -q "\"event\":\"lost\".*\"rank\":$rank\b" "$name/metrics.jsonl" || fail "$name: no lost event"
  losses=$(grep -c '"event":"lost"' "$name/metrics.jsonl") # others too, where the machine is slow
  grep -q "\"lost\":$losses\b" "$name/status.json" || fail "$name: status.json counts other losses"
  grep -q "rank $rank has been silent" log || fail "$name: no warning"
  return $code
}

if is_open_mpi; then # others end all ranks with one
  disturb killed KILL --enable-recovery --mca btl tcp,self || fail "killed: exit code $?, expected 0"
fi
# mpirun takes a rank that does not end as a failure: what counts is COMPLETE
disturb frozen STOP || true
