"""The database of an empty node, made once and copied: to make it takes longer than most tests."""

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".tools" / "empty-node"


def copy_to(home: Path, make: Callable[[Path], None]) -> None:
    """Put the database of an empty node into `home`. `make` starts a node in a folder and stops it again; it
    is asked only where nobody has since migrations or packages changed."""
    kept = KEPT / _digest()
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            for old in KEPT.glob("[0-9a-f]*"):
                shutil.rmtree(old)
            made = Path(tempfile.mkdtemp(prefix="atlas-e2e-", dir="/tmp"))
            try:
                make(made)
                shutil.copytree(made / "postgres", KEPT / "half", dirs_exist_ok=True)
                (KEPT / "half").rename(kept)
            finally:
                shutil.rmtree(made, ignore_errors=True)
                shutil.rmtree(KEPT / "half", ignore_errors=True)
    shutil.copytree(kept, home / "postgres")


@cache
def _digest() -> str:
    """Of all that decides what the database of an empty node is like."""
    digest = hashlib.sha256((ROOT / "uv.lock").read_bytes())
    for app in ("accounts", "atlas", "annotations", "network"):
        for path in sorted((ROOT / app / "migrations").glob("*.py")):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]
