#!/usr/bin/env bash
# The model of leases, joining and folding keeps its laws in all interleavings, and each fault that is
# planted in it breaks the law that it should.
# usage: model_test.sh SOURCE_DIR
set -euo pipefail
model=$1/tests/model/cluster.pml
for tool in spin gcc; do
  command -v "$tool" >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# search DEFINE...: what the model checker says
search() {
  spin -a "${@/#/-D}" "$model" >spin.out || { cat spin.out; exit 1; }
  gcc -O1 -w -DSAFETY -DCOLLAPSE -o pan pan.c
  ./pan -m100000 -w22 >said
}

search CRASHES=2
grep -q 'errors: 0' said && ! grep -q 'max search depth too small' said || { cat said; exit 1; }
grep 'states, stored' said
while read -r fault law; do
  search CRASHES=2 "$fault"
  grep -q "$law" said || { echo "$fault: not found"; cat said; exit 1; }
  echo "$fault: $law"
done <<'FAULTS'
LEASE_TWICE assertion violated leased_once
FOLD_ORDER assertion violated same_bits
VERSION_NOW assertion violated same_bits
NO_TAKEOVER invalid end state
FORGETS_LOST invalid end state
FAULTS
