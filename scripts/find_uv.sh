#!/bin/sh
# Prints the path of uv: the machine's if it works, else a private one, installed here at the first call.

. "$(dirname -- "$0")/common.sh"

for uv in "$(command -v uv || true)" "$ROOT/.tools/uv/bin/uv"; do
    if [ -n "$uv" ] && "$uv" --version >/dev/null 2>&1; then
        printf '%s\n' "$uv"
        exit 0
    fi
done

echo "Installing uv into .tools/uv …" >&2
mkdir -p "$ROOT/.tools"
rm -rf "$ROOT/.tools/uv"
LOG="$ROOT/.tools/uv-install.log"
: >"$LOG"
for python in "${UV_PYTHON:-}" python3 /usr/bin/python3; do
    [ -n "$python" ] && command -v "$python" >/dev/null 2>&1 || continue
    # With a virtual environment; where the system's Python comes without ensurepip, with pip alone.
    if "$python" -m venv "$ROOT/.tools/uv" >>"$LOG" 2>&1 &&
        "$ROOT/.tools/uv/bin/python" -m pip install --quiet uv >>"$LOG" 2>&1; then
        break
    fi
    rm -rf "$ROOT/.tools/uv"
    if "$python" -m pip install --quiet --target "$ROOT/.tools/uv" uv >>"$LOG" 2>&1; then
        break
    fi
    rm -rf "$ROOT/.tools/uv"
done
if "$ROOT/.tools/uv/bin/uv" --version >/dev/null 2>&1; then
    printf '%s\n' "$ROOT/.tools/uv/bin/uv"
    exit 0
fi
tail -n 5 "$LOG" >&2
fail "Atlas could not install uv. Where Python says that ensurepip is missing: apt install python3-venv (as root).
Otherwise check that pip reaches a package index, or install uv yourself: https://docs.astral.sh/uv/"
