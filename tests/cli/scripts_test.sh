#!/usr/bin/env bash
# What a newcomer types first: each script tells what it does, and what is missing is said.
source "$(dirname "$0")/common.sh"

scripts=$source_dir/mpi_launch
for script in local quickstart setup check plot report export; do
  "$scripts/$script" --help >out 2>&1 || fail "$script --help"
  [[ $(wc -l <out) -ge 2 && ! -s log ]] || fail "$script --help says nothing"
  ! grep -q '^#' out || fail "$script --help shows its source"
done

# a machine without MPI's launcher
mkdir bin
for tool in bash dirname nproc readlink; do
  ln -s "$(command -v $tool)" bin/
done
code=0
AUTOMBPO=$program PATH=$work/bin "$scripts/local" -n 2 train "$config" >out 2>&1 || code=$?
[[ $code == 1 ]] || fail "without mpirun: exit code $code"
says 'no mpirun on the PATH'

# a Python without what reads the files
code=0
PYTHON=false "$scripts/report" run -o report.html >out 2>&1 || code=$?
[[ $code == 1 ]] || fail "without h5py: exit code $code"
says 'no Python 3 with numpy, h5py, matplotlib and jinja2'

expect 2 "unknown verb 'trian' \(did you mean 'train'\?\)" trian
expect 2 "metods/mbpo.yaml: no such file \(did you mean 'methods/mbpo.yaml'\?\)" train metods/mbpo.yaml
cp "$config" mine.yaml
expect 2 "mien.yaml: no such file \(did you mean 'mine.yaml'\?\)" config check mien.yaml
expect 2 "No such file" config check nothing-like-it.yaml
echo "scripts and names help"
