"""A Python with Django on a node's database that stays for the next question: to start one takes seconds."""

import json
import select
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Reads one JSON string a line, runs it as a program, and says what it printed and what went wrong.
ANSWERS = """
import contextlib, io, json, sys, traceback
from django.db import connections
for line in sys.stdin:
    printed, trouble = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(printed):
            exec(json.loads(line), {"__name__": "__main__"})
    except BaseException:
        trouble = traceback.format_exc()
    connections.close_all()
    print(json.dumps([printed.getvalue(), trouble]), flush=True)
"""


class Shell:
    def __init__(self, environment: dict[str, str], log: Path) -> None:
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "shell", "--no-imports", "--command", ANSWERS],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )

    def run(self, code: str, *, timeout_s: float) -> str:
        """What it printed; an error fails the test with its text."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(code) + "\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], timeout_s)
        line = self._process.stdout.readline() if ready else ""
        if not line:
            self._process.kill()
            raise AssertionError(f"No answer after {timeout_s} s, or no end of it, to:\n{code}")
        printed, trouble = json.loads(line)
        assert not trouble, f"{code}\nfailed:\n{printed}{trouble}"
        return printed

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
