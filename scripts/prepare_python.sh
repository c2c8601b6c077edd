#!/bin/sh
# The Python environment .venv, exactly as uv.lock says, with the groups named; with Node from a wheel where the
# machine has none.

. "$(dirname -- "$0")/common.sh"

# A hand-made choice is kept; an environment that exists knows its Python already.
UV_PYTHON=$(sh scripts/find_python.sh)
export UV_PYTHON
UV=$(sh scripts/find_uv.sh)
for group in "$@"; do
    GROUPS_WANTED="${GROUPS_WANTED:-} --group $group"
done
sh scripts/find_node.sh >/dev/null || GROUPS_WANTED="${GROUPS_WANTED:-} --group node"
# shellcheck disable=SC2086  # several words
"$UV" sync --frozen --quiet ${GROUPS_WANTED:-}
