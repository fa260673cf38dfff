#!/usr/bin/env bash
# The files of a task (its model, what that includes, a plugin) are part of what results depend on: one
# run is made of one task, whenever and by whichever rank it is read.
source "$(dirname "$0")/common.sh"
trap 'kill -9 $pid 2>/dev/null || true; rm -rf "$work"' EXIT
pid=
cp -r "$source_dir/configs/mjcf" model
cp -r model other
sed -i 's/gear="100"/gear="50"/' other/inverted_pendulum.xml
cmp -s {model,other}/inverted_pendulum.xml && fail "the model has no gear of 100"
fixed=(-q "$config" scheduler.kind=fixed scheduler.hyper_episodes=2)

"$program" train "${fixed[@]}" env.assets=model run.dir=run >/dev/null 2>&1
sum=$(checksum run)
# unfinish: the second hyper-episode is missing again
unfinish() { rm -f run/episodes/000001.h5 run/COMPLETE; }

# refused FILE ARGUMENT...: by a name that tells which file it is, and nothing is written
refused() {
  expect 2 "machine: the run began with 'task $1 [0-9a-f]{16}', but this is 'task $1 [0-9a-f]{16}'" "${@:2}"
  [[ ! -e run/episodes/000001.h5 ]] || fail "a run of two tasks"
}
unfinish
refused inverted_pendulum.xml train "${fixed[@]}" env.assets=other run.dir=run
refused inverted_pendulum.xml resume run env.assets=other
refused inverted_pendulum.xml resume run env.assets=other run.allow_mixed_cpu=true run.allow_other_program=true
cp -r model third
echo '<!-- -->' >>third/scene.xml
refused scene.xml resume run env.assets=third
mv model elsewhere
expect 0 . resume run env.assets=elsewhere
[[ $(checksum run) == "$sum" ]] || fail "another place, other results"
mv elsewhere model

# a run of a program that knew no files of the task
sed -i 's/; task .*//' run/machine
unfinish
expect 0 . resume run env.assets=model
rm -r run

# While it runs: the hyper-episode that comes next is refused, and made when the file is back.
cp -r other changing
cp model/*.xml changing
hold after-seal-before-remove:1
"$program" train "${fixed[@]}" env.assets=changing run.dir=run >out 2>&1 &
pid=$!
await_held $pid
cp other/*.xml changing
let_go
code=0
wait $pid || code=$?
[[ $code == 1 ]] || fail "the model changed while it ran: exit code $code"
says 'hyper-episode 1: inverted_pendulum.xml has changed since the start'
cp model/*.xml changing
expect 0 . resume -q run env.assets=changing
rm -r run

# A plugin: its code, and its model.
cp "$(dirname "$program")"/tests/plugin/swing_up.{xml,so} .
plugin=("${fixed[@]}" env.id=plugin:./swing_up.so)
"$program" train "${plugin[@]}" run.dir=run >/dev/null 2>&1
unfinish
echo >>swing_up.so
refused swing_up.so train "${plugin[@]}" run.dir=run
cp "$(dirname "$program")"/tests/plugin/swing_up.so .
sed -i 's/<mujoco/<!-- --><mujoco/' swing_up.xml
refused swing_up.xml resume run "env.id=plugin:./swing_up.so"
rm -r run

if command -v mpirun >/dev/null; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  rank=(-n 1 "$program" train "${fixed[@]}" run.dir=run)
  code=0
  mpirun --oversubscribe "${rank[@]}" env.assets=model : "${rank[@]}" env.assets=other : \
    "${rank[@]}" env.assets=model : "${rank[@]}" env.assets=other >out 2>&1 || code=$?
  [[ $code == 2 ]] || fail "two models ran as one: exit code $code"
  says "ranks 1 and 3 have 'task inverted_pendulum.xml [0-9a-f]{16}', but this is 'task inverted"
  [[ ! -e run ]] || fail "two models made a run directory"
fi
echo "one run, one task"
