#!/usr/bin/env bash
# The clone of somebody else, or one that is read-only: what needs a place of one's own says so before
# any work, and names it; from such a place all of it runs.
# usage: other_owner_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"
export AUTOMBPO=$program
as_other=(env TMPDIR="$work/own")
if [[ $(id -u) == 0 ]]; then # to whom all is writable
  as_other+=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
chmod 755 "$work"
mkdir clone own
cp -r "$source_dir/mpi_launch" "$source_dir/configs" clone
cp "$config" short.yaml
chmod 777 own
chmod -R a-w,a+rX clone
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
if ! "${as_other[@]}" test -x "$program" -a -r "$work/clone/mpi_launch/setup"; then
  echo "another user does not reach the program: skipped"
  exit 77
fi

# refused CODE PATTERN COMMAND...: in the clone, at once and with nothing written.
refused() {
  local expected=$1 pattern=$2 code=0
  shift 2
  (cd clone && "${as_other[@]}" "$@") >out 2>&1 || code=$?
  [[ $code == "$expected" ]] || fail "$*: exit code $code, expected $expected"
  says "$pattern"
  [[ -z $(find clone own -newer short.yaml ! -type d) ]] || fail "$* wrote something"
}

touch short.yaml
for script in setup quickstart check; do
  refused 1 'cannot write into .*/clone/build, which .* owns: .* AUTOMBPO_BUILD=' mpi_launch/$script
done
refused 1 '^local: .*/own/built/autombpo is not built' \
  env -u AUTOMBPO AUTOMBPO_BUILD=../own/built mpi_launch/local train
short=("$work/short.yaml" scheduler.kind=fixed scheduler.hyper_episodes=1 hyper.apply_epochs=1
  hyper.train_epochs=1)
refused 2 'kept in runs/.*; run.dir=DIRECTORY names another place' "$program" train -q "${short[@]}"
refused 2 'x.yaml: Permission denied' \
  "$program" baseline -q -o x.yaml "${short[@]}" run.dir="$work/own/base"
refused 2 'fvi/ring: Permission denied|fvi: Permission denied' "$program" fvi run fvi/ring.yaml
refused 1 'x.h5: Permission denied' "$program" play --task pendulum-v1 --zero --states x.h5

# from a place of one's own
cd own
"${as_other[@]}" ../clone/mpi_launch/local -n 1 train -q "${short[@]}" >../out 2>&1 || fail "local train"
cd ..
grep -q '^finished: 1 hyper-episodes' out || fail "it did not finish"
[[ -e $(echo own/runs/*/*/s*/COMPLETE) ]] || fail "the run is not there"

# and its owner's run is read, but not gone on with
chmod -R a-w own/runs
run=$(echo "$work"/own/runs/*/*/s*)
touch short.yaml
refused 0 'complete: 1 of 1' "$program" inspect "$run"
refused 2 "$run/[a-z.]+: Permission denied" "$program" resume "$run"
