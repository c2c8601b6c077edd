"""Where objects live: one port, over files here or S3. Keys are random: they tell nothing, spread evenly."""

import errno
import io
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from django.conf import settings

from atlas.archive.windows import Window

COPY_BYTES = 1024 * 1024


# Keys made one after another share a folder for a while: a new folder costs two more waits for the disk.
KEYS_IN_A_ROW = 64
_keys_made = count()

# The kernel reads ahead by as much or more: where two bytes so far apart are in memory, so is what lies
# between, all but always. Where not, somebody waits for a disk once.
PROBE_BYTES = 128 * 1024


class ObjectMissing(Exception):
    """An object that the index names is not in storage."""


class StorageUnavailable(OSError):
    """Storage can't take or give objects now: it refused, or didn't answer. The message is a sentence."""


def is_storage_trouble(error: BaseException) -> bool:
    """Whether the same may work later: a full or read-only disk, or a store that refuses."""
    return isinstance(error, StorageUnavailable) or (
        isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
    )


type Piece = bytes | memoryview
type Part = Piece | Path | BinaryIO | Iterator[Piece]


class Listed(NamedTuple):
    """An object in storage: its key, size in bytes, and when it was put (UTC)."""

    key: str
    size: int
    modified: datetime


class Storage(Protocol):
    """Objects by key. Keys come from `new_key`; objects never change once put.

    A full disk raises OSError (ENOSPC), a store that refuses or doesn't answer StorageUnavailable.
    """

    def put_durable(self, key: str, *parts: Part) -> int:
        """Store the parts one after the other (files from where they stand) and return the number of bytes.
        When it returns, the object survives a power cut; when it raises, there is no such object."""
        ...

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        """Exactly these bytes. Raises ObjectMissing; EOFError where the object is shorter."""
        ...

    def read_range_if_cached(self, key: str, offset: int, length: int) -> bytearray | None:
        """The same without ever waiting for a disk: None where it would wait."""
        ...

    def open_if_cached(self, key: str, offset: int, length: int) -> int | None:
        """A descriptor of a file that holds these bytes at `offset`, to be closed by who asked; None where
        there is no file, or reading them would wait for a disk. Raises as `read_range` does."""
        ...

    def open(self, key: str, offset: int = 0, size: int | None = None) -> BinaryIO:
        """The object, or its bytes [offset, offset + size), as a seekable file to read. Raises ObjectMissing;
        reads raise EOFError where the object ends before those bytes do."""
        ...

    def size(self, key: str) -> int: ...

    def delete(self, key: str) -> None:
        """Remove the object; nothing happens where there is none."""
        ...

    def keys(self, prefix: str = "") -> Iterator[Listed]:
        """Everything in storage whose key begins so, in no order."""
        ...


def new_key(suffix: str = "") -> str:
    """A random key, "3f2/9c41…" + suffix: 4096 folders."""
    return f"{_folder(next(_keys_made) // KEYS_IN_A_ROW)}/{secrets.token_hex(16)}{suffix}"


@lru_cache(maxsize=2)
def _folder(_turn: int) -> str:
    return secrets.token_hex(2)[:3]


class FileStorage:
    """Objects as files below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._durable_folders: set[str] = set()

    def put_durable(self, key: str, *parts: Part) -> int:
        path = self._path(key)
        # Under its own name at once: nobody knows a random key before it is in the index. All is written
        # before anything is synced: a journalling file system waits for the disk once, not for each name.
        # A derived key may be put again (a file of a release, a piece sent twice): aside, then renamed.
        written = path
        try:
            file = _created(path)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = _created(path)
        except FileExistsError:
            written = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
            file = _created(written)
        try:
            try:
                size = sum(_write(file, piece) for piece in pieces_of(parts))
                os.fsync(file)
            finally:
                os.close(file)
            if written != path:
                written.rename(path)
            _sync_folder(path.parent)
            folder = key.rpartition("/")[0]
            if folder not in self._durable_folders:
                _sync_folder(path.parent.parent)
                self._durable_folders.add(folder)
        except BaseException:
            written.unlink(missing_ok=True)
            raise
        return size

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        with self._descriptor(key) as descriptor:
            pieces = []
            while length:
                piece = os.pread(descriptor, length, offset)
                if not piece:
                    raise EOFError(f"Object {key} ends at {offset}.")
                pieces.append(piece)
                offset, length = offset + len(piece), length - len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def open_if_cached(self, key: str, offset: int, length: int) -> int | None:
        if not hasattr(os, "RWF_NOWAIT"):
            return None
        descriptor = self._open(key)
        probe, last = bytearray(1), offset + length - 1
        try:
            for at in (*range(offset, last, PROBE_BYTES), last):
                if os.preadv(descriptor, [probe], at, os.RWF_NOWAIT) != 1:
                    raise EOFError(f"Object {key} ends before {at}.")
        except BaseException as error:
            os.close(descriptor)
            if isinstance(error, OSError):  # not in memory, or a file system that can't tell
                return None
            raise
        return descriptor

    def read_range_if_cached(self, key: str, offset: int, length: int) -> bytearray | None:
        if not hasattr(os, "RWF_NOWAIT"):
            return None
        buffer = bytearray(length)
        with self._descriptor(key) as descriptor:
            try:
                got = os.preadv(descriptor, [buffer], offset, os.RWF_NOWAIT)
            except OSError:  # not in memory, or a file system that can't tell
                return None
        return buffer if got == length else None

    def open(self, key: str, offset: int = 0, size: int | None = None) -> BinaryIO:
        try:
            file = self._path(key).open("rb")
        except FileNotFoundError as error:
            raise ObjectMissing(f"Object {key} is not in storage.") from error
        if not offset and size is None:
            return file
        size = os.fstat(file.fileno()).st_size - offset if size is None else size
        return io.BufferedReader(_Window(file, offset, size))  # type: ignore[return-value]

    def size(self, key: str) -> int:
        try:
            return self._path(key).stat().st_size
        except FileNotFoundError as error:
            raise ObjectMissing(f"Object {key} is not in storage.") from error

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def keys(self, prefix: str = "") -> Iterator[Listed]:
        if not self.folder.is_dir():
            return
        for folder, _, names in self.folder.walk():
            for name in names:
                path = folder / name
                key = path.relative_to(self.folder).as_posix()
                if not key.startswith(prefix):
                    continue
                try:
                    status = path.stat()
                except FileNotFoundError:  # deleted while we look
                    continue
                yield Listed(key, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))

    def _path(self, key: str) -> Path:
        parts = key.split("/")
        if not all(part and part not in (".", "..") for part in parts):
            raise ValueError(f"{key!r} is not a key.")
        return self.folder.joinpath(*parts)

    def _open(self, key: str) -> int:
        try:
            return os.open(self._path(key), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise ObjectMissing(f"Object {key} is not in storage.") from error

    @contextmanager
    def _descriptor(self, key: str) -> Iterator[int]:
        descriptor = self._open(key)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def pieces_of(parts: Iterable[Part]) -> Iterator[Piece]:
    """The bytes of the parts, a piece at a time."""
    for part in parts:
        if isinstance(part, bytes | memoryview):
            yield part
        elif isinstance(part, Path):
            with part.open("rb") as file:
                yield from _chunks(file)
        elif hasattr(part, "read"):  # a file is an iterator, too, of its lines
            yield from _chunks(part)  # type: ignore[arg-type]
        else:
            yield from part


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(COPY_BYTES):
        yield chunk


def _created(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)


def _write(file: int, piece: Piece) -> int:
    written = os.write(file, piece)
    if written < len(piece):  # a signal, a disk that is nearly full, more than 2 GB
        rest = memoryview(piece)
        while written < len(rest):
            written += os.write(file, rest[written:])
    return len(piece)


def _sync_folder(folder: Path) -> None:
    """A new name is durable only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class StoredInstance(Protocol):
    """Where the bytes of an image are: a row of `Instance`, or what was read of one."""

    object_key: str
    object_offset: int
    size: int


def open_instance(instance: StoredInstance) -> BinaryIO:
    """One image as a seekable file to read that begins at 0 and ends with it, whether it lies alone or in a
    pack. Raises ObjectMissing; reads raise EOFError where the object ends before the image does."""
    if not instance.object_offset:  # a pack begins with a header of its own, so this is an object of one
        return storage().open(instance.object_key)
    return storage().open(instance.object_key, instance.object_offset, instance.size)


class _Window(Window):
    """Of a file, which is closed with it."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        super().__init__(start, size)
        self._file = file

    def bytes_at(self, offset: int, size: int) -> bytes:
        self._file.seek(offset)
        piece = self._file.read(size)
        if not piece:
            raise EOFError(f"The object ends at {offset}, before its image does.")
        return piece

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def spool() -> BinaryIO:
    """A temporary file: in memory while it is small, unnamed on disk beyond."""
    return tempfile.SpooledTemporaryFile(max_size=16 * COPY_BYTES)  # type: ignore[return-value]


@lru_cache(maxsize=4)
def _file_storage(folder: str) -> FileStorage:
    return FileStorage(Path(folder))


@lru_cache(maxsize=4)
def _s3_storage(url: str) -> Storage:
    from atlas.archive import s3  # its client is large, and most nodes keep files

    return s3.from_environment(url)


def storage() -> Storage:
    """The node's storage."""
    if settings.OBJECTS_URL:
        return _s3_storage(settings.OBJECTS_URL)
    return _file_storage(os.fspath(settings.OBJECTS_DIR))
