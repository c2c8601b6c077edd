"""The account that the embedded PostgreSQL runs as: it refuses root, and Atlas may well be run by root."""

import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

NOBODY = 65534


class PostgresError(RuntimeError):
    """The embedded PostgreSQL can't run here; the text says why and what to do."""


@dataclass(frozen=True)
class Account:
    """How PostgreSQL's programs are run, and which user owns their files."""

    prefix: tuple[str, ...]
    uid: int
    setuid: bool = False

    def run(self, *command: str | Path, timeout_s: float, log: Path) -> int:
        """Run one program to its end, its output appended to `log`; returns the exit code."""
        identity = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if self.setuid else {}
        # A file, not a pipe: the server inherits it, and a pipe would never close.
        with log.open("ab") as output:
            return subprocess.run(
                [*self.prefix, *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=_environment(),
                start_new_session=True,
                timeout=timeout_s,
                check=False,
                **identity,  # type: ignore[call-overload]
            ).returncode


def choose(*needed: Path) -> Account:
    """Ourselves; for root a user namespace in which root is `nobody`; where that is forbidden, `nobody`.

    `needed`: paths that the account must be able to reach. Raises PostgresError.
    """
    if os.geteuid() != 0:
        return Account(prefix=(), uid=os.geteuid())
    if may_unshare():
        prefix = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")
        return Account(prefix=prefix, uid=0)
    for path in needed:
        _require_open_to_nobody(path)
    return Account(prefix=(), uid=NOBODY, setuid=True)


@cache
def may_unshare() -> bool:
    program = shutil.which("unshare")
    if program is None:
        return False
    command = [program, "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def possible_owners() -> set[int]:
    """Whose files the cluster's may be: ours, and for root those of the account it may run as."""
    return {0, NOBODY} if os.geteuid() == 0 else {os.geteuid()}


def _require_open_to_nobody(path: Path) -> None:
    for folder in path.parents:
        if not folder.stat().st_mode & stat.S_IXOTH:
            raise PostgresError(
                "PostgreSQL refuses to run as root, this machine allows root no user namespace, and the user "
                f"`nobody` may not enter {folder}, which leads to {path}. Run Atlas as an ordinary user, "
                f"allow it (chmod o+x {folder}), set ATLAS_HOME to an open folder, or set DATABASE_URL."
            )


def _environment() -> dict[str, str]:
    """Ours without PG* variables: a PGDATA or PGPORT of the machine is not meant for this cluster."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}
