#!/usr/bin/env bash
# An experiment is expanded into ordinary runs, whose bits do not depend on how many processes work
# on it, on kills or on order; it goes on where it was stopped, keeps its sets of seeds apart, and
# says what is wrong with its file.
source "$(dirname "$0")/common.sh"

cp "$config" task.yaml
cat >methods.yaml <<END
methods:
  fixed:
    test: methods/mbpo.yaml scheduler.hyper_episodes=2
  ppo:
    repetitions: 2
    train: methods/autombpo.yaml
    validate: scheduler.kind=apply scheduler.controller={train} scheduler.hyper_episodes=2
    test: scheduler.kind=apply scheduler.controller={train} scheduler.hyper_episodes=2
  open_loop:
    repetitions: 2
    test: methods/replay.yaml scheduler.schedule={ppo/validate}/schedule.csv
  static:
    train: methods/static.yaml scheduler.hyper_episodes=3
    test: methods/static.yaml scheduler.controller={train}
END
cat >all.yaml <<END
include: [methods.yaml]
name: all
dir: one
tasks:
  tiny: {config: task.yaml log.quiet=true, threshold: -1000}
END

experiment() { "$program" experiment "$@"; }
sums() { # DIR: checksums of all runs
  (cd "$1" && for run in tiny/*/*/{train,validate,test}; do
    [[ ! -d $run ]] || echo "$run $("$program" inspect --checksum "$run")"
  done)
}

# one process at a time, undisturbed
experiment plan all.yaml >out 2>&1 || fail plan
says '^all: 0 of 11 runs finished'
grep -q 'and what is not measured left' out || fail "costs are known before a measurement"
# each kind of run is measured, those too that wait for a controller; nothing is run
experiment plan --measure=0.1 --dir=planned all.yaml >out 2>&1 || fail "plan --measure"
! grep -q 'not measured' out || fail "some kinds were not measured"
[[ $(ls planned) == $'all.json\nforecasts.jsonl' ]] || fail "plan left $(ls planned)"
cp planned/forecasts.jsonl forecasts
experiment plan --measure=0.1 --dir=planned all.yaml >again 2>&1
diff out again && cmp forecasts planned/forecasts.jsonl || fail "it was measured again"
experiment launch --dir=planned all.yaml >planned.sh
grep -qE '^#SBATCH --mem=[1-9][0-9]*M$' planned.sh || fail "no memory is reserved"
grep -qE '^#SBATCH --time=0-00:1[01]:00$' planned.sh || fail "the time is not that of the longest run"
experiment run -j1 all.yaml >out 2>&1 || fail "run"
says '^\[11/11\] .*: finished'
[[ $(sums one | wc -l) == 11 ]] || fail "runs: $(sums one)"

# three processes at a time, of two workers, in an order of their own; one worker is killed
timeout -s KILL 3 "$program" experiment run -j2 --dir=two all.yaml >killed 2>&1 || true
experiment run -j1 --dir=two all.yaml >log1 2>&1 &
other=$!
experiment run -j2 --dir=two all.yaml >out 2>&1 || fail "second worker"
wait $other || fail "first worker"
diff <(sums one) <(sums two) || fail "checksums depend on who worked"
experiment status --dir=two all.yaml >out
says '^all: 11 of 11 runs finished'
says 'left/h'

# stopped by its time, it has checkpoints and goes on; only what is asked for is run
code=0
experiment run -j2 --dir=three --max-hours=0.0004 --method=ppo all.yaml >out 2>&1 || code=$?
[[ $code == 75 || $code == 0 ]] || fail "exit code $code"
experiment run -j2 --dir=three --method=ppo all.yaml >out 2>&1 || fail "going on"
[[ ! -e three/tiny/fixed ]] || fail "more was run than asked for"
diff <(sums one | grep ppo) <(sums three) || fail "checksums depend on a stop"
cp three/costs.jsonl costs
experiment run -j2 --dir=three --method=ppo all.yaml >out 2>&1 || fail "again"
cmp costs three/costs.jsonl || fail "finished runs were run again"

# experiments that share a directory share what runs they have in common; what a file says
# differently now is not taken for finished
sed 's/name: all/name: other/' all.yaml >other.yaml
experiment status --dir=one other.yaml >out
says '^other: 11 of 11 runs finished'
sed 's/hyper_episodes=3/hyper_episodes=4/' methods.yaml >methods2.yaml
sed 's/methods.yaml/methods2.yaml/' other.yaml >bad.yaml
for action in status run report; do
  expect 2 'scheduler.hyper_episodes|.*is not what the file says now: move it away' \
    experiment $action --dir=one bad.yaml
done

# sets of seeds: sealed, and held apart
h5dump -a /seed_set one/tiny/ppo/0/train/episodes/000000.h5 | grep '"tune"' >out || fail "set"
h5dump -a /seed_set one/tiny/ppo/1/test/episodes/000000.h5 | grep '"test"' >out || fail "set"
h5dump -a /seed one/tiny/ppo/1/train/episodes/000000.h5 | grep ' 2$' >out || fail "seed"
expect 2 'run.seed=1: the training of .* is of this seed' train task.yaml scheduler.kind=apply \
  scheduler.controller=one/tiny/ppo/0/train run.seed=1 run.dir=no
expect 2 "run.seed=0: R' in the training of .* is of this seed" train task.yaml \
  scheduler.kind=apply scheduler.controller=one/tiny/ppo/0/train run.seed=0 run.dir=no
expect 2 'run.seed=1: the training of .* is of this seed' train task.yaml methods/static.yaml \
  scheduler.controller=one/tiny/static/0/train run.seed=1 run.dir=no
expect 0 finished train task.yaml scheduler.kind=apply scheduler.trained_seeds=true \
  scheduler.controller=one/tiny/ppo/0/train run.seed=1 run.dir=yes

# the best point of the search is held
value() { h5dump -d /decisions/hyperparameters -y -w 0 "$1" | grep -m1 '^ *[01],'; }
best=$(for e in 0 1 2; do
  echo "$(h5dump -a /score one/tiny/static/0/train/episodes/00000$e.h5 2>/dev/null |
    sed -n 's/.*(0): //p') $e"
done | sort -g | tail -1)
[[ $(value one/tiny/static/0/train/episodes/00000"${best#* }".h5 | cut -d, -f2-) == \
  $(value one/tiny/static/0/test/episodes/000000.h5 | cut -d, -f2-) ]] || fail "best point: $best"

# what is wrong is said with its place
bad() { # PATTERN SED-SCRIPT
  sed "$2" methods.yaml >methods2.yaml
  sed 's/methods.yaml/methods2.yaml/' all.yaml >bad.yaml
  expect 2 "$1" experiment plan bad.yaml
}
bad "\{trian\} names no step before it, expected" 's/{train}/{trian}/'
bad "\{test\} names no step before it" 's/{train}/{test}/'
bad "'\{train' has no closing bracket, expected" 's/{train}/{train/'
bad "it needs too many runs, expected at most 8" 's/{train}/{train}{train}{train}{train}{train}{train}{train}{train}{train}/'
bad "methods2.yaml:5:5: unknown key 'repetition', expected" 's/repetitions/repetition/'
bad "methods2.yaml:[0-9]*:[0-9]*: 'repetitions' is '0', expected a whole number" 's/: 2$/: 0/'
bad "cannot find.*|methods/nbpo.yaml" 's/mbpo.yaml/nbpo.yaml/'
bad "unknown option|did you mean" 's/hyper_episodes=3/hyper_episode=3/'
sed 's/^dir:.*/seeds: {tune: 1, validate: 2}/' all.yaml >bad.yaml
expect 2 "seed 2 is of the set 'validate', too" experiment plan bad.yaml
expect 2 "there is no task 'hopper'" experiment plan --task=hopper all.yaml
expect 2 'expected plan, run, status, report or launch' experiment paln all.yaml
expect 2 'jobs: expected' experiment run --jobs=none all.yaml

# a run that fails is named with its reason, what needs it is left, the rest is done
sed 's/train: methods.autombpo.yaml/& scheduler.baseline=none.yaml/; /open_loop/,$d' \
  methods.yaml >methods2.yaml
sed 's/methods.yaml/methods2.yaml/' all.yaml >bad.yaml
expect 1 'ppo/0/train: failed with exit code 2: no baseline none.yaml' experiment run --dir=four \
  -j2 bad.yaml
[[ -e four/tiny/fixed/0/test/COMPLETE ]] || fail "the others were not run"

# R' that the experiment makes, on a seed of its own, and a controller that is named by task and number
cp one/tiny/ppo/0/train/policy/v000000.h5 tiny-0.h5
cat >made.yaml <<END
name: made
tasks:
  tiny: {config: task.yaml log.quiet=true, baseline: scheduler.hyper_episodes=2}
methods:
  ppo: {train: methods/autombpo.yaml}
  shipped:
    test: scheduler.kind=apply scheduler.controller={task}-{repetition}.h5
END
experiment run -j2 --dir=five made.yaml >out 2>&1 || fail "with R'"
experiment status --dir=five made.yaml >out
says '^made: 3 of 3 runs finished'
grep -q 'run_seeds: .999.' five/tiny/baseline/0/train.yaml || fail "R' has another seed"
cmp five/tiny/baseline/0/train.yaml five/tiny/ppo/0/train/baseline.yaml || fail "another R'"

# the printed script: a worker is told to stop by Slurm, and the task goes back into the queue
mkdir bin
printf '#!/bin/sh\necho "$@" >>requeued\n' >bin/scontrol
chmod +x bin/scontrol
experiment launch --dir=six --tasks=3 --time=60 all.yaml >job.sh
grep -q '^#SBATCH --array=0-2$' job.sh || fail "array"
hold after-seal-before-remove:1
PATH=$PWD/bin:$PATH SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=1 bash job.sh >log2 2>&1 &
job=$!
await_held $job
kill -USR1 $job
wait $job || fail "the script failed"
let_go
grep -q '^requeue 7_1$' requeued || fail "not requeued"
SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=1 bash job.sh >log2 2>&1 || fail "the script again"
diff <(sums one) <(sums six) || fail "checksums of the script"

# every experiment that is shipped is one
for file in "$source_dir"/configs/experiments/*/*.yaml; do
  [[ $file == */tasks.yaml ]] || expect 0 ' 0 of [0-9]* runs finished' experiment plan "$file"
done
for file in "$source_dir"/configs/controllers/*/*.h5; do
  expect 0 '1 sealed file' inspect "$file"
done
