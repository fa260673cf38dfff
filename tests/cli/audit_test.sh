#!/usr/bin/env bash
# An audit finds nothing in a run that is what it says, of whatever scheduler, and finds a forged
# decision, advantage, score or controller though all checksums are right.
# usage: audit_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"

python=${PYTHON:-python3}
"$python" -c 'import h5py' 2>/dev/null || { echo "skipped: no h5py"; exit 77; }

"$program" baseline -q -o baseline.yaml "$config" scheduler.hyper_episodes=1 run.dir=base >/dev/null
train() { # NAME OPTION...
  "$program" train -q "$config" scheduler.baseline=baseline.yaml run.dir="$1" "${@:2}" >log 2>&1 ||
    fail "$1"
  "$program" audit "$1" >out 2>&1 || fail "$1: the audit of an honest run"
  says 'the same bits$'
}
train joint
says '3 policies, 6 hyper-episodes, 54 decisions, 54 advantages'
train staged methods/autombpo_staged.yaml ppo.stages=[1,1,1] ppo.episodes_per_update=2 \
  hyper.policy_updates_start=2
train diverged sac.learning_rate=1 sac.hidden_size=64 mbpo.policy_updates=40 \
  hyper.policy_updates_max=40
grep -q '"status":"diverged"' diverged/metrics.jsonl || fail "nothing diverged"
for method in random static mbpo; do
  train $method methods/$method.yaml scheduler.hyper_episodes=2
done
train ror methods/ror.yaml scheduler.hyper_episodes=3
train pbt methods/pbt.yaml pbt.members=3 pbt.interval=2 pbt.score_epochs=1 hyper.apply_epochs=3
"$program" schedule random -o mean.csv
train replay methods/replay.yaml scheduler.schedule=mean.csv
"$program" apply -q "$config" scheduler.controller=joint run.dir=apply >log 2>&1 || fail apply
expect 0 'the same bits$' audit apply

# forge FILE DATASET INDEX CHANGE: changes a number, and makes the seals right again
cat >forge.py <<'P'
import sys, h5py, numpy as np
path, name, index, change = sys.argv[1:]
data = open(path, "rb").read()
open(path, "wb").write(data[:-34])
with h5py.File(path, "r+") as file:
    if name == "@checksum":
        file.attrs["checksum"] = change
    elif name.startswith("@"):
        file.attrs.modify(name[1:], file.attrs[name[1:]] + float(change))
    else:
        at = tuple(int(i) for i in index.split(","))
        file[name][at] = file[name][at] + type(file[name][at])(float(change))
data = open(path, "rb").read()
value, prime, mask = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1
words = len(data) // 8
for word in np.frombuffer(data, dtype="<u8", count=words).tolist():
    value = (value ^ word) * prime & mask
    value ^= value >> 32
for byte in data[8 * words:]:
    value = (value ^ byte) * prime & mask
open(path, "ab").write(b"\nautombpo-sealed %016x\n" % value)
P
forge() { # PATTERN FILE DATASET INDEX CHANGE   in a copy of the run $from
  rm -rf forged
  cp -r "${from:-joint}" forged
  rm forged/COMPLETE # made again by whoever forges
  "$python" forge.py "forged/$2" "${@:3}" || fail "forging"
  "$program" inspect --verify forged >log 2>&1 || true
  checksum=$(sed -n 's/.*content has checksum \([0-9a-f]*\),.*/\1/p' log)
  [[ -z $checksum ]] || "$python" forge.py "forged/$2" @checksum 0 "$checksum"
  "$program" inspect --verify forged >log 2>&1 || fail "the seals of the forged run are not right"
  expect 1 "$1" audit forged
}
forge 'decision 3, policy_updates: choice' episodes/000001.h5 decisions/logp 3,2 1e-9
forge 'decision 3, policy_updates: choice' episodes/000001.h5 decisions/entropy 3,2 1e-9
forge 'decision 4: explored is 1' episodes/000001.h5 decisions/explored 4 1
from=static forge 'decision 4: policy_updates is' episodes/000001.h5 decisions/hyperparameters 4,2 1
for head in 0:train_model 1:real_ratio 2:policy_updates 3:rollout_length; do
  forge "decision 4: ${head#*:} is" episodes/000001.h5 decisions/hyperparameters 4,${head%:*} 1
done
from=random forge 'decision 3: model_loss is' episodes/000001.h5 decisions/state 3,1 0.01
from=random forge 'decision 3: eval_return is' episodes/000001.h5 decisions/features_raw 3,4 1
forge 'decision 4: the reward for training' episodes/000002.h5 decisions/reward_train_model 4 0.1
forge 'decision 8, real_ratio: choice' episodes/000004.h5 decisions/state 8,4 0.01
forge 'decision 2: reward .* advantage' episodes/000002.h5 decisions/advantage 2 0.5
for name in reward reward_return baseline; do
  forge 'decision 4: reward .* baseline' episodes/000002.h5 decisions/$name 4 0.5
done
forge 'decision 5: reward' episodes/000002.h5 epochs/eval_returns 1,0 1
forge '000003.h5: score' episodes/000003.h5 @score 0 0.25
forge 'v000001.h5: is not what follows' policy/v000001.h5 heads/real_ratio/parameters 7 1e-3
forge 'v000002.h5: is not what follows' episodes/000005.h5 decisions/advantage 1 1e-6

# what only reads makes nothing, also where a run lacks the version that it began with
cp -r joint lacking
rm -r lacking/COMPLETE lacking/policy/*
expect 1 'policy/v000000.h5: No such file' audit lacking
"$program" verify --share 100% lacking >out 2>&1 || true
[[ -z $(ls lacking/policy) ]] || fail "audit or verify made $(ls lacking/policy)"

expect 2 'nowhere/run.yaml: there is no run here' audit nowhere
expect 2 'usage: autombpo audit' audit
