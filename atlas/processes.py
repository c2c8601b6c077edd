"""Runs the processes of a node as children of one: starts them again when they die, stops all together."""

import ctypes
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

TICK_S = 0.1
STOP_TIMEOUT_S = 10.0
BACKOFF_FIRST_S, BACKOFF_LAST_S = 0.2, 10.0
STEADY_S = 30.0  # a child that lived this long starts again without a pause
SUPERVISED = "ATLAS_SUPERVISED"


def die_with_parent() -> None:
    """In a child: be stopped by the system when the supervisor is gone, even by SIGKILL (Linux only)."""
    if os.environ.get(SUPERVISED) and sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
        if os.getppid() == 1:  # it died before the call
            os.kill(os.getpid(), signal.SIGTERM)


@dataclass
class Child:
    name: str
    command: Sequence[str]
    inherit: Sequence[int] = ()
    """File descriptors that the child keeps, as the listening socket."""
    process: subprocess.Popen[str] | None = None
    started: float = 0.0
    start_at: float = 0.0
    pause_s: float = BACKOFF_FIRST_S
    is_wanted: Callable[[], bool] = lambda: True
    """Whether to start it. Asked ten times a second, in the main thread; one that ended while it isn't wanted
    stays away."""


@dataclass
class Supervisor:
    """Runs `children` until SIGINT or SIGTERM. Call `run` from the main thread."""

    children: list[Child]
    every_second: Callable[[], None]
    """Called about each second, as to look after the database."""
    pids_file: Path
    """Says who is who, for operators and tests: {"supervisor": pid, "web1": pid, …}."""
    log: Callable[[str], None] = print
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        stops = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self._on_signal) for number in stops}
        try:
            next_second = time.monotonic()
            while not self._stop.is_set():
                for child in self.children:
                    self._look_after(child)
                if time.monotonic() >= next_second:
                    next_second = time.monotonic() + 1.0
                    self.every_second()
                self._stop.wait(TICK_S)
        finally:
            self._stop_all()
            self.pids_file.unlink(missing_ok=True)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._stop.is_set():  # asked twice: don't wait for work under way
            for child in self.children:
                if child.process:
                    child.process.kill()
        self._stop.set()

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_at and child.is_wanted():
                self._start(child)
        elif (code := child.process.poll()) is not None:
            child.process = None
            if now - child.started > STEADY_S:
                child.pause_s = BACKOFF_FIRST_S
            # Jitter, so that many children don't return in step.
            pause_s = child.pause_s * random.uniform(0.8, 1.2)  # noqa: S311
            child.pause_s = min(child.pause_s * 2, BACKOFF_LAST_S)
            child.start_at = now + pause_s
            if child.is_wanted():
                self._say(child.name, f"ended ({_reason(code)}); starting again in {pause_s:.1f} s")

    def _start(self, child: Child) -> None:
        child.started = time.monotonic()
        child.process = subprocess.Popen(
            child.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=child.inherit,
            env={**os.environ, SUPERVISED: "1", "PYTHONUNBUFFERED": "1"},
            start_new_session=True,  # Ctrl+C in the terminal reaches the supervisor only
        )
        threading.Thread(target=self._forward, args=(child.name, child.process), daemon=True).start()
        pids = {"supervisor": os.getpid()}
        pids |= {each.name: each.process.pid for each in self.children if each.process}
        partial = self.pids_file.with_suffix(".part")
        partial.write_text(json.dumps(pids))
        partial.replace(self.pids_file)

    def _forward(self, name: str, process: subprocess.Popen[str]) -> None:
        if process.stdout is None:
            return
        for line in process.stdout:
            self._say(name, line.rstrip())

    def _say(self, name: str, line: str) -> None:
        self.log(f"{name:<8} {line}")

    def _stop_all(self) -> None:
        running = [child.process for child in self.children if child.process]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:  # a long job: it runs again, see atlas.jobs
                process.kill()
                process.wait()


def _reason(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
