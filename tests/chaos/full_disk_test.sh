#!/usr/bin/env bash
# A full disk: the run says so and names the file, the checkpoints that there are stay good, and the
# same command ends with the undisturbed checksum once there is room again. Needs to mount a tmpfs
# (77 = skipped).
# usage: full_disk_test.sh PROGRAM SOURCE_DIR
set -euo pipefail
if [[ ${IN_NAMESPACE-} != 1 ]]; then
  export IN_NAMESPACE=1
  unshare --mount true 2>/dev/null || { echo "no private mounts here: skipped" && exit 77; }
  exec unshare --mount "$0" "$@"
fi
source "$(dirname "$0")/../cli/common.sh"
export OPENBLAS_NUM_THREADS=1
small=$work/small
mkdir "$small"
mount -t tmpfs -o size=4m none "$small" 2>/dev/null || { echo "cannot mount: skipped" && exit 77; }
trap 'umount "$small"; rm -r "$work"' EXIT
config=("$source_dir/tests/chaos/chaos.yaml" scheduler.baseline="$work/baseline.yaml"
  ppo.episodes_per_update=2)
"$program" baseline -q -o baseline.yaml "$source_dir/tests/chaos/chaos.yaml" \
  scheduler.hyper_episodes=1 run.dir=baseline >/dev/null
"$program" train -q "${config[@]}" run.dir=undisturbed >/dev/null
expected=$("$program" inspect --checksum undisturbed)

# fill KIB: leaves so much room beside what the run has written.
fill() {
  local free
  free=$(df --output=avail -k "$small" | tail -1)
  ((free <= $1)) || head -c $(((free - $1) * 1024)) /dev/zero >>"$small/filler"
}

round() {  # KIB of room once a checkpoint was written
  rm -f "$small/filler"
  hold after-save:1
  # each step is saved, so that there is a checkpoint of what is left, however little
  "$program" train -q "${config[@]}" run.dir="$small/run" checkpoint.every=0 >>"round-$1.log" 2>&1 &
  local pid=$!
  await_held $pid
  fill "$1"
  let_go
  local status=0
  wait $pid || status=$?
  echo "room of $1 KiB: exit code $status, $(grep -c 'No space' "round-$1.log") messages"
  [[ ! -e $small/run/COMPLETE ]] || return 0
  ((status == 1)) || fail "exit code $status, expected 1"
  grep -q "$small/run/.*No space left on device" "round-$1.log" || fail "no file is named"
  # what there is, is good
  for file in "$small"/run/*/*.h5 "$small"/run/checkpoint/*/*.h5; do
    [[ ! -e $file ]] || "$program" inspect --checksum "$file" >/dev/null || fail "$file is damaged"
  done
  [[ $(find "$small/run" -name '*.tmp' | wc -l) == 0 ]] || fail "unfinished files are left"
}

for room in 0 30 300 700; do
  [[ -e $small/run/COMPLETE ]] || round $room
done
grep -q 'No space' round-0.log || fail "the disk was never full"
rm -f "$small/filler"
"$program" train -q "${config[@]}" run.dir="$small/run" >last.log 2>&1 || fail "it does not go on"
found=$("$program" inspect --checksum "$small/run")
[[ $found == "$expected" ]] || fail "checksum $found, undisturbed $expected"
! grep -q 'not a readable\|damaged' last.log || fail "a bad generation was left"
echo "after the disk was full: $found, as undisturbed"
