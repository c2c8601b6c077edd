#!/bin/sh
# make pictures: what a person sees, page by page, as PNG files in .atlas-pictures/.
# DOCS=1: only the pictures of docs/pictures/. NODE=http://127.0.0.1:8000: of a demo that runs already.

. "$(dirname -- "$0")/common.sh"
sh scripts/prepare_python.sh
ATLAS_CHROMIUM=$(sh scripts/find_chromium.sh)
export ATLAS_CHROMIUM
sh scripts/prepare_viewer.sh
exec "$PYTHON" -m tests.e2e.pictures
