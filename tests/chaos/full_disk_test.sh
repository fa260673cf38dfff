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
program=$1
source_dir=$2
export OPENBLAS_NUM_THREADS=1
work=$(mktemp -d)
small=$work/small
mkdir "$small"
mount -t tmpfs -o size=4m none "$small" 2>/dev/null || { echo "cannot mount: skipped" && exit 77; }
trap 'umount "$small"; rm -r "$work"' EXIT
cd "$work"

fail() {
  echo "FAILED: $*" >&2
  tail -n 5 "$work"/*.log >&2
  exit 1
}

config=("$source_dir/tests/chaos/chaos.yaml" scheduler.baseline="$work/baseline.yaml"
  ppo.episodes_per_update=2)
"$program" baseline -q -o baseline.yaml "$source_dir/tests/chaos/chaos.yaml" \
  scheduler.hyper_episodes=1 run.dir=baseline >/dev/null
"$program" train -q "${config[@]}" run.dir=undisturbed >/dev/null
expected=$("$program" inspect --checksum undisturbed)

# Leaves KIB of room beside what the run has written, while `watched` runs.
fill() {
  local free
  free=$(df --output=avail -k "$small" | tail -1)
  ((free <= $1)) || head -c $(((free - $1) * 1024)) /dev/zero >>"$small/filler"
}

round() {  # KIB of room once there is a checkpoint
  rm -f "$small/filler"
  local since=$small/run/checkpoint before=$SECONDS
  "$program" train -q "${config[@]}" run.dir="$small/run" >>"round-$1.log" 2>&1 &
  local pid=$!
  until compgen -G "$since/*/gen-*.h5" >/dev/null || ! kill -0 $pid 2>/dev/null; do sleep 0.01; done
  fill "$1"
  local status=0
  wait $pid || status=$?
  echo "room of $1 KiB: exit code $status, $(grep -c 'No space' "round-$1.log") messages"
  ((SECONDS - before < 600)) || fail "it took too long"
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
  round $room
done
grep -lq 'No space' round-*.log || fail "the disk was never full"
rm -f "$small/filler"
"$program" train -q "${config[@]}" run.dir="$small/run" >last.log 2>&1 || fail "it does not go on"
found=$("$program" inspect --checksum "$small/run")
[[ $found == "$expected" ]] || fail "checksum $found, undisturbed $expected"
! grep -q 'not a readable\|damaged' last.log || fail "a bad generation was left"
echo "after the disk was full: $found, as undisturbed"
