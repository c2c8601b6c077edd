"""Asks nnU-Net and MONAI over files: they need a Python and a PyTorch that Atlas doesn't, so they have an
environment of their own, which `scripts/prepare_monai.sh` makes."""

import functools
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
WORKER = Path(__file__).with_name("worker.py")


@functools.cache
def _python() -> str:
    prepared = subprocess.run(
        ["sh", "scripts/prepare_monai.sh"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if prepared.returncode:
        pytest.fail(f"nnU-Net and MONAI could not be asked. {prepared.stderr.strip()}", pytrace=False)
    return prepared.stdout.strip().splitlines()[-1]


def said(*arguments: str | Path) -> str:
    """All that the judge prints, also as an error; fails where it stops."""
    done = subprocess.run(
        [_python(), str(WORKER), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout + done.stderr


def answer(*arguments: str | Path) -> Any:
    """The JSON in its last line."""
    done = subprocess.run(
        [_python(), str(WORKER), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])
