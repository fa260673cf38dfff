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
  log.transitions=false checkpoint.give_up=2s)
"$program" train -q "${config[@]}" run.dir=undisturbed >/dev/null
expected=$(checksum undisturbed)

# ends_read_only NAME OPTION...: the disk turns read-only when it has saved
ends_read_only() {
  local code=0
  hold after-save:1
  "$program" train -q "${config[@]}" "${@:2}" run.dir="$work/disk/$1" >"$1.log" 2>&1 &
  pid=$!
  await_held $pid
  mount -o remount,ro "$work/disk"
  let_go
  wait $pid || code=$?
  [[ $code == 1 ]] || fail "$1: exit code $code, expected 1"
  [[ ! -e disk/$1/COMPLETE ]] || fail "$1 is complete"
}

# one that has work for hours
begun=$SECONDS
ends_read_only endless hyper.apply_epochs=100000
grep -q 'Nothing could be saved for .* (checkpoint.give_up)' endless.log || fail "it is not said why"
warnings=$(grep -c '^warning' endless.log)
((warnings <= 6 + (SECONDS - begun) / 4)) || fail "$warnings warnings in $((SECONDS - begun)) s"
mount -o remount,rw "$work/disk"

ends_read_only run
code=0
"$program" train -q "${config[@]}" run.dir="$work/disk/run" >ro-start.log 2>&1 || code=$?
[[ $code == 1 ]] || fail "exit code $code of a start on a read-only disk, expected 1"
! grep -q 'move' ro-start.log || fail "it advises to move a file away"
mount -o remount,rw "$work/disk"
"$program" train -q "${config[@]}" run.dir="$work/disk/run" >rw.log 2>&1 || fail "it does not go on"
[[ $(checksum disk/run) == "$expected" ]] || fail "another checksum"
echo "after the disk was read-only: $expected, as undisturbed"
