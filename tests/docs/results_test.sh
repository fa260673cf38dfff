#!/usr/bin/env bash
# The tables of docs/results.md are those that follow from the CSV files in docs/results.
# usage: results_test.sh SOURCE_DIR
set -euo pipefail
export PYTHON=${PYTHON:-python3}
"$PYTHON" -c 'import numpy, h5py, matplotlib' 2>/dev/null || {
  echo "no Python with numpy, h5py and matplotlib: skipped"
  exit 77
}
exec "$1/mpi_launch/plot" tables "$1/docs/results.md"
