#!/bin/sh
# make bench: the same work on Atlas and on its peers, in one run.

. "$(dirname -- "$0")/common.sh"
sh scripts/prepare_python.sh
sh scripts/prepare_viewer.sh
exec "$PYTHON" -m benchmarks
