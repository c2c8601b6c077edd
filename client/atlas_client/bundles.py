"""Fetches many small files at once, as ranges of the release's archive: a request a file costs more than its
bytes. What doesn't come so, or doesn't come right, is left to be fetched file by file.
"""

import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from struct import error as StructError
from struct import unpack
from typing import Any

from atlas_client.errors import AtlasError, DiskError
from atlas_client.folder import Folder
from atlas_client.remote import Entry, RemoteRelease, Selection
from atlas_client.transfer import keep

SMALL_BYTES = 1_000_000  # files up to this size come in bundles
FEWEST = 32  # of them, below which the archive's directory isn't worth reading
BUNDLE_BYTES = 8_000_000
GAP_BYTES = 100_000  # of files between that nobody wants, and come along
HEADER = 30  # bytes of a local header before the name (APPNOTE 4.3.7)

Placed = Callable[[Entry], None]


def fetch_small(
    release: RemoteRelease,
    folder: Folder,
    missing: list[Entry],
    selection: Selection,
    *,
    workers: int,
    placed: Placed,
) -> None:
    """Puts into their places what of `missing` is small, where it comes right; `placed` is told of each.
    Raises DiskError alone: what else goes wrong is for whoever fetches the rest to say."""
    small = {entry.path: entry for entry in missing if 0 < entry.size <= SMALL_BYTES}
    if len(small) < FEWEST:
        return

    stop_now = threading.Event()

    def one(bundle: list[tuple[int, Entry]]) -> None:
        if stop_now.is_set():
            return
        first = bundle[0][0]
        data = archive.read(first, bundle[-1][0] + _room(bundle[-1][1]))
        for offset, entry in bundle:
            at = offset - first
            name, extra = unpack("<HH", data[at + HEADER - 4 : at + HEADER])
            begin = at + HEADER + name + extra
            if keep(entry, data[begin : begin + entry.size], folder):
                placed(entry)

    try:
        archive = _Archive(release, selection)
        with ThreadPoolExecutor(workers, thread_name_prefix="bundle") as pool:
            try:
                list(pool.map(one, _bundles(archive.places(small))))
            except BaseException:
                stop_now.set()
                raise
    except DiskError:
        raise
    except (AtlasError, zipfile.BadZipFile, ValueError, OSError, NotImplementedError, StructError):
        return


def _room(entry: Entry) -> int:
    """Bytes from where an entry begins to its end, at most: name and extra field are short."""
    return HEADER + len(entry.path.encode()) + 400 + entry.size


def _bundles(places: list[tuple[int, Entry]]) -> Iterator[list[tuple[int, Entry]]]:
    """Files that lie near each other, until they are enough for a request."""
    bundle: list[tuple[int, Entry]] = []
    for offset, entry in places:
        if bundle:
            end = bundle[-1][0] + _room(bundle[-1][1])
            if offset - end > GAP_BYTES or offset + _room(entry) - bundle[0][0] > BUNDLE_BYTES:
                yield bundle
                bundle = []
        bundle.append((offset, entry))
    if bundle:
        yield bundle


class _Archive:
    """The archive of a selection, as it is while its ETag stays the same."""

    def __init__(self, release: RemoteRelease, selection: Selection) -> None:
        self._release, self._params = release, selection.params()
        self._etag, self.size = "", 0
        self.read(0, 1)

    def read(self, first: int, end: int) -> bytes:
        """The bytes up to `end`, which may lie beyond its own. Raises ValueError where it is another."""
        headers = {"Range": f"bytes={first}-{end - 1}"}
        if self._etag:
            headers["If-Range"] = self._etag
        place = f"{self._release.place}archive/"
        with self._release.server.stream("GET", place, params=self._params, headers=headers) as response:
            told = response.headers.get("Content-Range", "").partition("/")
            if response.status_code != 206 or not told[0].startswith(f"bytes {first}-"):
                raise ValueError("This is no range of the archive.")
            self._etag, self.size = response.headers.get("ETag", ""), int(told[2])
            gathered = bytearray()
            for piece in response.iter_raw():
                gathered += piece
                if len(gathered) > end - first:
                    raise ValueError("More came than was asked for.")
        if len(gathered) < min(end, self.size) - first:
            raise ValueError("The range broke off.")
        return bytes(gathered)

    def places(self, wanted: dict[str, Entry]) -> list[tuple[int, Entry]]:
        """Where the wanted files begin, in order, as the archive's own directory says."""
        with zipfile.ZipFile(_Ranges(self)) as directory:  # type: ignore[arg-type]
            found = [
                (info.header_offset, wanted[path])
                for info in directory.infolist()
                if (path := info.filename.partition("/")[2]) in wanted
                and info.compress_type == zipfile.ZIP_STORED
                and info.file_size == wanted[path].size
            ]
        return sorted(found, key=lambda place: place[0])


class _Ranges(io.RawIOBase):
    """The archive as a file that is read where it is asked for."""

    def __init__(self, archive: _Archive) -> None:
        self._archive, self._at = archive, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._archive.size}[whence]
        if start + offset < 0:
            raise OSError("before the beginning")
        self._at = start + offset
        return self._at

    def read(self, size: int | None = -1) -> Any:
        end = self._archive.size if size is None or size < 0 else min(self._at + size, self._archive.size)
        if end <= self._at:
            return b""
        data = self._archive.read(self._at, end)
        self._at = end
        return data
