#!/bin/sh
# The Python environment .venv, exactly as uv.lock says; with Node from a wheel where the machine has none.

. "$(dirname -- "$0")/common.sh"

# A hand-made choice is kept; an environment that exists knows its Python already.
UV_PYTHON=$(sh scripts/find_python.sh)
export UV_PYTHON
UV=$(sh scripts/find_uv.sh)
if sh scripts/find_node.sh >/dev/null; then
    "$UV" sync --frozen --quiet
else
    "$UV" sync --frozen --quiet --group node
fi
