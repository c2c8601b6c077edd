#!/bin/sh
# make demo-federation

. "$(dirname -- "$0")/common.sh"

sh scripts/prepare_python.sh
sh scripts/prepare_viewer.sh
ATLAS_DEMO=1
export ATLAS_DEMO
exec "$PYTHON" manage.py demo_federation
