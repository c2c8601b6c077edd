"""The database of an empty node, made once and copied: to migrate it takes longer than most tests."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from itertools import chain
from pathlib import Path

from atlas import postgres

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / ".tools" / "empty-node"
APPS = ("accounts", "atlas", "annotations", "network")
OTHERS = ("uv.lock", "atlas/postgres.py")
MIGRATE = "from atlas.management.commands.serve import prepare_database; prepare_database()"


def copy_to(home: Path) -> None:
    """Put the database of an empty node into `home`. It is made where nobody has since migrations or packages
    changed."""
    kept = KEPT / _digest()
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            for old in KEPT.glob("[0-9a-f]*"):
                shutil.rmtree(old)
            made = Path(tempfile.mkdtemp(prefix="atlas-e2e-", dir="/tmp"))
            try:
                _make(made)
                shutil.copytree(made / "postgres", KEPT / "half", dirs_exist_ok=True)
                (KEPT / "half").rename(kept)
            finally:
                shutil.rmtree(made, ignore_errors=True)
                shutil.rmtree(KEPT / "half", ignore_errors=True)
        shutil.copytree(kept, home / "postgres")


def environment_of(home: Path) -> dict[str, str]:
    """Of the programs of a node: as in production, whatever the tests' own settings say."""
    return {
        **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
        "DJANGO_SETTINGS_MODULE": "atlas.settings",
        "ATLAS_HOME": str(home),
        "ATLAS_DATABASE_POOL": "1",
    }


def _make(home: Path) -> None:
    postgres.ensure_running(home, durable=False)
    try:
        done = subprocess.run(
            [sys.executable, "manage.py", "shell", "--no-imports", "--command", MIGRATE],
            cwd=ROOT,
            env=environment_of(home) | {"ATLAS_DATABASE_POOL": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    finally:
        postgres.stop(home)


@cache
def _digest() -> str:
    """Of all that decides what the database of an empty node is like."""
    digest = hashlib.sha256()
    migrations = [(ROOT / app / "migrations").glob("*.py") for app in APPS]
    for path in [*(ROOT / name for name in OTHERS), *sorted(chain.from_iterable(migrations))]:
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]
