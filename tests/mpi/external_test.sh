#!/usr/bin/env bash
# A controller of one's own: the same bits at any number of ranks and after kills, nothing is asked
# twice; one that sleeps, dies, lies or floods stops the run with checkpoints, and it goes on.
# usage: external_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"
pids=()
trap 'kill -KILL "${pids[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT

export CONTROLLED_BY=$work
python=${PYTHON:-python3}
controller="$python '$source_dir/tests/cli/controller.py'"
arguments=(train -q "$config" methods/external.yaml scheduler.hyper_episodes=2
  checkpoint.every=0.1s mbpo.policy_updates=4 sac.batch_size=64)
train() { # RANKS COMMAND OPTION...
  starting "$@"
  "${start[@]}"
}
starting() {
  start=("$program")
  (($1 == 1)) || start=("$source_dir/mpi_launch/local" -n $(($1 - 1)))
  start+=("${arguments[@]}" external.command="$2" "${@:3}")
}
# stopped CODE PATTERN: how the last run ended, which is in $code and out.
stopped() {
  [[ $code == "$1" ]] || fail "exit code $code, expected $1"
  says "$2"
  ! grep -q 'CHECK\|Traceback' out || fail "a crash"
}
same() { # RUN
  [[ $(checksum "$1") == "$expected" ]] || fail "$1: another checksum"
}

train 1 "$controller asked-1" run.dir=ranks-1 >log 2>&1 || fail "1 rank"
expected=$(checksum ranks-1)
questions=$(sort -u asked-1 | wc -l)
[[ $(wc -l <asked-1) == "$questions" && $questions == $(cat ranks-1/answers/*.jsonl | wc -l) ]] ||
  fail "questions and answers"
expect 0 'the same bits$' audit ranks-1
for ranks in 2 3; do
  train $ranks "$controller asked-$ranks" run.dir=ranks-$ranks >log 2>&1 || fail "$ranks ranks"
  same ranks-$ranks
  cmp <(sort asked-1) <(sort asked-$ranks)
done

# killed after some questions, on one rank and on two
kills=0
count() { if [[ -e $1 ]]; then wc -l <"$1"; else echo 0; fi; }
while [[ ! -e killed/COMPLETE ]]; do
  starting $((kills % 2 + 1)) "$controller asked-killed" run.dir=killed
  setsid "${start[@]}" >log 2>&1 &
  pids=($!)
  until=$(($(count asked-killed) + 1 + RANDOM % 6))
  while (($(count asked-killed) < until)) && kill -0 "${pids[0]}" 2>/dev/null; do
    sleep 0.01
  done
  kill -KILL -- "-${pids[0]}" 2>/dev/null || true
  wait "${pids[0]}" 2>/dev/null || true
  kills=$((kills + 1))
  ((kills < 60)) || fail "a run that is killed all the time never ends"
done
same killed
# what was asked when it was killed has no answer: the last question of each start, a rank each
twice=$(($(wc -l <asked-killed) - $(sort -u asked-killed | wc -l)))
((twice <= kills)) || fail "$twice questions asked again after $kills kills"
echo "killed $kills times: the same bits, $twice open questions asked again"

# killed where an answer is half written, and on disk; the line that is cut off is dropped
for point in mid-write:5 mid-write:20; do
  code=0
  AUTOMBPO_FAULT=$point train 1 "$controller" run.dir="at-$point" checkpoint.every=1h >out 2>&1 || code=$?
  [[ $code == 137 ]] || fail "no kill at $point"
  train 1 "$controller asked-again" run.dir="at-$point" >log 2>&1 || fail "after $point"
  same "at-$point"
done
rm ranks-1/COMPLETE ranks-1/episodes/000001.h5
printf '{"hyper_episode":1,"dec' >>ranks-1/answers/000001.jsonl
expect 0 finished resume ranks-1 external.command="$controller asked-nothing"
same ranks-1
[[ ! -s asked-nothing ]] || fail "asked though all answers are there"
expect 2 'is another program; say that it may be asked: external.command=' resume ranks-1

# who listens at a socket is a controller as well
cat >listen.py <<'P'
import os, socket, subprocess, sys
with socket.socket(socket.AF_UNIX) as listener:
    listener.bind("made")
    listener.listen()
    os.rename("made", "control")  # where it is found, it listens
    connection, _ = listener.accept()
subprocess.run(sys.argv[1:], stdin=connection, stdout=connection)
P
"$python" listen.py "$python" "$source_dir/tests/cli/controller.py" asked-socket 2>log &
pids=($!)
until [[ -S control ]]; do sleep 0.01; done
train 1 '' external.socket=control run.dir=socket >log 2>&1 || fail "by a socket"
same socket
[[ $(wc -l <asked-socket) == "$questions" ]] || fail "questions over a socket"
wait "${pids[0]}" || fail "the controller at a socket"
code=0
train 1 '' external.socket=control run.dir=socket-2 >out 2>&1 || code=$?
stopped 1 'the controller cannot be reached: control: Connection refused'

# two starts share a directory, each with a controller of its own
for i in 1 2; do
  starting 1 "$controller asked-together" run.dir=together
  "${start[@]}" >log-$i 2>&1 &
  pids[i]=$!
done
wait "${pids[1]}" "${pids[2]}" || fail "one of two starts failed"
same together
[[ $(wc -l <asked-together) == "$questions" ]] || fail "two starts asked $(wc -l <asked-together) times"

# what is wrong is named to both sides; the answers up to then count
ranks=1
wrong() { # FAULT PATTERN [OPTION...]
  local name=${1//[^a-z]/_}
  code=0
  train $ranks "$controller asked-$name '$1' 1" run.dir="$name" "${@:3}" >out 2>&1 || code=$?
  stopped 1 "$2"
  grep -q '"state":"failed"' "$name/status.json" || fail "$1: status.json"
  ls "$name"/checkpoint/episode-000000/gen-*.h5 >/dev/null || fail "$1: no checkpoint"
}
lies() {
  wrong "$1" "^autombpo: rank 0: the controller .*$2"
  says "^told: .*$2"
  rm -r "${1//[^a-z]/_}"
}
lies 'set:decision=4' 'decision is 4, expected 1'
lies 'set:value.real_ratio=1.5' 'value: real_ratio is 1.5, expected a number from 0 to 1'
ranks=3 lies 'drop:train_model' 'train_model is missing'
lies 'chatter' 'hyper_episode is 1000, about which nothing was asked'
wrong flood 'it has sent 65536 bytes without a newline'
wrong die 'the controller .* it has ended with exit code 3'
wrong sleep 'no answer to decision 1 of hyper-episode 0 for .* external.timeout=15 s' external.timeout=15s
for name in die sleep; do
  train 2 "$controller asked-$name" run.dir=$name >out 2>&1 || fail "$name: going on"
  same $name
  ((12 * 2 + 1 == $(wc -l <asked-$name))) || fail "$name: $(wc -l <asked-$name) questions"
done
expect 2 "'external.command=\"\"': must be given, or else external.socket" "${arguments[@]}" run.dir=none
code=0
train 1 no-such-program run.dir=none >out 2>&1 || code=$?
stopped 1 'has ended with exit code 127'

# who waits delays nobody: hyper-episode 0 is answered when the other one is sealed
train 3 "$controller asked-hold hold 3" run.dir=hold external.timeout=1h >out 2>&1 || fail "hold"
same hold
[[ $(grep '"event":"sealed"' hold/metrics.jsonl | head -1) == *'"hyper_episode":1,'* ]] ||
  fail "the one that was kept waiting came first"

# a stop is heard while one waits, by rank 0 and by who waits; it is saved where it waits
for ranks in 1 3; do
  starting $ranks "$controller asked-waits-$ranks sleep 5" run.dir=waits-$ranks checkpoint.every=1h
  "${start[@]}" >out 2>&1 &
  pids=($!)
  until [[ -s asked-waits-$ranks && $(wc -l <asked-waits-$ranks) -ge 6 ]]; do sleep 0.05; done
  kill -USR1 "${pids[0]}" # mpirun passes it on
  code=0
  wait "${pids[0]}" || code=$?
  stopped 75 'stopped with a checkpoint'
  "$program" resume -q waits-$ranks external.command="$controller" >log 2>&1 ||
    fail "going on after waiting"
  read -r episode decision < <(tail -1 asked-waits-$ranks)
  step=$(h5dump -d /decisions/env_step -y -w 0 "ranks-1/episodes/00000$episode.h5" |
    grep '^ *[0-9]' | tr -d ' \n' | cut -d, -f$((decision + 1)))
  grep -q "^hyper-episode $episode: restored at $step real" log ||
    fail "hyper-episode $episode was not saved where it waits, at decision $decision"
  same waits-$ranks
done

# no controller lives on: of those that sleep for ever, CTest would end this
while grep -lszxE "CONTROLLED_BY=$work" /proc/[0-9]*/environ | tr -dc '0-9\n' | xargs -r ps -o args= -p |
  grep "tests/cli/[c]ontroller.py" >left; do
  sleep 0.1
done
