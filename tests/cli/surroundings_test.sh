#!/usr/bin/env bash
# What the program is given by whoever starts it must not decide about results, nor end it by a signal:
# a locale, limits, a foreign core of OpenBLAS, an output that is full, names that are no text.
source "$(dirname "$0")/common.sh"
fixed=(scheduler.kind=fixed scheduler.hyper_episodes=1 log.quiet=true)

# A plugin that calls setlocale: numbers are written with a point, and read back.
mkdir locales
localedef -i de_DE -f UTF-8 "$work/locales/de_DE.UTF-8" >/dev/null 2>&1 || true
cp "$(dirname "$program")"/tests/plugin/{swing_up.xml,comma_plugin.so} .
if [[ -d locales/de_DE.UTF-8 ]]; then
  export LOCPATH=$work/locales
  "$program" train "$config" "${fixed[@]}" env.id=plugin:./comma_plugin.so run.dir=comma \
    checkpoint.every=0.1s >out 2>&1 || fail "a plugin that sets a locale"
  "$program" env describe plugin:./comma_plugin.so | grep comma-v1 >/dev/null || fail "the locale was not set"
  ! grep -Eq '[0-9],[0-9]+[^]0-9, ]*  #' comma/run.yaml || fail "a comma in run.yaml"
  python3 -c 'import json,sys; [json.loads(l) for l in open("comma/metrics.jsonl")]
json.load(open("comma/status.json"))' || fail "JSON with commas"
  expect 0 'nothing is missing' resume -n comma env.id=plugin:./comma_plugin.so
  unset LOCPATH
else
  echo "no source of a locale here: not tested"
fi

# Every verb says when its output cannot be written.
"$program" train "$config" "${fixed[@]}" run.dir=run >/dev/null
while read -r -a verb; do
  code=0
  "$program" "${verb[@]}" >/dev/full 2>out || code=$?
  [[ $code == 1 ]] || fail "autombpo ${verb[*]} >/dev/full: exit code $code"
  says 'standard output'
done <<END
--help
version
train --help
train -n $config scheduler.kind=fixed
resume -n run
inspect run
inspect --checksum run
config show $config
config keys
config man
config completion bash
config check $config scheduler.kind=fixed
env list
env describe hopper-v4
env check --steps 5 pendulum-v1
launch $config scheduler.kind=fixed
fvi bound fvi/ring.yaml
play --help
schedule --help
bench gemm --repeats 1 --seconds 0.01
bench gemm --json --repeats 1 --seconds 0.01
END

# limited CODE PATTERN LIMIT ARGUMENT...: under `ulimit LIMIT`
limited() {
  local code=0
  (ulimit $3 && exec "$program" "${@:4}") >out 2>&1 || code=$?
  [[ $code == "$1" ]] || fail "ulimit $3: exit code $code, expected $1"
  says "$2"
}
sum=$(checksum run)
limited 1 'limit of the stack .* is too small' '-s 256' config check "$config" scheduler.kind=fixed
limited 0 . '-S -s 256' train "$config" "${fixed[@]}" run.dir=stack
[[ $(checksum stack) == "$sum" ]] || fail "other results with a small stack"
limited 1 'limit of the address space .* is too small' '-v 400000' config keys
limited 1 'out of memory' '-v 900000' train "$config" "${fixed[@]}" run.dir=memory \
  mbpo.rollouts=300000 mbpo.rollout_interval=1
limited 1 'File too large' '-f 20' train "$config" "${fixed[@]}" run.dir=large log.transitions=true \
  hyper.apply_epochs=200

# An instruction that the CPU lacks ends in words: OpenBLAS is the floor of bench. Excavator has FMA4.
if ! grep -qw fma4 /proc/cpuinfo; then
  (
    export OPENBLAS_CORETYPE=Excavator
    expect 1 'OPENBLAS_CORETYPE names; unset it' bench gemm
    expect 0 '^finished' train "$config" "${fixed[@]}" log.quiet=false run.dir=foreign
  )
fi

# What is written into a file never replaces something else: this could be /dev/full.
mkfifo fifo
expect 2 'fifo: is a FIFO, expected a regular file' config show "$config" scheduler.kind=fixed -o fifo
expect 2 'fifo: is a FIFO, expected a regular file' baseline "$config" run.dir=never -o fifo
expect 1 'fifo: is a FIFO' play run/episodes/000000.h5 --episodes 1 --states fifo
[[ -p fifo && ! -e never ]] || fail "a FIFO was replaced"

# Nothing is printed into a file of the run because standard output was closed.
code=0
"$program" train "$config" "${fixed[@]}" run.dir=closed >&- 2>out || code=$?
[[ $code == 1 && $(checksum closed) == "$sum" ]] || fail "closed output: exit code $code"

# A run can read what it wrote, whatever its configuration and the directories around it are called.
for name in $'line\nbreak' $'latin-\xe9' 'quo"te' "apo's" 'back\slash' ' space' '#hash' 'a: b' 'ü'; do
  mkdir -p "$work/$name"
  cd "$work/$name"
  cp "$config" "$name.yaml"
  "$program" baseline -q -o R.yaml "$name.yaml" run.dir=base scheduler.hyper_episodes=1 \
    >"$work/out" 2>&1 || fail "baseline in '$name'"
  for time in first second; do
    "$program" train "$name.yaml" "${fixed[@]}" run.dir=run scheduler.baseline=R.yaml \
      >"$work/out" 2>&1 || fail "$time train in '$name'"
  done
  "$program" resume -n run >"$work/out" 2>&1 || fail "resume in '$name'"
  python3 -c 'import json; [json.loads(l) for l in open("run/starts.jsonl")]' ||
    fail "starts.jsonl in '$name'"
  cd "$work"
done
expect 2 'must be printable UTF-8 in one line' train "$config" "${fixed[@]}" run.dir=$'a\nb'

expect 2 'seed=9007199254740993.: must be in' train "$config" run.seed=9007199254740993
expect 2 'log.transitions=true.: needs mbpo.env_buffer of at least' train "$config" \
  "${fixed[@]}" log.transitions=true mbpo.env_buffer=100 run.dir=wrapped
echo "surroundings decide nothing"
