"""The demo's network for tests: `manage.py demo_federation` in a folder of its own, on free ports."""

import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from network.demo.nodes import NODES, PASSWORD
from tests import prepared
from tests.e2e.node import ROOT
from tests.e2e.shell import Shell

START_TIMEOUT_S = 300


class NetworkOfThree:
    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="atlas-three-", dir="/tmp"))
        self.port = _three_free_ports()
        self.log = self.home / "log"
        self.environment = prepared.environment_of(self.home)
        self._shells: dict[str, Shell] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def address(self, key: str) -> str:
        return f"http://127.0.0.1:{self.port + [node.key for node in NODES].index(key)}"

    def __enter__(self) -> "NetworkOfThree":
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def start(self) -> None:
        for node in NODES:  # that a node starts from nothing, the demo's shows
            home = self.home / "federation" / node.key
            if not home.exists():
                home.mkdir(parents=True)
                prepared.copy_to(home)
        command = [sys.executable, "manage.py", "demo_federation", f"--port={self.port}"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        ends = time.monotonic() + START_TIMEOUT_S
        while "Ctrl+C stops all three." not in self.said():
            if self._process.poll() is not None or time.monotonic() > ends:
                raise AssertionError(f"The network didn't start:\n{self.said()}{self.logs()}")
            time.sleep(0.2)

    def stop(self) -> None:
        """As Ctrl+C does."""
        for shell in self._shells.values():
            shell.close()
        self._shells.clear()
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(90)
            self._process = None

    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def logs(self) -> str:
        files = [self.home / "federation" / node.key / "node.log" for node in NODES]
        return "".join(file.read_text()[-3000:] for file in files if file.exists())

    def python(self, key: str, code: str) -> str:
        """Run Python with Django on one of the nodes."""
        if key not in self._shells:
            environment = self.environment | {
                "ATLAS_HOME": str(self.home / "federation" / key),
                "ATLAS_PORT": self.address(key).rpartition(":")[2],
                "ATLAS_ADDRESS": self.address(key),
            }
            self._shells[key] = Shell(environment, self.log)
        return self._shells[key].run(code, timeout_s=120)


def _three_free_ports() -> int:
    """The first of three in a row."""
    for _ in range(50):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port > 65_000:
            continue
        try:
            for n in (1, 2):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port + n))
        except OSError:
            continue
        return port
    raise AssertionError("No three free ports in a row.")


__all__ = ["PASSWORD", "NetworkOfThree"]
