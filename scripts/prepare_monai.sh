#!/bin/sh
# Prepares MONAI and nnU-Net, which judge the measures of agreement and the releases: in .tools/monai, with a Python 3.11
# and a PyTorch of their own, apart from .venv and uv.lock. Prints their Python. Where they can't be had, says why and fails.

. "$(dirname -- "$0")/common.sh"

TORCH=2.13.0
MONAI=1.6.1
NNUNET=2.8.1
PLACE="$ROOT/.tools/monai"
LOG="$ROOT/.tools/monai-install.log"

works() {
    "$PLACE/bin/python" -c "
import importlib.metadata as installed, monai.metrics, nibabel, nnunetv2, torch
assert torch.__version__.startswith('$TORCH') and installed.version('nnunetv2') == '$NNUNET'" 2>/dev/null
}

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
[ -n "${found:-}" ] || fail "MONAI and nnU-Net need a Python 3.11 beside that of Atlas, and there is none here.
Install one, or name it: ATLAS_MONAI_PYTHON=/path/to/python3.11"

echo "Installing MONAI $MONAI and nnU-Net $NNUNET with PyTorch $TORCH into .tools/monai …" >&2
mkdir -p "$ROOT/.tools"
rm -rf "$PLACE"
# PyTorch first and by its exact version: asked for by the others alone, pip would take the newest, with gigabytes for GPUs.
if "$found" -m venv "$PLACE" >"$LOG" 2>&1 &&
    "$PLACE/bin/python" -m pip install --quiet "torch==$TORCH" numpy scipy >>"$LOG" 2>&1 &&
    "$PLACE/bin/python" -m pip install --quiet "monai==$MONAI" "nnunetv2==$NNUNET" nibabel "torch==$TORCH" >>"$LOG" 2>&1 && works; then
    printf '%s\n' "$PLACE/bin/python"
    exit 0
fi
tail -n 5 "$LOG" >&2
rm -rf "$PLACE"
fail "MONAI and nnU-Net could not be installed: $LOG says why. They need PyTorch $TORCH for the CPU from the package index."
