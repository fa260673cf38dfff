#!/usr/bin/env bash
# An installed copy runs from anywhere, with its own files.
# usage: install_test.sh CMAKE BUILD_DIR
set -euo pipefail
cmake=$1 build=$2
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
"$cmake" --install "$build" --prefix "$work/prefix" >"$work/log"
mkdir "$work/here"
cd "$work/here"
program=$work/prefix/bin/autombpo
share=$work/prefix/share/autombpo/configs

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

for file in doc/autombpo/LICENSE doc/autombpo/CITATION.cff man/man5/autombpo.yaml.5 man/man1/autombpo.1 \
  bash-completion/completions/autombpo zsh/site-functions/_autombpo \
  fish/vendor_completions.d/autombpo.fish autombpo/mpi_launch/job.sbatch pkgconfig/autombpo.pc \
  cmake/autombpo/autombpo-config.cmake; do
  [[ -s $work/prefix/share/$file ]] || fail "share/$file is not installed"
done
cmp "$work/prefix/share/man/man5/autombpo.yaml.5" <("$program" config man)

# Each verb has a man page that says what its --help says.
"$program" --help | sed -n 's/^  \([a-z]\+\) .*/\1/p' >verbs
[[ $(wc -l <verbs) -gt 10 ]] || fail "no verbs"
while read -r verb; do
  page=$work/prefix/share/man/man1/autombpo-$verb.1
  [[ -s $page ]] || fail "$verb has no man page"
  sed 's/\\-/-/g; s/\\e/\\/g; s/\\&//' "$page" >plain
  while IFS= read -r line; do
    grep -qF -- "$line" plain || fail "the man page of $verb lacks '$line'"
  done < <("$program" "$verb" --help | sed 's/^usage: //; s/^ *//')
  if command -v man >/dev/null; then
    LC_ALL=C MANROFFSEQ='' MANWIDTH=80 man --warnings -l "$page" >plain 2>log </dev/null
    [[ ! -s log ]] || fail "$(cat log)"
    ! grep -E '^.{81}' plain || fail "the man page of $verb is wider than 80 columns"
  fi
done <verbs

# What the shells complete is in their scripts, which the shells can read.
completions=(bash-completion/completions/autombpo zsh/site-functions/_autombpo
  fish/vendor_completions.d/autombpo.fish)
for shell in bash zsh fish; do
  script=$work/prefix/share/${completions[0]}
  completions=("${completions[@]:1}")
  cmp "$script" <("$program" config completion $shell)
  ! command -v $shell >/dev/null || $shell -n "$script" || fail "$shell cannot read its completions"
  for word in audit mbpo.real_ratio scheduler.kind; do
    grep -qF "$word" "$script" || fail "$shell does not complete $word"
  done
done
# shellcheck source=/dev/null
complete_words() (
  source "$work/prefix/share/bash-completion/completions/autombpo"
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
  compopt() { :; }
  _autombpo
  echo "${COMPREPLY[@]}"
)
[[ $(complete_words autombpo aud) == audit ]] || fail "bash completes aud with $(complete_words autombpo aud)"
[[ " $(complete_words autombpo train model.stop = '') " == *" together "* ]] || fail "no values are completed"

# The scripts find the program and the Python package beside them, and so do modules.
"$work/prefix/bin/autombpo-local" --help | grep WORKERS >/dev/null || fail "autombpo-local"
"$work/prefix/bin/autombpo-plot" --version | grep '[0-9]' >/dev/null || fail "autombpo-plot"
for tool in report export; do
  "$work/prefix/bin/autombpo-$tool" --help | grep RUN >/dev/null || fail "autombpo-$tool"
done
if command -v mpirun >/dev/null; then
  env -u AUTOMBPO OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "$work/prefix/bin/autombpo-local" \
    -n 1 train -n methods/mbpo.yaml run.dir="$work/run" >log 2>&1 || fail "autombpo-local: $(cat log)"
fi
if command -v tclsh >/dev/null; then
  module=$(echo "$work"/prefix/share/modulefiles/autombpo/*)
  tclsh <<END >log || fail "the module file"
proc module-whatis args {}
proc conflict args {}
proc prepend-path {name value} { puts "\$name=\$value" }
proc setenv {name value} { puts "\$name=\$value" }
set ModulesCurrentModulefile $module
source $module
END
  grep -qx "AUTOMBPO=$work/prefix/bin/autombpo" log || fail "the module file: $(cat log)"
fi
"$program" config check hopper.yaml methods/autombpo.yaml run.dir="$work/run" >/dev/null
"$program" fvi bound fvi/ring.yaml >/dev/null
"$program" env list >/dev/null
"$program" env check --steps 50 hopper-v4 >/dev/null
"$program" train -n methods/mbpo.yaml run.dir="$work/run" >/dev/null
[[ ! -e $work/run ]] || fail "train -n wrote something"

# what comes with it is found by name
"$program" config list controllers | grep 'shipped:pendulum-small ' >/dev/null || fail "config list"
"$program" apply -n pendulum-small.yaml scheduler.controller=shipped:pendulum-small/1 \
  run.dir="$work/run" >/dev/null

if "${PYTHON:-python3}" -c 'import numpy, h5py' 2>/dev/null; then
  echo "params = {'domain': 'Hopper', 'task': 'v2', 'kwargs': {'epoch_length': 500}}" >hopper.py
  env -u AUTOMBPO "$program" config import mbpo hopper.py -o hopper.yaml 2>/dev/null || fail "config import"
  grep -q 'epoch_length: 500 ' hopper.yaml || fail "what was imported: $(cat hopper.yaml)"
fi

# what is changed in the prefix counts, so nothing is read from the source tree
echo 'mbpo: {policy_updates: 17}' >"$share/methods/mbpo.yaml"
"$program" config show methods/mbpo.yaml | grep -E 'policy_updates: +17' >/dev/null ||
  fail "the configuration is not the installed one"
echo 'fvi: {no_such_key: 1}' >"$share/fvi/ring.yaml"
! "$program" fvi bound fvi/ring.yaml >/dev/null 2>&1 || fail "fvi's configuration is another"
echo '<broken' >"$share/mjcf/hopper.xml"
! "$program" env describe hopper-v4 >/dev/null 2>&1 || fail "the model is not the installed one"
