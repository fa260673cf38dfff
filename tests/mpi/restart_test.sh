#!/usr/bin/env bash
# mpi_launch/local --restart: a run whose ranks or mpirun are killed is restarted until it is
# complete, with the bits of the undisturbed run; a signal stops it; a crash that repeats itself
# ends it.
# usage: restart_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"
export PROGRAM=$program
children=()
# ends what is left of our own supervisors, which end their own mpirun
trap 'kill -TERM "${children[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT

config=$source_dir/tests/slurm/steady.yaml
"$program" baseline -q -o baseline.yaml "$config" scheduler.hyper_episodes=1 run.dir=base \
  >/dev/null
arguments=(train -q "$config" scheduler.baseline="$work/baseline.yaml" 'ppo.stages=[1]')
local=("$source_dir/mpi_launch/local" -n 2 --restart=2)
"$program" "${arguments[@]}" run.dir=undisturbed >/dev/null
expected=$(checksum undisturbed)
echo "undisturbed: $expected"

# start NAME: a supervised run into directory NAME; its process id is in $supervisor.
start() {
  "${local[@]}" "${arguments[@]}" run.dir="$work/$1" >>"$1.log" 2>&1 &
  supervisor=$!
  children+=("$supervisor")
}

# finish CODE: waits for the supervisor and compares its exit code.
finish() {
  local code=0
  wait $supervisor || code=$?
  [[ $code == "$1" ]] || fail "exit code $code, expected $1"
}

compare() {
  local found
  found=$(checksum "$1")
  echo "$1: $found"
  [[ $found == "$expected" ]] || fail "$1: another checksum"
}

mpirun_of() { pgrep -P "$1" -x mpirun; }

# a worker and then mpirun die
hold after-save:1
start killed
await_held $supervisor
pid=$(mpirun_of $supervisor)
kill -KILL "$held"
while [[ $(mpirun_of $supervisor) == "$pid" ]]; do
  sleep 0.05
done
await_held $supervisor
until pid=$(mpirun_of $supervisor); do sleep 0.05; done
kill -KILL "$pid"
let_go
finish 0
grep -q 'restart 1 of 2' killed.log || fail "no restart was reported"
[[ $(wc -l <killed/starts.jsonl) -ge 2 ]] || fail "there was no restart"
compare killed

# where MPI lets the others outlive rank 0, they leave, and a mpirun that waits for ever is killed
if is_open_mpi; then
  export OMPI_MCA_orte_enable_recovery=1 OMPI_MCA_btl=tcp,self
  hold after-save:1
  start headless
  await_held $supervisor
  pid=$(mpirun_of $supervisor) || fail "no mpirun"
  kill -KILL "$(rank_of "$pid" 0)"
  let_go
  begun=$SECONDS
  while [[ $(mpirun_of $supervisor) == "$pid" ]]; do
    sleep 0.1
  done
  echo "headless: mpirun was gone $((SECONDS - begun)) s after rank 0"
  finish 0
  compare headless
  unset OMPI_MCA_orte_enable_recovery OMPI_MCA_btl
fi

# signals stop it with a checkpoint, and it goes on when repeated
for signal in USR1 TERM; do
  hold after-save:1
  start stopped
  await_held $supervisor
  kill -$signal $supervisor
  finish 75
  let_go
  [[ ! -e stopped/COMPLETE ]] || fail "SIG$signal came too late"
done
start stopped
finish 0
compare stopped

# a crash that repeats itself ends it after the restarts that are allowed
cat >crash <<'END'
#!/bin/sh
case "$*" in *--dry-run*) exec "$PROGRAM" "$@" ;; esac
echo start >>crashes.txt
exit 1
END
chmod +x crash
AUTOMBPO=$work/crash "${local[@]}" "${arguments[@]}" run.dir="$work/crashed" \
  >crashed.log 2>&1 && fail "a run that crashes always ended well"
starts=$(wc -l <crashes.txt)
# three ranks each; mpirun may end a rank before it has written its line
[[ $starts -ge 3 && $starts -le 9 ]] || fail "$starts ranks started, expected 3 starts of at most 3"
grep -q 'sealed and saved nothing' crashed.log || fail "it is not said why it ended"

# a start that hangs is killed, and the next one goes on
cat >hang <<'END'
#!/bin/sh
case "$*" in *--dry-run*) exec "$PROGRAM" "$@" ;; esac
rank=${OMPI_COMM_WORLD_RANK-$PMI_RANK}
if [ -e "hung-$rank" ]; then exec "$PROGRAM" "$@"; fi
touch "hung-$rank"
exec sleep 1000
END
chmod +x hang
# a good start may be silent for as long where nothing gets on: it is repeated
AUTOMBPO=$work/hang AUTOMBPO_SILENCE=15 "$source_dir/mpi_launch/local" -n 2 --restart=20 "${arguments[@]}" \
  run.dir="$work/hung" >hung.log 2>&1 || fail "hung: exit code $?"
grep -q 'nothing was written to .*/hung for 15 s: killed' hung.log || fail "no hang was noticed"
compare hung

# a run of another configuration is refused at once
code=0
"${local[@]}" "${arguments[@]}" run.dir="$work/killed" mbpo.policy_updates=21 \
  >refused.log 2>&1 || code=$?
[[ $code == 2 ]] || fail "exit code $code for a directory of another run"
