"""Large files that arrive in pieces. Each piece is an object of its own, durable before it is acknowledged,
so a broken line costs one piece, whichever web process takes the next. A job reads them as one file."""

import io
import logging
from collections.abc import Iterator
from typing import BinaryIO

from django.db import transaction

from atlas.archive.intake import StorageRefuses
from atlas.archive.receiving import OUT_OF_SPACE, OutOfSpace
from atlas.archive.storage import storage
from atlas.models import Upload, UploadFile

logger = logging.getLogger(__name__)

PIECE_BYTES = 8 * 1024 * 1024
FILE_BYTES_MAX = 256 * 1024**3
PREFIX = "arriving/"
"""Keys of pieces begin with this: "arriving/<file>/<piece>". Nothing else does."""

_READ_BYTES = 1024 * 1024


class WrongPiece(Exception):
    """Not the piece that comes next. The message is a sentence; `received` says where to go on."""

    def __init__(self, sentence: str, received: int) -> None:
        super().__init__(sentence)
        self.received = received


def key_of(file: UploadFile, at: int) -> str:
    """The object that holds the piece beginning at byte `at`."""
    return f"{PREFIX}{file.public_id}/{at // PIECE_BYTES:06d}"


def keys_of(file: UploadFile) -> Iterator[str]:
    """The objects of every piece that may be here, also of one whose acknowledgement was lost."""
    for at in range(0, min(file.received + PIECE_BYTES, file.size), PIECE_BYTES):
        yield key_of(file, at)


def keys_in_use() -> Iterator[str]:
    """The objects that hold pieces of files still on their way: no orphans."""
    for file in UploadFile.objects.filter(is_taken_in=False).iterator():
        yield from keys_of(file)


@transaction.atomic
def append(file: UploadFile, offset: int, stream: BinaryIO) -> UploadFile:
    """Store the next piece: PIECE_BYTES, or what remains. When it returns, it survives a power cut.

    Raises WrongPiece where the piece is not the next one or has another length, OutOfSpace, StorageRefuses:
    nothing is kept of it.
    """
    # Only the file: whoever counts on its delivery must not wait for the disk.
    file = (
        UploadFile.objects.select_for_update(of=("self",)).select_related("upload__dataset").get(pk=file.pk)
    )
    if offset != file.received:
        raise WrongPiece(f"The next piece begins at byte {file.received}, not {offset}.", file.received)
    length = min(PIECE_BYTES, file.size - file.received)
    piece = stream.read(length + 1)
    if len(piece) != length:
        raise WrongPiece(f"The piece at byte {offset} must have exactly {length} bytes.", file.received)
    if length:
        _store(key_of(file, offset), piece)
    file.received += length
    file.save(update_fields=["received"])
    return file


def _store(key: str, piece: bytes) -> None:
    try:
        storage().put_durable(key, piece)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in OUT_OF_SPACE:
            raise OutOfSpace("The storage of this node is full; the piece was not stored.") from error
        logger.exception("Storage does not take a piece")
        raise StorageRefuses(
            "The storage of this node does not take files now; the piece was not stored."
        ) from error


def opened(file: UploadFile) -> BinaryIO:
    """The received bytes as one seekable file. Raises atlas.archive.storage.ObjectMissing when it reads."""
    return io.BufferedReader(_Pieces(file), _READ_BYTES)  # type: ignore[type-var]


class _Pieces(io.RawIOBase):
    def __init__(self, file: UploadFile) -> None:
        self.file, self.at = file, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.file.received}[whence]
        if start + offset < 0:
            raise ValueError("before the beginning of the file")
        self.at = start + offset
        return self.at

    def tell(self) -> int:
        return self.at

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        in_piece = self.at % PIECE_BYTES
        length = min(len(buffer), PIECE_BYTES - in_piece, self.file.received - self.at)
        if length <= 0:
            return 0
        buffer[:length] = storage().read_range(key_of(self.file, self.at), in_piece, length)
        self.at += length
        return length


def discard(file: UploadFile) -> None:
    """Delete the pieces. Call after the commit that makes them needless."""
    for key in keys_of(file):
        storage().delete(key)


def arrived(upload: Upload) -> list[UploadFile]:
    """Files of a delivery that are here as a whole and wait for a worker."""
    return [file for file in upload.files.filter(is_taken_in=False) if file.received == file.size]
