#!/bin/sh
# make pictures: what a person sees, page by page, as PNG files in .atlas-pictures/.

. "$(dirname -- "$0")/common.sh"
sh scripts/prepare_python.sh
ATLAS_CHROMIUM=$(sh scripts/find_chromium.sh)
export ATLAS_CHROMIUM
sh scripts/prepare_viewer.sh
exec "$PYTHON" -m tests.e2e.pictures
