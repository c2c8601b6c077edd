#!/bin/sh
# Prepares MONAI as a judge and a peer of the measures of agreement: in .tools/monai, with a Python 3.11 and a PyTorch
# of its own, apart from .venv and uv.lock. Prints its Python. Where it can't be had, says why and fails.

. "$(dirname -- "$0")/common.sh"

TORCH=2.13.0
MONAI=1.6.1
PLACE="$ROOT/.tools/monai"
LOG="$ROOT/.tools/monai-install.log"

works() { "$PLACE/bin/python" -c "import torch, monai.metrics; assert torch.__version__.startswith('$TORCH')" 2>/dev/null; }

if works; then
    printf '%s\n' "$PLACE/bin/python"
    exit 0
fi

for python in "${ATLAS_MONAI_PYTHON:-}" python3.11 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.11.*/bin/python; do
    if [ -n "$python" ] && "$python" -c 'import sys, venv, ensurepip; assert sys.version_info[:2] == (3, 11)' 2>/dev/null; then
        found=$python
        break
    fi
done
[ -n "${found:-}" ] || fail "MONAI needs a Python 3.11 beside that of Atlas, and there is none here.
Install one, or name it: ATLAS_MONAI_PYTHON=/path/to/python3.11"

echo "Installing MONAI $MONAI with PyTorch $TORCH into .tools/monai …" >&2
mkdir -p "$ROOT/.tools"
rm -rf "$PLACE"
# PyTorch first and by its exact version: asked for by MONAI alone, pip would take the newest, with gigabytes for GPUs.
if "$found" -m venv "$PLACE" >"$LOG" 2>&1 &&
    "$PLACE/bin/python" -m pip install --quiet "torch==$TORCH" numpy scipy >>"$LOG" 2>&1 &&
    "$PLACE/bin/python" -m pip install --quiet "monai==$MONAI" "torch==$TORCH" >>"$LOG" 2>&1 && works; then
    printf '%s\n' "$PLACE/bin/python"
    exit 0
fi
tail -n 5 "$LOG" >&2
rm -rf "$PLACE"
fail "MONAI could not be installed: $LOG says why. It needs PyTorch $TORCH for the CPU from the package index."
