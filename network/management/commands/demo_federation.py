"""`manage.py demo_federation`: a hub and two nodes on this machine, joined, until Ctrl+C."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from atlas.management.commands.serve import default_port
from atlas.processes import SUPERVISED
from network.demo.nodes import NODES, PASSWORD, DemoNode

LOOPBACK = "127.0.0.1"
READY_S = 120
CATALOGUE_S = 60
STOP_S = 30


class Stopped(Exception):
    """Somebody asked for an end."""


@dataclass
class Running:
    """One node with a home, a port, cookies and processes of its own."""

    node: DemoNode
    home: Path
    port: int
    serve: subprocess.Popen[bytes] | None = None
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        left_out = {"DATABASE_URL", "ATLAS_KEYS", "ATLAS_OBJECTS", "ATLAS_TLS", "ATLAS_HOSTS", SUPERVISED}
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in left_out},
            "ATLAS_HOME": str(self.home),
            "ATLAS_PORT": str(self.port),
            "ATLAS_ADDRESS": self.address,
            "ATLAS_NODE_NAME": self.node.name,
            "ATLAS_COOKIES": f"atlas_{self.node.key}",
            "ATLAS_DEMO": "1",
            "ATLAS_EMAIL_FOLDER": os.environ.get("ATLAS_EMAIL_FOLDER") or str(self.home / "mail"),
        }

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def log(self) -> Path:
        return self.home / "node.log"

    def manage(self, *arguments: str, stdin: str | None = None) -> str:
        """What `manage.py` printed, on this node. Raises CommandError with its last lines."""
        # Into a file: the database that it may start keeps a pipe open long after it has ended.
        with tempfile.TemporaryFile("w+") as told:
            done = subprocess.run(
                [sys.executable, "manage.py", *arguments],
                cwd=settings.BASE_DIR,
                env=self.environment,
                input=stdin or "",
                stdout=told,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,  # Ctrl+C is for this command, which stops the others in order
            )
            told.seek(0)
            said = told.read()
        if done.returncode != 0:
            last = "\n".join(said.strip().splitlines()[-8:])
            raise CommandError(f"{self.node.name}: {arguments[0]} failed.\n{last}")
        return said

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.serve = subprocess.Popen(
                [sys.executable, "manage.py", "serve", f"--port={self.port}"],
                cwd=settings.BASE_DIR,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/health", timeout=5) as answer:  # noqa: S310 our own
                return answer.status == 200
        except (OSError, urllib.error.HTTPError):
            return False

    def has_ended(self) -> bool:
        return self.serve is not None and self.serve.poll() is not None

    def stop(self) -> None:
        if self.serve is not None and self.serve.poll() is None:
            self.serve.terminate()

    def wait(self) -> None:
        if self.serve is None:
            return
        try:
            self.serve.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.serve.kill()


class Command(BaseCommand):
    help = "Start a hub and two nodes that joined it, with accounts and images, on this machine's loopback."
    requires_system_checks = []  # this process has no node of its own

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=int, default=default_port(), help="the hub's; the nodes take the two after it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        homes = Path(settings.ATLAS_HOME) / "federation"
        running = [Running(node, homes / node.key, options["port"] + n) for n, node in enumerate(NODES)]
        _require_free([one.port for one in running])
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _stop)
        try:
            self._start(running)
            self._welcome(running)
            while not any(one.has_ended() for one in running):
                time.sleep(0.5)
            ended = next(one for one in running if one.has_ended())
            raise CommandError(f"{ended.node.name} ended by itself; {ended.log} says why. All are stopped.")
        except Stopped:
            print("\nStopping …", flush=True)
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            self._stop_all(running)
        print("Stopped. `make demo-federation` goes on where you left.", flush=True)

    def _start(self, running: list[Running]) -> None:
        hub, *nodes = running
        for one in running:
            one.home.mkdir(parents=True, exist_ok=True)
        print("Preparing three nodes: databases, people, images …", flush=True)
        _all(lambda one: one.manage("seed_federation", one.node.key), running)
        print("Starting the hub …", flush=True)
        hub.start()
        _until_ready([hub])
        for one in nodes:
            self._join(hub, one)
        print("Starting the nodes …", flush=True)
        for one in nodes:
            one.start()
        _until_ready(nodes)
        expected = sum(len(one.node.datasets) for one in nodes)
        _until(lambda: _published(hub) >= expected, CATALOGUE_S)

    def _join(self, hub: Running, one: Running) -> None:
        """By a real invitation; not again where it has joined before."""
        if hub.address in one.manage("shell", "--no-imports", "--command", _HUB_ADDRESS).split():
            return
        print(f"{one.node.name} joins …", flush=True)
        country = f"--country={one.node.country}"
        text = hub.manage("invite_node", one.node.name, country, "--by=admin").strip().splitlines()[-1]
        one.manage("join_hub", "--yes", stdin=text + "\n")

    def _stop_all(self, running: list[Running]) -> None:
        for one in running:
            one.stop()
        for one in running:
            one.wait()
        for one in running:  # a database that was prepared but never served
            if (one.home / "postgres").exists():
                subprocess.run(
                    [sys.executable, "-c", _STOP_DATABASE],
                    cwd=settings.BASE_DIR,
                    env=one.environment,
                    capture_output=True,
                    start_new_session=True,
                )

    def _welcome(self, running: list[Running]) -> None:
        lines = ["", f"A network of three nodes. Every password is {PASSWORD}.", ""]
        for one in running:
            lines.append(f"{one.node.name}: {one.address}/")
            lines += [f"  {person.username:<11} {person.does}" for person in one.node.people]
            lines.append(f"  letters     {one.environment['ATLAS_EMAIL_FOLDER']}")
            lines.append("")
        lines += [
            "Ask a question or request access at the hub as researcher; answer it at the node as committee;",
            "then sign in at the node with “Sign in with Network hub” as researcher.",
            "Ctrl+C stops all three.",
            "",
        ]
        print("\n".join(lines), flush=True)


_HUB_ADDRESS = "from network.federation import nodes; hub = nodes.hub(); print(hub.address if hub else '')"
_STOP_DATABASE = "from atlas import postgres; from atlas.home import atlas_home; postgres.stop(atlas_home())"


def _stop(*_: object) -> None:
    raise Stopped


def _require_free(ports: list[int]) -> None:
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError as error:
                raise CommandError(
                    f"Port {port} is in use by another program; this demo takes {ports[0]} to {ports[-1]}. "
                    f"Stop that one, or choose other ports: ATLAS_PORT={ports[-1] + 1} make demo-federation."
                ) from error


def _all(do: Any, running: list[Running]) -> None:
    """The same for each node, side by side. Raises the first CommandError."""
    failed: list[CommandError] = []

    def one_of_them(one: Running) -> None:
        try:
            do(one)
        except CommandError as error:
            failed.append(error)

    threads = [threading.Thread(target=one_of_them, args=(one,), daemon=True) for one in running]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):  # signals arrive between these
        time.sleep(0.1)
    if failed:
        raise failed[0]


def _until_ready(running: list[Running]) -> None:
    def all_ready() -> bool:
        for one in running:
            if one.has_ended():
                raise CommandError(f"{one.node.name} didn't start; {one.log} says why.")
        return all(one.is_ready() for one in running)

    if not _until(all_ready, READY_S):
        raise CommandError(f"Not ready after {READY_S} s; see {', '.join(str(one.log) for one in running)}.")


def _until(is_so: Any, seconds: float) -> bool:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if is_so():
            return True
        time.sleep(0.3)
    return False


def _published(hub: Running) -> int:
    """How many datasets the hub's catalogue shows."""
    try:
        with urllib.request.urlopen(f"{hub.address}/api/v1/catalogue/datasets/", timeout=5) as answer:  # noqa: S310
            return int(json.load(answer).get("count", 0))
    except (OSError, ValueError):
        return 0
