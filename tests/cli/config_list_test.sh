#!/usr/bin/env bash
# What comes with the program is listed whole, found by name from anywhere, and says what made it.
# usage: config_list_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"
configs=$source_dir/configs

# every file is there, with one line each
expect 0 "^tasks$" config list
cp out all
for file in "$configs"/*.yaml "$configs"/release/*.yaml "$configs"/methods/*.yaml; do
  grep -Eq "^  ${file#"$configs"/} +[^ ]" all || fail "$file is not listed, or does not say what it is"
done
for path in "$configs"/baselines/*.yaml "$configs"/controllers/*/; do
  grep -Eq "^  shipped:$(basename "$path" .yaml) +[^ ]" all || fail "$path is not listed"
done
lines=$(find "$configs" "$configs/release" "$configs/methods" "$configs/baselines" -maxdepth 1 -name '*.yaml' | wc -l)
lines=$((lines + $(find "$configs"/controllers -mindepth 1 -type d | wc -l)))
[[ $(grep -c '^  ' all) == "$lines" ]] || fail "$(grep -c '^  ' all) lines, expected $lines"

# each controller and each R' says what made it, and that is a command of this program
for kind in baselines controllers; do
  expect 0 "^$kind$" config list $kind
  [[ $(grep -c '^  shipped:' out) == $(grep -c 'made by: autombpo [a-z]' out) ]] || fail "$kind without a command"
  N=0
  while read -r command; do
    eval "words=($command)" # $((N + 1))
    [[ ${words[1]} == train ]] || continue
    (cd "$source_dir" && "$program" config check "${words[@]:2}") >log 2>&1 || fail "$command"
  done < <(sed -n 's/.*made by: //p' out)
done

# by name, in a directory without any of them
expect 0 "apply: +|method: " apply -n pendulum-small.yaml scheduler.controller=shipped:pendulum-small
for number in 1 9; do
  "$program" apply -q -n pendulum-small.yaml scheduler.controller=shipped:pendulum-small/$number >named
  "$program" apply -q -n pendulum-small.yaml scheduler.controller="$configs/controllers/pendulum-small/$number.h5" >placed
  diff <(grep -v controller: named) <(grep -v controller: placed) || fail "another controller than $number.h5"
done
expect 0 "no problem" config check pendulum-small.yaml scheduler.baseline=shipped:pendulum-small
! grep missing out || fail "R' is not found by name"

# what is not there is answered with what is
there='the controllers that come with the program are shipped:.*, shipped:pendulum-small, shipped:pendulum-small-fork'
for name in pendulum-smal pendulum-small/10 pendulum-small/../pendulum-small/1 /; do
  expect 2 "shipped:$name: there is none of this name; $there" apply pendulum-small.yaml \
    scheduler.controller="shipped:$name" run.dir=new
done
expect 2 "shipped:none: .* baselines .* shipped:pendulum-v1" train pendulum-small.yaml \
  scheduler.baseline=shipped:none run.dir=new
expect 2 "cake: expected tasks, methods, baselines or controllers" config list cake
[[ ! -e new ]] || fail "something was written"

# a directory of one's own
mkdir -p own/controllers/mine own/methods
cp "$configs/controllers/pendulum-small/0.h5" own/controllers/mine/
printf '# A method of mine.\nrun: {method: mine}\n' >own/methods/mine.yaml
export AUTOMBPO_PATH=$work/own
expect 0 "^  methods/mine.yaml +A method of mine.$" config list methods
expect 0 "^  shipped:mine +/0 to /0" config list controllers
expect 0 "method: +mine" apply -n pendulum-small.yaml methods/mine.yaml scheduler.controller=shipped:mine
