"""Objects in an S3 bucket (AWS or anything that speaks the same).

An upload is one request, or a multipart upload that shows nothing until it is complete: there is never half
an object. A store that acknowledges has made it durable.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import BinaryIO
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from atlas.archive.storage import Listed, ObjectMissing, Part, Piece, StorageUnavailable, pieces_of
from atlas.archive.windows import Window

MULTIPART_BYTES = 8 * 1024 * 1024  # S3 takes parts from 5 MiB
READ_AHEAD_BYTES = 512 * 1024


class S3Storage:
    """Objects below one prefix of one bucket."""

    def __init__(self, store: S3Store) -> None:
        self._store = store

    def put_durable(self, key: str, *parts: Part) -> int:
        pieces = pieces_of(parts)
        try:
            with _trouble_told("store"):
                return self._put(key, pieces)
        except BaseException:
            self._delete_quietly(key)
            raise

    def _put(self, key: str, pieces: Iterator[Piece]) -> int:
        head = bytearray()
        for piece in pieces:
            head += piece
            if len(head) >= MULTIPART_BYTES:
                break
        else:
            obstore.put(self._store, key, bytes(head), use_multipart=False)
            return len(head)
        counted = _Counted(bytes(head), pieces)
        obstore.put(self._store, key, counted, use_multipart=True, chunk_size=MULTIPART_BYTES)
        return counted.size

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        if not length:
            return b""
        with _trouble_told("read", key):
            try:
                content = bytes(obstore.get_range(self._store, key, start=offset, length=length))
            except NotFoundError:
                raise
            except BaseError as error:
                if offset >= obstore.head(self._store, key)["size"]:
                    raise EOFError(f"Object {key} ends before {offset}.") from error
                raise
        if len(content) < length:
            raise EOFError(f"Object {key} ends at {offset + len(content)}.")
        return content

    def read_range_if_cached(self, key: str, offset: int, length: int) -> bytearray | None:
        return None

    def open_if_cached(self, key: str, offset: int, length: int) -> int | None:
        return None

    def open(self, key: str, offset: int = 0, size: int | None = None) -> BinaryIO:
        if size is None:
            size = self.size(key) - offset
        window = _Window(self, key, offset, size)
        file = io.BufferedReader(window, READ_AHEAD_BYTES)
        file.peek()  # an object that is missing is missing now
        return file  # type: ignore[return-value]

    def size(self, key: str) -> int:
        with _trouble_told("read", key):
            return obstore.head(self._store, key)["size"]

    def delete(self, key: str) -> None:
        try:
            with _trouble_told("delete", key):
                obstore.delete(self._store, key)
        except ObjectMissing:
            pass

    def keys(self, prefix: str = "") -> Iterator[Listed]:
        with _trouble_told("list"):
            for some in obstore.list(self._store, prefix.rpartition("/")[0] or None):
                for one in some:
                    if one["path"].startswith(prefix):
                        yield Listed(one["path"], one["size"], one["last_modified"])

    def _delete_quietly(self, key: str) -> None:
        """After an upload whose answer was lost, which may have been stored after all."""
        with suppress(BaseError, OSError):
            obstore.delete(self._store, key)


class _Counted:
    """The pieces of an upload, and how many bytes they were."""

    def __init__(self, first: bytes, rest: Iterator[Piece]) -> None:
        self._first: Piece = first
        self._rest, self.size = rest, 0

    def __iter__(self) -> Iterator[Piece]:
        return self

    def __next__(self) -> Piece:
        piece, self._first = self._first or next(self._rest), b""
        self.size += len(piece)
        return piece


class _Window(Window):
    """One request a read."""

    def __init__(self, store: S3Storage, key: str, start: int, size: int) -> None:
        super().__init__(start, size)
        self._store, self._key = store, key

    def bytes_at(self, offset: int, size: int) -> bytes:
        return self._store.read_range(self._key, offset, size)


@contextmanager
def _trouble_told(verb: str, key: str = "") -> Iterator[None]:
    try:
        yield
    except (NotFoundError, FileNotFoundError) as error:
        if not key:
            raise StorageUnavailable("The object store says that its bucket does not exist.") from error
        raise ObjectMissing(f"Object {key} is not in storage.") from error
    except BaseError as error:
        raise StorageUnavailable(
            f"The object store did not {verb} an object ({type(error).__name__}). Try again later; if it "
            "goes on, tell the administrator of this node."
        ) from error


def from_environment(url: str) -> S3Storage:
    """`s3://bucket/prefix`. ATLAS_S3_ENDPOINT names a server other than AWS; ATLAS_S3_KEY, ATLAS_S3_SECRET
    and ATLAS_S3_REGION what it is entered with (without them, what AWS's own tools would use)."""
    address = urlsplit(url)
    if address.scheme != "s3" or not address.netloc:
        raise ValueError(f"ATLAS_OBJECTS is {url!r}. It must be s3://bucket or s3://bucket/prefix.")
    endpoint = os.environ.get("ATLAS_S3_ENDPOINT", "")
    named = {
        "endpoint": endpoint,
        "access_key_id": os.environ.get("ATLAS_S3_KEY", ""),
        "secret_access_key": os.environ.get("ATLAS_S3_SECRET", ""),
        "region": os.environ.get("ATLAS_S3_REGION", "") or ("us-east-1" if endpoint else ""),
    }
    return S3Storage(
        S3Store(
            address.netloc,
            prefix=address.path.strip("/") or None,
            config={name: value for name, value in named.items() if value},  # type: ignore[arg-type]
            client_options={
                "allow_http": endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=5),
                "timeout": timedelta(seconds=120),
            },
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
        )
    )
