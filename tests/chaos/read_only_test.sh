#!/usr/bin/env bash
# A file system that turns read-only: it is said once and then rarely, and the run ends with exit code
# 1 when nothing could be saved for checkpoint.give_up; the same command then ends with the undisturbed
# checksum. Needs to mount a tmpfs (77 = skipped).
# usage: read_only_test.sh PROGRAM SOURCE_DIR
set -euo pipefail
if [[ ${IN_NAMESPACE-} != 1 ]]; then
  export IN_NAMESPACE=1
  unshare --mount true 2>/dev/null || { echo "no private mounts here: skipped" && exit 77; }
  exec unshare --mount "$0" "$@"
fi
source "$(dirname "$0")/../cli/common.sh"
export OPENBLAS_NUM_THREADS=1
mkdir disk
mount -t tmpfs -o size=64m none disk 2>/dev/null || { echo "cannot mount: skipped" && exit 77; }
trap 'umount -l "$work/disk"; rm -rf "$work"' EXIT

config=("$source_dir/tests/chaos/chaos.yaml" scheduler.kind=fixed scheduler.hyper_episodes=1
  hyper.apply_epochs=30 log.transitions=false checkpoint.give_up=2s)
"$program" train -q "${config[@]}" run.dir=undisturbed >/dev/null
expected=$(checksum undisturbed)

"$program" train -q "${config[@]}" run.dir="$work/disk/run" >ro.log 2>&1 &
pid=$!
until compgen -G "disk/run/checkpoint/*/gen-*.h5" >/dev/null; do
  kill -0 $pid || fail "it ended before it was disturbed"
  sleep 0.01
done
until mount -o remount,ro "$work/disk" 2>/dev/null; do
  kill -0 $pid || fail "it ended before it was disturbed"
done
code=0
wait $pid || code=$?
[[ $code == 1 ]] || fail "exit code $code, expected 1"
grep -q 'Nothing could be saved for .* (checkpoint.give_up)' ro.log || fail "it is not said why"
(($(grep -c '^warning' ro.log) <= 6)) || fail "$(grep -c '^warning' ro.log) warnings in 2 s"
[[ ! -e disk/run/COMPLETE ]] || fail "it is complete"
code=0
"$program" train -q "${config[@]}" run.dir="$work/disk/run" >ro-start.log 2>&1 || code=$?
[[ $code == 1 ]] || fail "exit code $code of a start on a read-only disk, expected 1"
! grep -q 'move' ro-start.log || fail "it advises to move a file away"
mount -o remount,rw "$work/disk"
"$program" train -q "${config[@]}" run.dir="$work/disk/run" >rw.log 2>&1 || fail "it does not go on"
[[ $(checksum disk/run) == "$expected" ]] || fail "another checksum"
echo "after the disk was read-only: $expected, as undisturbed"
