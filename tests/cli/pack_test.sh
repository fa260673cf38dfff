#!/usr/bin/env bash
# run.pack=true: of each finished stage one file is left, with the same bits in it, for everything that
# reads a run; a kill at any point of packing loses nothing, and tar takes the files out again.
# usage: pack_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"

"$program" baseline -q -o baseline.yaml "$config" scheduler.hyper_episodes=1 run.dir=base >log 2>&1 ||
  fail baseline
train() { "$program" train -q "$config" scheduler.baseline=baseline.yaml run.dir="$1" "${@:2}" >log 2>&1; }
train single || fail single
expected=$(checksum single)

# same DIRECTORY: its files are these, and the bits those of a run that was not packed
names() { (cd "$1/episodes" && find . -type f | sort | tr '\n' ' '); }
same() {
  [[ $(names "$1") == "${2:-./packed/000000-000002.tar ./packed/000003-000005.tar }" ]] ||
    fail "$1: files $(names "$1")"
  [[ $(checksum "$1") == "$expected" ]] || fail "$1: another checksum"
  cmp single/COMPLETE "$1/COMPLETE" || fail "$1: another COMPLETE"
  [[ -z $(find "$1" -name '*.tmp') ]] || fail "$1: left $(find "$1" -name '*.tmp')"
}
train packed run.pack=true || fail packed
same packed

# killed wherever a pack is written or named, or what is in it removed; each then goes on
packs='./packed/000000-000002.tar ./packed/000003-000005.tar '
: >states
for point in mid-write before-rename after-rename before-remove; do
  count=0 code=137
  until [[ $code == 0 || ($count != 0 && $(names killed) == "$packs") ]]; do
    rm -rf killed
    cp -r single killed
    rm killed/COMPLETE
    code=0
    AUTOMBPO_FAULT=$point:$((++count)) "$program" resume -q killed run.pack=true >log 2>&1 || code=$?
    ((code == 137 || code == 0)) || fail "$point $count: exit code $code"
    [[ $(checksum killed) == "$expected" ]] || fail "$point $count: $(checksum killed)"
    names killed | sed 's/[^ ]*-0.tmp/tmp/g; s/00000//g; s/ $/\n/' >>states
    cp -r killed again
    expect 0 . resume -q again run.pack=true
    same again
    rm -r again
  done
done
for state in './0.h5 ./1.h5 ./2.h5 ./3.h5 ./4.h5 ./5.h5 tmp' './3.h5 ./4.h5 ./5.h5 ./packed/0-2.tar tmp' \
  './0.h5 ./1.h5 ./2.h5 ./3.h5 ./4.h5 ./5.h5 ./packed/0-2.tar' \
  './4.h5 ./5.h5 ./packed/0-2.tar ./packed/3-5.tar'; do
  grep -Fxq -- "$state" states || fail "no kill left '$state', but $(cat states)"
done

# a finished run is packed, too; what was sealed once more goes, unless its bytes are others
cp -r single later
expect 0 . resume -q later run.pack=true
same later
cp single/episodes/000004.h5 later/episodes
[[ $(checksum later) == "$expected" ]] || fail "twice: another checksum"
expect 0 . resume -q later run.pack=true
same later
rm later/COMPLETE
cp single/episodes/000003.h5 later/episodes/000004.h5
expect 1 "later/episodes/000004.h5: holds hyper_episode 3, expected 4" resume -q later run.pack=true
rm later/episodes/000004.h5

# a run that does not learn is one pack
"$program" train -q "$config" methods/random.yaml scheduler.hyper_episodes=2 run.dir=random >log 2>&1 ||
  fail random
random=$(checksum random)
expect 0 . resume -q random run.pack=true
[[ $(names random) == './packed/000000-000001.tar ' && $(checksum random) == "$random" ]] ||
  fail "random: $(names random)"

# everything that reads a run reads a packed one, and says the same
for command in 'inspect' 'audit' 'schedule' 'verify --share 20%' 'play --steps 20' 'status'; do
  for run in single packed; do
    # shellcheck disable=SC2086
    "$program" $command $run >out 2>&1 || fail "$command $run"
    sed "s/$run/RUN/g; s/[0-9.]* s\\b//g; s/[0-9-]*T[0-9:]*Z//g" out >"$run.out"
  done
  [[ $command == status ]] || diff single.out packed.out >&2 || fail "$command: another answer"
done
for command in inspect schedule play verify; do
  "$program" $command packed/episodes/000004.h5 >out 2>&1 || fail "$command of a file"
done
expect 2 'packed/episodes/000006.h5: No such file' inspect packed/episodes/000006.h5
"$program" fork -q packed 1 --at 4 --all -o forked >out 2>&1 || fail fork
"$program" apply -q "$config" scheduler.controller=packed run.dir=applied >out 2>&1 || fail apply

if "${PYTHON:-python3}" -c 'import h5py, numpy' 2>/dev/null; then
  PYTHONPATH=$source_dir/analysis/src "${PYTHON:-python3}" - <<'P' >out 2>&1 || fail "python"
import io, tarfile
import h5py
from autombpo_analysis.io import Episode
from autombpo_analysis.pack import read_sealed, sealed_files
from pathlib import Path
for single, packed in zip(*(sealed_files(Path(run, "episodes")) for run in ("single", "packed"))):
    assert single.read_bytes() == read_sealed(packed) and not packed.exists(), packed
    assert Episode.read(packed).index == int(packed.stem)
with tarfile.open("packed/episodes/packed/000003-000005.tar") as pack:
    with h5py.File(pack.extractfile("000004.h5")) as file:
        assert file.attrs["hyper_episode"] == 4
P
fi

# damage is told from what is missing, with the way out, and costs one hyper-episode
cp -r packed damaged
rm damaged/COMPLETE
printf X | dd of=damaged/episodes/packed/000003-000005.tar bs=1 seek=9000 conv=notrunc status=none
expect 1 'damaged/episodes/000003.h5: is damaged' resume -q damaged
says 'This file is in damaged/episodes/packed/000003-000005.tar; `tar -xf .* takes all files out'
tar -xf damaged/episodes/packed/000003-000005.tar -C damaged/episodes
rm damaged/episodes/packed/000003-000005.tar damaged/episodes/{000003.h5,index.txt}
expect 0 '5 of 6 hyper-episodes sealed' resume -q damaged
same damaged
truncate -s 5000 damaged/episodes/packed/000003-000005.tar
expect 1 '000003-000005.tar: is damaged: it does not tell where 000003.h5 is' resume -q damaged

# tar takes out the very files
mkdir out-of-it
tar -xf packed/episodes/packed/000000-000002.tar -C out-of-it
for e in 0 1 2; do
  cmp single/episodes/00000$e.h5 out-of-it/00000$e.h5 || fail "tar: another file"
done
echo "packed runs are read, killed, mended and unpacked"
