#!/usr/bin/env bash
# An installed copy runs from anywhere, with its own files.
# usage: install_test.sh CMAKE BUILD_DIR
set -euo pipefail
cmake=$1 build=$2
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
"$cmake" --install "$build" --prefix "$work/prefix" >"$work/log"
cd /
program=$work/prefix/bin/autombpo
share=$work/prefix/share/autombpo/configs

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

for file in share/doc/autombpo/LICENSE include/autombpo/env_plugin.h share/man/man5/autombpo.yaml.5 \
  share/bash-completion/completions/autombpo; do
  [[ -s $work/prefix/$file ]] || fail "$file is not installed"
done
cmp "$work/prefix/share/man/man5/autombpo.yaml.5" <("$program" config man)
cmp "$work/prefix/share/bash-completion/completions/autombpo" <("$program" config completion bash)
bash -n "$work/prefix/share/bash-completion/completions/autombpo"
"$program" config check hopper.yaml methods/autombpo.yaml run.dir="$work/run" >/dev/null
"$program" fvi bound fvi/ring.yaml >/dev/null
"$program" env list >/dev/null
"$program" env check --steps 50 hopper-v4 >/dev/null
"$program" train -n methods/mbpo.yaml run.dir="$work/run" >/dev/null
[[ ! -e $work/run ]] || fail "train -n wrote something"

# what is changed in the prefix counts, so nothing is read from the source tree
echo 'mbpo: {policy_updates: 17}' >"$share/methods/mbpo.yaml"
"$program" config show methods/mbpo.yaml | grep -E 'policy_updates: +17' >/dev/null ||
  fail "the configuration is not the installed one"
echo 'fvi: {no_such_key: 1}' >"$share/fvi/ring.yaml"
! "$program" fvi bound fvi/ring.yaml >/dev/null 2>&1 || fail "fvi's configuration is another"
echo '<broken' >"$share/mjcf/hopper.xml"
! "$program" env describe hopper-v4 >/dev/null 2>&1 || fail "the model is not the installed one"
