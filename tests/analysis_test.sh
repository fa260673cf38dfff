#!/usr/bin/env bash
# The tests of the Python package, with the Python that has its libraries.
# usage: analysis_test.sh SOURCE_DIR PROGRAM
set -euo pipefail
python=${PYTHON:-python3}
"$python" -c 'import numpy, h5py, matplotlib, jinja2, pytest' 2>/dev/null || {
  echo "no Python with numpy, h5py, matplotlib, jinja2 and pytest: skipped"
  exit 77
}
cd "$1/analysis"
AUTOMBPO=$2 PYTHONPATH=src exec "$python" -m pytest -q -p no:cacheprovider tests
