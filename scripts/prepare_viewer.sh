#!/bin/sh
# The viewer: installs its packages when the lockfile changed, builds static/dist when a source changed.

. "$(dirname -- "$0")/common.sh"

VIEWER="$ROOT/static/viewer"
INSTALLED="$VIEWER/node_modules/.atlas-installed"
BUILT="$ROOT/static/dist/.atlas-built"

[ -x "$PYTHON" ] || sh scripts/prepare_python.sh

if [ ! -e "$INSTALLED" ] || [ "$VIEWER/package-lock.json" -nt "$INSTALLED" ]; then
    echo "Installing the viewer's packages …" >&2
    sh scripts/npm.sh ci --no-audit --no-fund --loglevel=error >&2
    touch "$INSTALLED"
fi

# The stamp is touched before the build: a source saved meanwhile builds again next time.
newer() { find "$VIEWER" -name node_modules -prune -o -newer "$BUILT" ! -path "$VIEWER" -print | head -n 1; }
if [ ! -e "$BUILT" ] || [ -n "$(newer)" ]; then
    echo "Building the viewer …" >&2
    BEGUN="$ROOT/.tools/viewer-begun"
    mkdir -p "$ROOT/.tools"
    touch "$BEGUN"
    sh scripts/npm.sh run build >"$ROOT/.tools/viewer-build.log" 2>&1 || {
        cat "$ROOT/.tools/viewer-build.log" >&2
        fail "The viewer does not build; see above."
    }
    touch -r "$BEGUN" "$BUILT"
fi
