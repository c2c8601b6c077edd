"""`manage.py serve`: the whole node: web processes and workers, watched and started again when they die."""

import errno
import os
import socket
import sys
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.utils.module_loading import import_string

from atlas import postgres
from atlas.health import unapplied_migrations
from atlas.processes import Child, Supervisor

LOOPBACK = ("127.0.0.1", "localhost", "::1")
PIDS_FILE = "processes.json"
HUB_WATCH_S = 2.0


class Command(BaseCommand):
    help = "Serve the node: web and workers, restarted when they die, until Ctrl+C or SIGTERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
        parser.add_argument(
            "--port", type=int, default=default_port(), help="port (default $ATLAS_PORT or 8000)"
        )
        parser.add_argument("--web", type=int, default=1, help="web processes")
        parser.add_argument("--workers", type=int, default=1, help="worker processes")
        parser.add_argument("--migrate", action="store_true", help="bring the database up to date first")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.DEMO and options["host"] not in LOOPBACK:
            raise CommandError("The demo's passwords are public: it listens on 127.0.0.1 only.")
        listener = listen(options["host"], options["port"])
        if options["migrate"]:
            prepare_database()
        elif missing := unapplied_migrations():
            raise CommandError(
                f"{missing} migrations are not applied. Run `python manage.py migrate`, or serve --migrate."
            )
        if said := _prepared():
            print(said, flush=True)
        address = f"http://{options['host']}:{options['port']}"
        serve(
            listener,
            web=options["web"],
            workers=options["workers"],
            on_ready=lambda: print(f"Atlas is ready at {address}", flush=True),
        )


def default_port() -> int:
    text = os.environ.get("ATLAS_PORT") or "8000"
    if not text.isdigit():
        raise CommandError(f"ATLAS_PORT is {text!r}; it must be a number such as 8000.")
    return int(text)


def listen(host: str, port: int) -> socket.socket:
    """The listening socket, opened first so that a port in use is told before any work is done."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise CommandError(
                f"Port {port} is in use by another program (perhaps another Atlas). "
                f"Stop that one, or choose another port: ATLAS_PORT={port + 1}."
            ) from error
        raise CommandError(f"Can't listen on {host}, port {port}: {error.strerror}.") from error
    listener.listen(2048)
    return listener


def prepare_database() -> None:
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)


def _prepared() -> str:
    """Nobody is answered while the node would tell more than it may: then it doesn't start."""
    try:
        return import_string(settings.BEFORE_SERVING)()
    except OSError as error:
        raise CommandError(
            f"ATLAS_DISCLOSURE_MINIMUM was raised, and what is published can't be counted anew. "
            f"{str(error).rstrip('.')}. Start again when the storage can be read."
        ) from error


def serve(listener: socket.socket, *, web: int, workers: int, on_ready: Callable[[], None]) -> None:
    """Run the node on `listener` until it is told to stop; then stop the embedded database as well."""
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    descriptor = listener.fileno()
    children = [
        *(Child(f"web{n}", [*manage, "web", f"--fd={descriptor}"], [descriptor]) for n in range(1, web + 1)),
        *(Child(f"worker{n}", [*manage, "worker"]) for n in range(1, workers + 1)),
    ]
    hub = _HubWatch()
    hub.start()
    children.append(Child("agent", [*manage, "agent"], is_wanted=hub.is_known.is_set))
    host, port = listener.getsockname()[:2]
    threading.Thread(target=_tell_when_ready, args=(host, port, on_ready), daemon=True).start()
    try:
        Supervisor(
            children,
            every_second=_revive_database,
            pids_file=Path(settings.ATLAS_HOME) / PIDS_FILE,
            log=lambda line: print(line, flush=True),
        ).run()
    finally:
        listener.close()
        hub.stop()
        stop_database()


class _HubWatch(threading.Thread):
    """Looks whether this node has a hub, so that its agent appears soon after somebody joined one.

    In a thread of its own: the supervisor never waits for the database, which it may have to start.
    """

    def __init__(self) -> None:
        super().__init__(name="hub watch", daemon=True)
        self.is_known = threading.Event()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Before the database is stopped: nothing tries to reach it any more."""
        self._stopped.set()
        self.join(HUB_WATCH_S)
        if _embedded():
            connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's

    def run(self) -> None:
        hub_is_known = import_string(settings.HUB_IS_KNOWN)
        while not self._stopped.wait(HUB_WATCH_S):
            try:
                if hub_is_known():
                    self.is_known.set()
                else:
                    self.is_known.clear()
            except DatabaseError:
                pass  # it is being started again; what was known holds
            finally:
                connection.close()


def stop_database() -> None:
    """Stop the embedded database; one that DATABASE_URL names is not ours to stop."""
    if _embedded():
        postgres.stop(settings.ATLAS_HOME)


def _embedded() -> bool:
    return "DATABASE_URL" not in os.environ


def _revive_database() -> None:
    if _embedded() and postgres.postmaster_pid(settings.ATLAS_HOME) is None:
        print("database died; starting it again", flush=True)
        postgres.ensure_running(settings.ATLAS_HOME)


def _tell_when_ready(host: str, port: int, on_ready: Callable[[], None]) -> None:
    while not _healthy(host, port):
        time.sleep(0.2)
    on_ready()


def _healthy(host: str, port: int) -> bool:
    connection = HTTPConnection("127.0.0.1" if host == "0.0.0.0" else host, port, timeout=5)  # noqa: S104
    try:
        connection.request("GET", "/health", headers={"Host": settings.ALLOWED_HOSTS[0]})
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
