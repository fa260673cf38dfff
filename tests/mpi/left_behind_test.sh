#!/usr/bin/env bash
# mpi_launch/local without --restart: an mpirun that stays behind when its ranks are gone is killed, with
# all below it; signals and the exit code are mpirun's own; and nothing outlives it.
# usage: left_behind_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"
trap 'left all | xargs -r kill -KILL 2>/dev/null || true; rm -rf "$work"' EXIT

# Stands for mpirun: what $MPIRUN says.
mkdir bin
cat >bin/mpirun <<'END'
#!/usr/bin/env bash
[[ $1 != --version ]] || exit 0
rank() { OMPI_COMM_WORLD_RANK=$1 sleep "$2" & }
eval "$MPIRUN"
END
chmod +x bin/mpirun
export PATH=$work/bin:$PATH

# begin NAME COMMANDS: starts it in the background; its process is $pid, which is mpirun's.
begin() {
  MPIRUN=$2 MARK=$work/$1 "$source_dir/mpi_launch/local" -n 1 train "$config" >"$1.log" 2>&1 &
  pid=$!
}

# left NAME|all: the processes that this start has left.
left() {
  local mark=$work/${1#all}
  grep -lszE "^MARK=$mark" /proc/[0-9]*/environ | tr -dc '0-9\n'
}

# ends NAME CODE [TEXT]: it ends with the code; whoever watches over it kills it with this text, or does
# not; and in the end nothing is left, as long as that takes.
ends() {
  local code=0 begun=$SECONDS
  wait "$pid" || code=$?
  [[ $code == "$2" ]] || fail "$1: exit code $code, expected $2"
  [[ $(sed -n 's/.*: \(.*\): killed$/\1/p' "$1.log") == "${3-}" ]] || fail "$1: it is not said why"
  until [[ -z $(left "$1") ]]; do
    ((SECONDS - begun < 900)) || fail "$1: left behind: $(ps -o pid,args -p "$(left "$1" | paste -sd,)")"
    sleep 0.1
  done
  echo "$1: exit code $code after $((SECONDS - begun)) s, nothing is left"
}

begin unborn 'sleep 1000' # goes on behind the others
unborn=$pid
begin died 'rank 0 30; rank 1 1000; wait'
ends died 137 'rank 0 is gone, but mpirun is not'

begin code 'rank 0 1; exit 7'
wait "$pid" || [[ $? == 7 ]] || fail "not mpirun's exit code"
for signal in USR1 USR2 TERM; do
  begin $signal "trap 'exit 9' $signal; touch ready-$signal; while :; do sleep 0.1; done"
  until [[ -e ready-$signal ]]; do sleep 0.02; done
  kill -$signal "$pid"
  ends $signal 9
done
begin killed 'touch ready; exec sleep 1000'
until [[ -e ready ]]; do sleep 0.02; done
kill -KILL "$pid"
ends killed 137

pid=$unborn
ends unborn 137 'mpirun has no rank 0'
