"""What a person sees while files come: bars in a terminal, lines elsewhere."""

import threading
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from atlas_client.remote import Entry

LINE_EVERY_S = 10.0
SHOWN_FROM_BYTES = 8 * 1024 * 1024  # smaller files come and go faster than anyone reads
NAME_LENGTH = 40


class Watched:
    """Shows on a console; `quiet` shows nothing but what goes wrong."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self.console, self._quiet = console, quiet
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=quiet or not console.is_terminal,
        )
        self._all: TaskID | None = None
        self._files: dict[str, TaskID] = {}
        self._lock = threading.Lock()
        self._count = self._ended = self._size = self._here = 0
        self._told = time.monotonic()

    def __enter__(self) -> "Watched":
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def say(self, sentence: str) -> None:
        if not self._quiet:
            self.console.print(sentence, markup=False, highlight=False)

    def begin(self, files: int, size: int) -> None:
        with self._lock:
            self._count, self._size, self._ended, self._here = files, size, 0, 0
            if self._all is not None:
                self._bars.remove_task(self._all)
            self._all = self._bars.add_task(f"{files} files", total=size)

    def began_file(self, entry: Entry) -> None:
        if entry.size >= SHOWN_FROM_BYTES:
            name = entry.path if len(entry.path) <= NAME_LENGTH else f"…{entry.path[1 - NAME_LENGTH :]}"
            with self._lock:
                self._files[entry.path] = self._bars.add_task(name, total=entry.size)

    def moved(self, entry: Entry, count: int) -> None:
        with self._lock:
            self._here += count
            if self._all is not None:
                self._bars.advance(self._all, count)
            if entry.path in self._files:
                self._bars.advance(self._files[entry.path], count)
            line = self._line()
        if line:
            self.say(line)

    def _line(self) -> str:
        """Now and then, where there are no bars."""
        now = time.monotonic()
        if self.console.is_terminal or now - self._told < LINE_EVERY_S:
            return ""
        self._told = now
        return f"{self._ended} of {self._count} files, {size_text(self._here)} of {size_text(self._size)}"

    def ended_file(self, entry: Entry, *, was_there: bool) -> None:
        with self._lock:
            self._ended += 1
            if self._all is not None:
                self._bars.update(self._all, description=f"{self._ended} of {self._count} files")
            task = self._files.pop(entry.path, None)
            if task is not None:
                self._bars.remove_task(task)


def size_text(count: float) -> str:
    """12.4 GB"""
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
