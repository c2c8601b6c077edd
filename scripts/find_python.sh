#!/bin/sh
# Prints the path of a Python >= 3.12 of this machine, or says what to install.
# Every candidate is run: a pyenv shim, for one, fails where `.python-version` names a version it hasn't.

. "$(dirname -- "$0")/common.sh"

PROBE='
import sys, sysconfig
good = sys.version_info >= (3, 12) and not sysconfig.get_config_var("Py_GIL_DISABLED")
print(getattr(sys, "_base_executable", "") or sys.executable) if good else sys.exit(1)
'

try() {
    [ -n "$1" ] || return 1
    FOUND=$("$1" -c "$PROBE" 2>/dev/null) && [ -x "$FOUND" ] || return 1
    printf '%s\n' "$FOUND"
    exit 0
}

[ -z "${UV_PYTHON:-}" ] || try "$UV_PYTHON" || true
for version in 3.13 3.12 3.14; do
    try "$(command -v "python$version" || true)" || true
done
try "$(command -v python3 || true)" || true

# pyenv keeps versions that are not on PATH. Its folder: named, beside the command, above the shims, in the home.
pyenv_roots() {
    printf '%s\n' "${PYENV_ROOT:-}"
    pyenv=$(command -v pyenv || true)
    [ -z "$pyenv" ] || dirname -- "$(dirname -- "$(readlink -f -- "$pyenv" 2>/dev/null || printf '%s' "$pyenv")")"
    printf '%s' "$PATH" | tr ':' '\n' | sed -n 's|/shims/*$||p'
    printf '%s\n' "${HOME:-}/.pyenv"
    (getent passwd "$(id -u)" 2>/dev/null || true) | cut -d: -f6 | sed 's|$|/.pyenv|'
}
ROOTS=$(pyenv_roots)
for version in 3.13 3.12 3.14; do
    OLD_IFS=$IFS
    IFS='
'
    for folder in $ROOTS; do
        IFS=$OLD_IFS
        for python in "$folder/versions/$version"*/bin/python; do
            [ ! -x "$python" ] || try "$python" || true
        done
    done
    IFS=$OLD_IFS
done
for python in /usr/local/bin/python3.1[2-9] /usr/bin/python3.1[2-9] /opt/homebrew/bin/python3.1[2-9]; do
    [ ! -x "$python" ] || try "$python" || true
done

fail "Atlas needs Python 3.12 or newer, and this machine has none that works ($(python3 --version 2>&1 | head -n 1)).
Install one (Debian 13, Ubuntu 24.04: apt install python3 python3-venv; macOS: brew install python@3.13;
anywhere: pyenv install 3.13), or name one: UV_PYTHON=/path/to/python3.13 make …"
