#!/usr/bin/env bash
# The Debian package holds what an installation holds, names what it needs, and runs from where it was
# unpacked, as a user who owns nothing of it.
# usage: package_test.sh CPACK BUILD_DIR
set -euo pipefail
cpack=$1 build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

for tool in dpkg-deb dpkg-shlibdeps; do
  command -v $tool >/dev/null || { echo "no $tool: skipped" && exit 77; }
done
"$cpack" --config "$build/CPackConfig.cmake" -B "$work" >"$work/log" 2>&1 || fail "cpack: $(cat "$work/log")"
package=$(echo "$work"/autombpo_*.deb)
[[ -s $package ]] || fail "no package: $(ls "$work")"
depends=$(dpkg-deb -f "$package" Depends)
for needed in openmpi-bin procps libopenmpi libhdf5 libyaml; do
  [[ $depends == *$needed* ]] || fail "it does not depend on $needed: $depends"
done
dpkg-deb -c "$package" >"$work/files"
[[ $depends == *libmujoco* ]] || grep 'autombpo/libmujoco' "$work/files" >/dev/null ||
  fail "it neither depends on MuJoCo nor has its own: $depends"
chmod 755 "$work"
dpkg-deb -x "$package" "$work/root"
find "$work/root" -perm /022 ! -type l | grep . && fail "others may write"
find "$work/root" -type f -print0 | xargs -0 grep -l "$work" | grep . && fail "it knows where it was made"
for file in bin/autombpo bin/autombpo-report share/man/man1/autombpo-train.1 share/autombpo/configs/hopper.yaml; do
  [[ -s $work/root/usr/$file ]] || fail "usr/$file is not in it"
done
mkdir -m 777 "$work/home"
as=()
[[ $(id -u) != 0 ]] || as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
cd "$work/home"
"${as[@]}" "$work/root/usr/bin/autombpo" train -q methods/mbpo.yaml inverted-pendulum.yaml run.dir=run \
  mbpo.epoch_length=20 mbpo.exploration_steps=40 mbpo.min_pool=40 mbpo.max_path_length=20 \
  hyper.train_epochs=1 hyper.apply_epochs=1 scheduler.hyper_episodes=1 sac.hidden_size=8 model.hidden_size=8 \
  model.max_epochs=1 mbpo.policy_updates=1 mbpo.train_interval=20 mbpo.rollouts=20 >"$work/log" 2>&1 ||
  fail "it does not train: $(cat "$work/log")"
"${as[@]}" "$work/root/usr/bin/autombpo" status run | grep finished >/dev/null || fail "the run is not finished"
