#!/bin/sh
# make judges: independent tools read what Atlas writes, on real data.

. "$(dirname -- "$0")/common.sh"

ATLAS_TEST_DATA=${ATLAS_TEST_DATA:-$ROOT/../shared/data}
[ -d "$ATLAS_TEST_DATA" ] || fail "make judges needs the test data, and $ATLAS_TEST_DATA is not a folder.
Name the folder that holds it: ATLAS_TEST_DATA=/path/to/data make judges"
export ATLAS_TEST_DATA

if ! { command -v dciodvfy && command -v storescu && command -v plastimatch && command -v unzip; } >/dev/null 2>&1; then
    install_debian dicom3tools dcmtk plastimatch unzip || fail "make judges needs dciodvfy, which checks DICOM files, storescu, which sends them, plastimatch, which fills outlines, and unzip.
Install them (Debian: apt install dicom3tools dcmtk plastimatch unzip; elsewhere: https://www.dclunie.com/dicom3tools.html, https://dcmtk.org, https://plastimatch.org)."
fi

sh scripts/prepare_python.sh judges
sh scripts/prepare_monai.sh >/dev/null
ATLAS_CHROMIUM=$(sh scripts/find_chromium.sh)
export ATLAS_CHROMIUM
sh scripts/prepare_viewer.sh
exec "$PYTHON" -m pytest -q tests --ignore=tests/e2e -m judge
