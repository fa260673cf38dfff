#!/usr/bin/env bash
# status and top tell from files alone whether a run lives, since when not, and how to go on, on 80x24;
# and whatever the files say, no control character reaches the terminal.
source "$(dirname "$0")/common.sh"
export LC_ALL=C.UTF-8
trap 'kill -9 $pid 2>/dev/null || true; rm -rf "$work"' EXIT
pid=
"$program" baseline -q -o baseline.yaml "$config" scheduler.hyper_episodes=1 run.dir=base >out 2>&1
long=(-q "$config" scheduler.baseline=baseline.yaml run.dir=run ppo.stages='[12]' log.transitions=false)

# begin COUNT: until it has sealed so many hyper-episodes; there it stays
begin() {
  hold "after-seal-before-remove:$1"
  "$program" train "${long[@]}" >out 2>&1 &
  pid=$!
  await_held $pid
}

# says_of STATE: status --json has it, and as the only line
says_of() {
  "$program" status --json run >json || [[ $? == 75 ]] || fail "status --json"
  python3 -c 'import json, sys; s = json.load(open("json")); sys.exit(s["state"] != sys.argv[1])' "$1" ||
    fail "expected state $1: $(cat json)"
}

expect 2 "no-such: No such file or directory" status no-such
expect 2 "base/episodes: is no run directory" status base/episodes
expect 2 "usage" status
expect 2 "usage" top
expect 2 "expected a number of seconds" top -d often run

begin 4
expect 0 "^state +running for .* here, process $pid, 1 rank; wrote" status run
says "^progress +\[[#.]{20}\]"
! grep "go on" out || fail "a running run is not to be gone on with"
says_of running
kill -9 $pid
wait $pid || true
let_go
expect 75 "^state +dead since 20.*Z" status run
says "^go on +autombpo resume run$"
says_of dead

# Its process on another machine: only the age of the status tells.
sed -i 's/^[^ ]*/another-boot/; s/[^ ]*$/n01/' run/lease/status
sed -i 's/"host":"[^"]*"/"host":"n01"/; s/"scheduler_ids":{}/"scheduler_ids":{"SLURM_JOB_ID":"4711"}/' run/starts.jsonl
sed -i "s/\"updated\":\"[^\"]*\"/\"updated\":\"$(date -u +%FT%TZ)\"/" run/status.json
expect 0 "^state +running for .* on n01, job 4711" status run
sed -i 's/"updated":"[^"]*"/"updated":"2020-01-31T12:00:00Z"/' run/status.json
sed -i "s/\"time\":\"[^\"]*\"/\"time\":\"$(date -u +%FT%TZ)\"/" run/metrics.jsonl
expect 0 "^state +running for .* on n01" status run # metrics.jsonl is new
sed -i 's/"time":"[^"]*"/"time":"2020-01-31T12:00:00Z"/' run/metrics.jsonl
expect 75 "^state +silent since 2020-01-31T12:00:00Z" status run
says "squeue -j 4711"
says "^go on +if it is gone: autombpo resume run$"
says_of silent

# Many ranks, hostile texts: 24 lines of 80 characters, and nothing that a terminal obeys.
cp -r run wild
python3 - <<'END'
import json
path = "wild/status.json"
status = json.load(open(path))
status["ranks"] = [{"rank": r, "episode": r, "env_step": 10**7, "return": -1e300, "rss_mb": 99999}
                   for r in range(200)]
open(path, "w").write(json.dumps(status) + "\n")
starts = open("wild/starts.jsonl").read().replace('"n01"', '"n01\\u001b[2J\\u0007"')
open("wild/starts.jsonl", "w").write(starts)
event = {"event": "health", "hyper_episode": 3, "epoch": 1, "warnings": ["bad \x1b]0;x\x07 é" * 20]}
open("wild/metrics.jsonl", "a").write(json.dumps(event, ensure_ascii=False) + '\n{"event": "epo')
END
expect 75 "and 1[0-9][0-9] more" status wild
says "^ *2 +2 +2 +10000000 +-1e\+300 +0\.[0-9]+ +[0-9.]+ +[0-9]+ +99999M  (▁|▂|▃|▄|▅|▆|▇|█){3}"
says "^warning +#3, epoch 1: bad"
says "^go on +if it is gone"
python3 - <<'END' || fail "more than 80x24, or a control character"
text = open("out", encoding="utf-8").read()
lines = text.splitlines()
assert len(lines) <= 24 and max(map(len, lines)) <= 80, (len(lines), max(map(len, lines)))
assert not any(ord(c) < 32 and c != "\n" or ord(c) == 127 for c in text)
END
expect 0 "^scores" top run

# What is wrong and how to go on is whole on a narrow screen too, and the command can be copied.
name='a directory whose name is longer than a line'
cp -r run "$name"
event='{"event": "health", "hyper_episode": 3, "epoch": 1, "warnings": ["alpha exceeds all reward that can be earned"]}'
echo "$event" >>"$name/metrics.jsonl"
COLUMNS=40 LANG=C.utf-8 LC_ALL= expect 75 "^go on +if it is gone: autombpo resume '$name'$" status "$name"
says "^scores +(▁|▂|▃|▄|▅|▆|▇|█)"
tr -s '\n ' ' ' <out | grep "silent since .* on n01, job 4711 whether .* squeue -j 4711 " >/dev/null || fail "the state is cut off"
tr -s '\n ' ' ' <out | grep "alpha exceeds all reward that can be earned go on" >/dev/null ||
  fail "the warning is cut off"

# On a terminal it draws until q, and leaves the terminal as it was. What is typed before it draws is lost.
: >out
(until grep -qs 'q quits' out; do sleep 0.1; done; printf q) | timeout 900 script -qec "stty rows 24 cols 80; '$program' top -d 0.2 run wild" /dev/null >out ||
  fail "top did not end with q"
says "q quits"
[[ $(grep -ac $'\033\[?1049h' out) == 1 && $(tail -c 40 out) == *$'\033[?1049l'* ]] ||
  fail "the terminal is not put back"

# A damaged status is an error, not a state.
echo nonsense >wild/status.json
expect 2 "status.json: is no JSON object" status wild

rm run/lease/status
begin 1
kill -USR1 $pid
wait $pid || true
let_go
expect 75 "^state +stopped with checkpoints at 20" status run
says "^go on +autombpo resume run$"
"$program" resume -q run ppo.stages='[12]' >out 2>&1 || fail "resume"
expect 0 "^state +finished at 20" status run
expect 2 "^state +finished at 20" status run no-such wild
! grep "go on" out || fail "a finished run is not to be gone on with"
