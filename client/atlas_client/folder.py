"""A folder that holds a release, or what was chosen of it, and what is known of it.

.atlas-client/release.json     which release, what was chosen, every file with its SHA-256
.atlas-client/checked.json     which files were found right, by size and time of change
.atlas-client/parts/           files that are not whole yet
"""

import contextlib
import errno
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from atlas_client import paths
from atlas_client.errors import DiskError, UsageError
from atlas_client.remote import Entry, Selection, entry_of

CHUNK = 1024 * 1024
FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def disk(what: Path) -> Iterator[None]:
    """An error of the disk as a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise DiskError(
                f"The disk is full: {what} could not be written. Make room, then run this again."
            ) from error
        raise DiskError(f"{what} can't be written: {error.strerror or error}.") from error


class Folder:
    """`facts` are those of the release as they were at the last fetching; empty for a folder of no client."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.own = root / paths.OWN_FOLDER
        self.facts: dict[str, Any] = {}
        self.entries: dict[str, Entry] = {}
        self._checked: dict[str, list[Any]] = {}
        self._lock = threading.Lock()
        self._read()

    # What is known -----------------------------------------------------------------------------------

    def _read(self) -> None:
        try:
            kept = json.loads((self.own / "release.json").read_text())
            entries = [
                entry_of({**file, "withdrawn_at": file.get("withdrawn")}) for file in kept.pop("files", [])
            ]
            self.facts, self.entries = kept, {entry.path: entry for entry in entries}
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{self.own / 'release.json'} can't be read: {error}. Name another folder."
            ) from error
        with contextlib.suppress(OSError, ValueError):
            self._checked = json.loads((self.own / "checked.json").read_text())

    def require(self, server: str, name: str) -> None:
        """Raises UsageError where another release lies here."""
        for key, value in (("name", name), ("server", server)):
            if self.facts and self.facts.get(key) != value:
                raise UsageError(
                    f"{self.root} holds {self.facts.get('name')} of {self.facts.get('server')}. Name another."
                )

    def keep(self, server: str, facts: dict[str, Any], selection: Selection, entries: list[Entry]) -> None:
        """Beside what was chosen before: two calls with different formats fill one folder."""
        told = (
            "name",
            "number",
            "project",
            "title",
            "licence",
            "citation",
            "manifest_sha256",
            "withdrawn_cases",
        )
        self.facts = {key: facts.get(key) for key in told} | {"server": server}
        self.entries |= {entry.path: entry for entry in entries}
        self.save()

    def save(self) -> None:
        content = self.facts | {"files": [asdict(entry) for entry in self.entries.values()]}
        self._write("release.json", content)
        with self._lock:
            checked = dict(self._checked)
        self._write("checked.json", checked)

    def _write(self, name: str, content: Any) -> None:
        file = paths.placed_own(self.root, name)
        with disk(file):
            file.parent.mkdir(parents=True, exist_ok=True)
            written = file.with_name(f"{name}.new")
            written.write_text(json.dumps(content))
            written.replace(file)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One client at a time. Where the system has no such locks, whoever starts two is on their own."""
        try:
            import fcntl
        except ImportError:
            yield
            return
        lock = paths.placed_own(self.root, "lock")
        with disk(lock):
            lock.parent.mkdir(parents=True, exist_ok=True)
            file = lock.open("w")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise UsageError(f"Another atlas-client works in {self.root}.") from error
            yield

    # Files -----------------------------------------------------------------------------------------------

    def file(self, path: str) -> Path:
        return paths.placed(self.root, path)

    def part(self, entry: Entry) -> Path:
        """Where a file is until it is whole. Another content has another: never two that grow together."""
        name = hashlib.sha256(f"{entry.path}\n{entry.sha256}".encode()).hexdigest()
        return paths.placed_own(self.root, f"parts/{name[:32]}.part")

    def is_right(self, entry: Entry, *, trusting: bool = True) -> bool:
        """Whether the file is here and is what the release says. `trusting`: a file that was found right and
        has not been touched since is not read again."""
        file = self.file(entry.path)
        try:
            now = file.stat()
        except OSError:
            return False
        if not file.is_file() or now.st_size != entry.size:
            return False
        seen = [now.st_size, now.st_mtime_ns, entry.sha256]
        if trusting and self._checked.get(entry.path) == seen:
            return True
        is_right = sha256_of(file) == entry.sha256
        if is_right:
            self.found_right(entry)
        return is_right

    def found_right(self, entry: Entry) -> None:
        now = self.file(entry.path).stat()
        with self._lock:
            self._checked[entry.path] = [now.st_size, now.st_mtime_ns, entry.sha256]

    def remove(self, path: str) -> None:
        """The file, and folders that are empty without it."""
        file = self.file(path)
        with disk(file):
            file.unlink(missing_ok=True)
        self.entries.pop(path, None)
        self._checked.pop(path, None)
        for folder in file.parents:
            if folder == self.root:
                break
            try:
                folder.rmdir()
            except OSError:
                break

    def clear_parts(self) -> None:
        """Once all is whole, of what was begun nothing is needed."""
        parts = self.own / "parts"
        if parts.is_dir() and not parts.is_symlink():
            for part in parts.glob("*.part"):
                with contextlib.suppress(OSError):
                    part.unlink()


def sha256_of(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while piece := stream.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def free_bytes(folder: Path) -> int:
    """Room on the disk of a folder that may not be there yet."""
    import shutil

    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
