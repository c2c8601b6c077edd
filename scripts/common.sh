# Sourced by the other scripts: the folder of the checkout, and an environment that is the same everywhere.

set -eu
ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$ROOT"

# Tools want a home for their caches; where there is none (containers, services) they get a private one.
if [ -z "${HOME:-}" ] || [ ! -d "$HOME" ] || [ ! -w "$HOME" ]; then
    mkdir -p "$ROOT/.tools/home"
    HOME="$ROOT/.tools/home"
    export HOME
fi

export UV_PYTHON_DOWNLOADS=never
export UV_PROJECT_ENVIRONMENT="$ROOT/.venv"
export UV_COMPILE_BYTECODE=1  # 12 s once; each of the node's processes then starts in 1.5 s, not 5
unset VIRTUAL_ENV PYTHONHOME 2>/dev/null || true
PYTHON="$ROOT/.venv/bin/python"

fail() {
    printf '\n%s\n' "$*" >&2
    exit 1
}

as_root() { [ "$(id -u)" = 0 ]; }

# install_debian PACKAGE…: from Debian or Ubuntu, as root; false where that can't be done.
install_debian() {
    as_root && command -v apt-get >/dev/null 2>&1 || return 1
    echo "Installing $* …" >&2
    mkdir -p "$ROOT/.tools"
    DEBIAN_FRONTEND=noninteractive
    export DEBIAN_FRONTEND
    { apt-get update && apt-get install -y --no-install-recommends "$@"; } >"$ROOT/.tools/apt.log" 2>&1 && return 0
    tail -n 5 "$ROOT/.tools/apt.log" >&2
    return 1
}
