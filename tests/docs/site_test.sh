#!/usr/bin/env bash
# site_test.py with the Python that has MkDocs, if there is one.
# usage: site_test.sh SOURCE_DIR
set -euo pipefail
for python in ${PYTHON-} /usr/bin/python3 python3; do
  ! "$python" -c 'import mkdocs' 2>/dev/null || exec "$python" "$1/tests/docs/site_test.py" "$1"
done
exec python3 "$1/tests/docs/site_test.py" "$1"
