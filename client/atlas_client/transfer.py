"""Fetches one file: goes on where it stopped, checks every byte, and only then calls it done."""

import hashlib
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path

import httpx

from atlas_client.errors import AtlasError, ChangedError, IntegrityError
from atlas_client.folder import CHUNK, Folder, disk
from atlas_client.remote import Entry, RemoteRelease
from atlas_client.server import Busy, Passing, Patience

_CONTENT_RANGE = re.compile(r"bytes ([0-9]+)-([0-9]+)/([0-9]+)")

Moved = Callable[[int], None]
"""Told of bytes that came; of fewer than none where some are fetched again."""


class Stopped(AtlasError):
    """Another file failed, or somebody pressed Ctrl-C."""


class _Part:
    """The file that grows, with the digest of what it holds."""

    def __init__(self, file: Path, moved: Moved) -> None:
        self.file, self._moved = file, moved
        with disk(file):
            file.parent.mkdir(parents=True, exist_ok=True)
            self.stream = file.open("r+b" if file.exists() else "w+b")
        self.digest = hashlib.sha256()
        self.size = 0
        while piece := self.stream.read(CHUNK):
            self.digest.update(piece)
            self.size += len(piece)
        moved(self.size)

    def write(self, piece: bytes) -> None:
        with disk(self.file):
            self.stream.write(piece)
        self.digest.update(piece)
        self.size += len(piece)
        self._moved(len(piece))

    def begin_again(self) -> None:
        with disk(self.file):
            self.stream.seek(0)
            self.stream.truncate()
        self._moved(-self.size)
        self.digest, self.size = hashlib.sha256(), 0

    def finish(self, place: Path) -> None:
        """To its place, once it is on the disk."""
        with disk(place):
            self.stream.flush()
            os.fsync(self.stream.fileno())
            self.stream.close()
            place.parent.mkdir(parents=True, exist_ok=True)
            self.file.replace(place)


def fetch(
    release: RemoteRelease,
    entry: Entry,
    folder: Folder,
    *,
    moved: Moved = lambda count: None,
    stop: threading.Event | None = None,
) -> None:
    """The file is in its place when this returns; when it raises, there is no such file, or the old one.

    Raises ChangedError where the node has another content for it now, IntegrityError where what it sends is
    not what it says, WithdrawnError, DiskError, NetworkError.
    """
    place = folder.file(entry.path)
    patience = release.server.patience()
    part = _Part(folder.part(entry), moved)
    was_wrong = False
    try:
        while True:
            if part.size > entry.size:
                part.begin_again()
            if part.size < entry.size or not entry.size:
                _receive(release, entry, part, patience, stop)
            if part.digest.hexdigest() == entry.sha256:
                part.finish(folder.file(entry.path))  # asked again: a link may have come since
                folder.found_right(entry)
                return
            part.begin_again()
            if was_wrong:
                raise IntegrityError(
                    f"{entry.path} came twice with other bytes than its SHA-256 says. It was not kept. Tell "
                    "the administrator of the node."
                )
            was_wrong = True
    finally:
        if not part.stream.closed:
            with disk(place):
                part.stream.close()


def keep(entry: Entry, data: bytes, folder: Folder) -> bool:
    """Put a file that came whole into its place, if it is what the release says. Raises DiskError."""
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        return False
    part = _Part(folder.part(entry), lambda count: None)
    part.begin_again()
    part.write(data)
    part.finish(folder.file(entry.path))
    folder.found_right(entry)
    return True


def _receive(
    release: RemoteRelease, entry: Entry, part: _Part, patience: Patience, stop: threading.Event | None
) -> None:
    """The rest of the file, whatever happens between."""
    while True:
        had = part.size
        try:
            headers = {"Range": f"bytes={had}-", "If-Range": f'"{entry.sha256}"'} if had else {}
            with release.server.stream("GET", release.file_address(entry.path), headers=headers) as response:
                _take(response, entry, part, stop)
            if part.size == entry.size:
                return
            raise Passing(f"{entry.path} broke off at byte {part.size}.")
        except Busy:  # written anew, as a case was withdrawn; then it is another file, or the same
            release.read()
            release.wait_until_ready()
        except Passing as error:
            if part.size > had:
                patience.renew()
            patience.wait(error)


def _take(response: httpx.Response, entry: Entry, part: _Part, stop: threading.Event | None) -> None:
    tag = response.headers.get("ETag", "").strip('"')
    if response.status_code == 416 or (response.status_code == 206 and not _goes_on(response, entry, part)):
        part.begin_again()
        raise Passing(f"{entry.path}: the node has no bytes from there on.")
    if response.status_code == 200:
        if tag and tag != entry.sha256:
            raise ChangedError(f"{entry.path} has changed on the node since its manifest was read.")
        if part.size:
            part.begin_again()
    for piece in response.iter_raw():  # as they come: what is gathered first is lost when the line breaks
        if stop is not None and stop.is_set():
            raise Stopped("Stopped.")
        if part.size + len(piece) > entry.size:
            part.begin_again()
            raise IntegrityError(f"The node sends more bytes of {entry.path} than the {entry.size} it has.")
        part.write(piece)


def _goes_on(response: httpx.Response, entry: Entry, part: _Part) -> bool:
    """Whether this range begins where the file ends."""
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    return match is not None and (int(match[1]), int(match[3])) == (part.size, entry.size)
