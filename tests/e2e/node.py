"""A real Atlas for tests: its own folder, database, web process and worker, on a free loopback port."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from atlas import postgres
from tests import prepared
from tests.e2e import emptying
from tests.e2e.shell import ROOT, Shell

__all__ = ["ROOT", "Node"]
START_TIMEOUT_S = 90.0


class Node:
    """`with Node() as node:` starts `manage.py serve` and waits until /health says that all is ready."""

    def __init__(self, *, home: Path | None = None, demo: bool = False, web: int = 1) -> None:
        # /tmp and not $TMPDIR: the path of a Unix socket is limited to about 100 bytes.
        self.home = home or Path(tempfile.mkdtemp(prefix="atlas-e2e-", dir="/tmp"))
        self._temporary = home is None
        self._prepared = home is None and not demo  # the demo shows that a node starts from nothing
        self.web = web
        self.port = _free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.log_file = self.home / "node.log"
        self.environment = prepared.environment_of(self.home) | {
            "ATLAS_DEMO": "1" if demo else "0",
            "ATLAS_EMAIL_FOLDER": str(self.home / "mail"),
        }
        self._serve: subprocess.Popen[bytes] | None = None
        self._shell: Shell | None = None

    def __enter__(self) -> "Node":
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._temporary:
            shutil.rmtree(self.home, ignore_errors=True)

    # Start and stop

    def start(self) -> None:
        if self._prepared and not (self.home / "postgres").exists():
            prepared.copy_to(self.home)
        serve = ["serve", f"--port={self.port}", f"--web={self.web}", "--migrate"]
        command = [sys.executable, "manage.py", *serve]
        with self.log_file.open("ab") as log:
            self._serve = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.wait_until_ready()

    def stop(self) -> None:
        """As an operator would: SIGTERM. Stops the database too."""
        if self._shell is not None:
            self._shell.close()
            self._shell = None
        if self._serve is not None:
            self._serve.terminate()
            self._serve.wait(30)
            self._serve = None
        postgres.stop(self.home)

    def restart(self) -> None:
        self.stop()
        self.start()

    def kill(self) -> None:
        """SIGKILL the web process in the middle of whatever it does; the node starts another."""
        os.kill(self.pid("web1"), signal.SIGKILL)

    def kill_worker(self) -> None:
        os.kill(self.pid("worker1"), signal.SIGKILL)

    def crash(self) -> None:
        """SIGKILL everything at once, database included, as a power cut would. `start` brings it back."""
        if self._serve is None:
            raise RuntimeError("the node does not run")
        pids = list(self._pids().values())
        database = postgres.postmaster_pid(self.home)
        for pid in [*pids, *([database] if database else [])]:
            with contextlib.suppress(ProcessLookupError):  # one that was killed before, and not replaced yet
                os.kill(pid, signal.SIGKILL)
        self._serve.wait(10)
        self._serve = None

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        answer = "nothing"
        while time.monotonic() < deadline:
            if self._serve is not None and self._serve.poll() is not None:
                raise AssertionError(f"The node ended:\n{self.log_tail()}")
            try:
                with urllib.request.urlopen(f"{self.base_url}/health", timeout=5) as response:
                    if response.status == 200:
                        return
            except urllib.error.HTTPError as error:
                answer = error.read().decode(errors="replace")
            except OSError as error:
                answer = str(error)
            time.sleep(0.1)
        raise AssertionError(f"The node is not ready; /health said {answer}\n{self.log_tail()}")

    def empty(self) -> None:
        """Back to before anybody was there, while it goes on running. Numbers of rows are not given again:
        nothing that its processes remember is mistaken for what comes next."""
        self.wait_until_ready()
        emptying.empty(self.home)
        shutil.rmtree(self.home / "mail", ignore_errors=True)

    # Look and ask

    def manage(self, *arguments: str, stdin: str | None = None, timeout_s: float = 120) -> str:
        """Run `manage.py` on this node and return what it printed; an error fails the test with its text."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )
        if done.returncode != 0:
            raise AssertionError(f"manage.py {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def python(self, code: str, *, timeout_s: float = 120) -> str:
        """Run Python with Django on this node's database, as `manage.py shell` does."""
        if self._shell is None or not self._shell.runs:
            self._shell = Shell(self.environment, self.log_file)
        return self._shell.run(code, timeout_s=timeout_s)

    def pid(self, name: str) -> int:
        return self._pids()[name]

    def _pids(self) -> dict[str, int]:
        return json.loads((self.home / "processes.json").read_text())

    def log_tail(self, lines: int = 40) -> str:
        if not self.log_file.exists():
            return ""
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
