#!/usr/bin/env bash
# What is no regular file, in the place of any file of a run directory: a start refuses it at once,
# says what it is, and neither follows nor changes it.
# usage: foreign_files_test.sh PROGRAM SOURCE_DIR
source "$(dirname "$0")/common.sh"

expect 0 . baseline -q -o baseline.yaml "$config" scheduler.hyper_episodes=1 run.dir=base
train=(train -q "$config" scheduler.baseline=baseline.yaml)
expect 0 . "${train[@]}" run.dir=run
rm run/COMPLETE run/policy/v000002.h5 # the second stage is to be folded yet
: >kept

fifo() { mkfifo "$1"; }
directory() { mkdir "$1"; }
link() { ln -s "$work/kept" "$1"; }
dangling() { ln -s "$work/made" "$1"; }
device() { ln -s /dev/zero "$1"; }

# refused CODES KIND FILE ARGUMENT...: without waiting, with one of these exit codes, naming the file.
refused() {
  local codes=$1 kind=$2 file=$3 code=0
  shift 3
  timeout -k 1 600 "$program" "$@" </dev/null >out 2>&1 || code=$?
  [[ $code =~ ^($codes)$ ]] || fail "$kind as $file: $* ended with $code, expected $codes"
  says "$file: is a .*, expected a regular file"
  [[ ! -s kept && ! -e made ]] || fail "$kind as $file: it was followed"
}

# place KIND FILE: a copy of the run in which FILE is of this kind.
place() {
  rm -rf copy
  cp -a run copy
  rm -rf "copy/$2"
  "$1" "copy/$2"
}

files=(run.yaml baseline.yaml controller.h5 machine starts.jsonl status.json metrics.jsonl COMPLETE)
for kind in fifo directory link dangling device; do
  for file in "${files[@]}"; do
    place $kind "$file"
    refused 2 $kind "copy/$file" "${train[@]}" run.dir=copy
    refused 2 $kind "copy/$file" resume -q copy
  done
  for file in episodes/000004.h5 policy/v000001.h5; do
    place $kind "$file"
    refused '1|2' $kind "copy/$file" "${train[@]}" run.dir=copy
    refused '1' $kind "copy/$file" inspect copy
  done
  # nothing is there yet: the place of the first of its files is taken
  rm -rf new
  mkdir new
  $kind new/metrics.jsonl
  refused 2 $kind new/metrics.jsonl "${train[@]}" run.dir=new
done

# a checkpoint of another kind is passed over, and the run ends as it would have
expected=$(checksum base)
for kind in fifo directory dangling; do
  rm -rf copy
  cp -a base copy
  rm copy/COMPLETE copy/episodes/*
  mkdir copy/checkpoint/episode-000000
  $kind copy/checkpoint/episode-000000/gen-000007.h5
  timeout 600 "$program" resume -q copy >out 2>&1 || fail "$kind as a checkpoint: exit code $?"
  says "gen-000007.h5: is a .*, expected a regular file"
  [[ $(checksum copy) == "$expected" ]] || fail "$kind as a checkpoint: another checksum"
  [[ ! -e made ]] || fail "$kind as a checkpoint: it was followed"
done

# what a user names may be a link, and a configuration a pipe; a baseline is copied, so it is a file
ln -s baseline.yaml link.yaml
expect 0 . train -q <(cat "$config") scheduler.baseline=link.yaml run.dir=named
[[ $(checksum named) == "$(cd / && "$program" inspect --checksum "$work/named")" ]]
cmp named/baseline.yaml baseline.yaml || fail "a link that a user names is not followed"
mkfifo pipe.yaml
refused 2 fifo pipe.yaml train -q "$config" scheduler.baseline=pipe.yaml run.dir=none
[[ ! -e none ]] || fail "a refused start has written something"
