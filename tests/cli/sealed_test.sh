#!/usr/bin/env bash
# Damage to a sealed file never passes: not to one that was folded long ago, nor to one of a complete
# run, wherever in the file it is. What the message advises leads to the same bits.
source "$(dirname "$0")/common.sh"

"$program" baseline -q -o baseline.yaml "$config" scheduler.hyper_episodes=1 run.dir=base >/dev/null
train=(train -q "$config" scheduler.baseline=baseline.yaml)
"$program" "${train[@]}" run.dir=run >/dev/null
sum=$(checksum run)
victim=run/episodes/000001.h5  # of the first stage
policy=run/policy/v000000.h5
cp -r run whole

# flip FILE POSITION: changes one bit
flip() {
  local byte
  byte=$(od -An -tu1 -j "$2" -N 1 "$1")
  printf "\\x$(printf %x $((byte ^ 4)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# refused FILE: by everything that reads the run
refused() {
  expect 1 "$1" "${train[@]}" run.dir=run
  expect 1 "$1" resume -q run
  expect 1 "$1" inspect run
  expect 1 "$1" inspect --checksum run
}

size=$(stat -c %s $victim)
for ((i = 0; i < 24; i++)); do
  flip $victim $((i * (size - 1) / 23))
  refused $victim
  cp whole/episodes/000001.h5 $victim
done
rm run/COMPLETE
# with nothing but its own seal, which is damaged, cut off or behind something else
for ((i = 0; i < 12; i++)); do
  flip $victim $((i * (size - 34) / 11))
  refused $victim
  cp whole/episodes/000001.h5 $victim
done
for ((i = 0; i < 34; i += 3)); do
  flip $victim $((size - 1 - i))
  refused $victim
  cp whole/episodes/000001.h5 $victim
done
for change in -1 -34 +1 0; do
  truncate -s "$change" $victim
  refused $victim
  cp whole/episodes/000001.h5 $victim
done
flip $policy 1000
refused $policy
cp whole/policy/v000000.h5 $policy
cp whole/COMPLETE run/
printf '0123456789abcdef  episodes/000000.h5\n' >>run/COMPLETE
refused run/episodes/000000.h5
cp whole/COMPLETE run/

# the way out
flip $victim 5000
rm $victim
expect 0 'not complete: 5 of 6' inspect run
says '^missing: episodes/000001.h5$'
"$program" "${train[@]}" run.dir=run >/dev/null
[[ $(checksum run) == "$sum" ]] || fail "removing the damaged file does not lead to the same bits"

# a run that an earlier version completed
: >run/COMPLETE
expect 0 . resume -q run
cmp run/COMPLETE whole/COMPLETE || fail "the empty COMPLETE was not replaced"
expect 0 'autombpo on inverted-pendulum-v4, seed 0, complete: 6 of 6 hyper-episodes' inspect run
rm run/episodes/000004.h5 run/COMPLETE
expect 0 'not complete: 5 of 6 hyper-episodes of 3 epochs, stages of 3, 2 updates' inspect run

# the Python package
python=${PYTHON:-python3}
if "$python" -c 'import numpy, h5py' 2>/dev/null; then
  PYTHONPATH=$source_dir/analysis/src "$python" - whole <<'END' || fail "Python reads what is damaged"
import pathlib, sys, warnings
from autombpo_analysis import load
warnings.simplefilter("ignore")
run = pathlib.Path(sys.argv[1])
assert len(load(run)[0].episodes) == 6
victim = run / "episodes/000001.h5"
data = victim.read_bytes()
for position in [*range(0, len(data) - 34, len(data) // 73), *range(len(data) - 34, len(data))]:
    victim.write_bytes(data[:position] + bytes([data[position] ^ 4]) + data[position + 1 :])
    read = load(run)[0]
    assert len(read.episodes) == 5 and read.skipped, f"byte {position}"
END
fi
echo "no damage passes"
