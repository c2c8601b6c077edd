#!/bin/sh
# make demo

. "$(dirname -- "$0")/common.sh"

sh scripts/prepare_python.sh
sh scripts/prepare_viewer.sh
exec "$PYTHON" manage.py demo
