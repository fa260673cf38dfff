#!/usr/bin/env bash
# The same configuration and seed give the same sealed files, byte for byte, at 1, 2, 3 and 5 ranks
# and in any directory; and the controller learns.
# usage: ranks_test.sh PROGRAM SOURCE_DIR [PRECISION]
source "$(dirname "$0")/common.sh"

precision=${3:-float32}
if ! problem=$("$program" config check "$config" compute.precision="$precision" 2>&1); then
  [[ $problem == *AVX512_BF16* ]] || fail "$problem"
  echo "skipped: $problem"
  exit 77
fi
"$program" baseline -q -o baseline.yaml "$config" scheduler.hyper_episodes=2 run.dir='base "line\' >/dev/null
grep -qF 'scheduler.hyper_episodes=2 run.dir=base \"line\\"' baseline.yaml || fail "its command: $(grep ^command baseline.yaml)"
arguments=(-q "$config" compute.precision="$precision" scheduler.baseline="$work/baseline.yaml")

"$program" train "${arguments[@]}" run.dir=ranks-1
for ranks in 2 3 5; do
  # deeper directories: nothing of a path may get into a sealed file
  mkdir -p "at/$ranks"
  "$source_dir/mpi_launch/local" -n $((ranks - 1)) train "${arguments[@]}" \
    run.dir="$work/at/$ranks/ranks-$ranks"
  ln -s "at/$ranks/ranks-$ranks" "ranks-$ranks"
done

expected=$(checksum ranks-1)
echo "1 rank: $expected"
sealed=$(cd ranks-1 && ls episodes/*.h5 policy/*.h5)
[[ $(wc -w <<<"$sealed") == 9 ]] || fail "expected 6 hyper-episodes and 3 policies, got: $sealed"
for ranks in 2 3 5; do
  found=$(checksum "ranks-$ranks/")
  echo "$ranks ranks: $found"
  [[ $found == "$expected" ]] || fail "$ranks ranks: another checksum"
  [[ $(cd "ranks-$ranks" && ls episodes/*.h5 policy/*.h5) == "$sealed" ]] || fail "other files"
  for file in $sealed; do
    cmp "ranks-1/$file" "ranks-$ranks/$file"
    h5diff -q "ranks-1/$file" "ranks-$ranks/$file" || fail "h5diff $file"
  done
done

! cmp -s ranks-1/policy/v000000.h5 ranks-1/policy/v000002.h5 || fail "the policies are one file"
head=/heads/policy_updates/parameters
if h5diff -q ranks-1/policy/v000000.h5 ranks-1/policy/v000002.h5 $head $head; then
  fail "no update changed $head"
fi

# another seed is another result
"$program" train "${arguments[@]}" run.dir=seed-1 run.seed=1
[[ $(checksum seed-1) != "$expected" ]] || fail "the seed does not matter"
