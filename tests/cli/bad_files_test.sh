#!/usr/bin/env bash
# Damaged, foreign or vanished files: the message names the file and the way out, that way leads to
# the same bits, and nothing is overwritten.
# usage: bad_files_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"
pid=
trap 'kill -KILL $pid 2>/dev/null || true; umount "$work/small" 2>/dev/null || true
  rm -rf "$work"' EXIT

# flip FILE: changes one bit in the middle.
flip() {
  local size byte
  size=$(stat -c %s "$1")
  byte=$(od -An -tu1 -j $((size / 2)) -N 1 "$1")
  printf "\\x$(printf %x $((byte ^ 16)))" |
    dd of="$1" bs=1 seek=$((size / 2)) conv=notrunc status=none
}

expect 0 . baseline -q -o baseline.yaml "$config" scheduler.hyper_episodes=1 run.dir=base
train=(train -q "$config" scheduler.baseline=baseline.yaml)
expect 0 . "${train[@]}" run.dir=run
expected=$(checksum run)

# a directory of which the second stage is not folded yet
unfold() {
  rm -rf "$1"
  cp -r run "$1"
  rm "$1/COMPLETE" "$1/policy/v000002.h5"
}

# a sealed hyper-episode that is damaged, cut off, or another's, is found before it is folded; its
# removal mends the run
truncated() { truncate -s -100 "$1"; }
foreign() { cp run/episodes/000001.h5 "$1"; }
for damage in flip truncated foreign; do
  unfold "$damage"
  $damage "$damage/episodes/000004.h5"
  cp "$damage/episodes/000004.h5" kept
  expect 1 "$damage/episodes/000004.h5: .*" resume -q "$damage"
  grep -q 'Remove or move this file and repeat the command' out || fail "$damage: no way out"
  cmp kept "$damage/episodes/000004.h5" || fail "$damage: the file was overwritten"
  rm "$damage/episodes/000004.h5"
  expect 0 . resume -q "$damage"
  [[ $(checksum "$damage") == "$expected" ]] || fail "$damage: another checksum"
done

# the same of a policy file, and of a run without a controller
unfold policy
flip policy/policy/v000001.h5
expect 1 'policy/v000001.h5: .*' resume -q policy
rm policy/policy/v000001.h5
expect 0 . resume -q policy
[[ $(checksum policy) == "$expected" ]] || fail "policy: another checksum"
rm base/COMPLETE
flip base/episodes/000000.h5
expect 1 'base/episodes/000000.h5' resume -q base

# a complete run directory in the place of another's parts: nothing of it is taken over
expect 0 . "${train[@]}" run.dir=seed-1 run.seed=1
unfold mixed
cp seed-1/episodes/000005.h5 mixed/episodes/000005.h5
expect 1 'mixed/episodes/000005.h5: belongs to another configuration' resume -q mixed

# places that cannot be written
touch file
expect 2 'file' "${train[@]}" run.dir=file/run
expect 2 'file' "${train[@]}" run.dir=file

# a directory that vanishes is not made again
"$program" train -q "$config" scheduler.kind=fixed hyper.apply_epochs=100000 log.transitions=false run.lease_timeout=2s \
  run.dir=vanishes >out 2>&1 &
pid=$!
until grep -qs '"event":"epoch"' vanishes/metrics.jsonl; do
  sleep 0.02
done
mv vanishes gone
code=0
wait $pid || code=$?
[[ $code == 1 ]] || fail "vanished directory: exit code $code, expected 1"
grep -q 'vanishes/lease: the run directory has vanished' out || fail "vanished: no message"
[[ ! -e vanishes ]] || fail "the vanished directory was made again"

# a full disk: periodic checkpoints fail with a warning, sealing with an error; with room, it goes on
mkdir small
if mount -t tmpfs -o size=450k none small 2>/dev/null; then
  expect 1 'No space left on device' "${train[@]}" run.dir=small/run checkpoint.every=0.1s
  for file in small/run/episodes/*.h5; do
    # on a slow machine two checkpoints of the first hyper-episode fill it
    [[ ! -e $file ]] || cmp "$file" "run/${file#small/run/}" || fail "full disk: $file"
  done
  mount -o remount,size=100m small
  expect 0 . resume -q small/run
  [[ $(checksum small/run) == "$expected" ]] || fail "full disk: another checksum"
  umount small
fi

# leases of nobody: from the future, of another machine, and no lease at all. They are waited for once,
# which is said, and taken over
expect 0 . "${train[@]}" run.dir=leased
rm -r leased/COMPLETE leased/episodes/* leased/policy/*
echo 'another-boot 1 4711 3 - 0 node7' >leased/lease/000000
touch -d '+1 year' leased/lease/000000
head -c 100 /dev/urandom >leased/lease/000001
mkfifo leased/lease/000002
SECONDS=0
expect 0 'hyper-episode 0 is leased by process 4711 on node7' resume -q leased run.lease_timeout=3s
((SECONDS >= 3)) || fail "a lease of somebody who may live was taken at once"
[[ $(checksum leased) == "$expected" ]] || fail "leased: another checksum"
[[ -z $(ls leased/lease) ]] || fail "leases are left"
