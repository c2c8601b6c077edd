"""Sends bytes from storage, with text around them: single parts, and multipart/related (RFC 2387)."""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import AsyncIterator, Iterable, Iterator

from atlas.archive.storage import storage
from atlas.dicomweb.answers import NOSNIFF, Headers, Problem, Send

logger = logging.getLogger(__name__)

CHUNK_BYTES = 1024 * 1024

# Of this process; bytes that hold these 128 random bits by chance will not be met.
BOUNDARY = secrets.token_hex(16).encode()
END = b"\r\n--" + BOUNDARY + b"--\r\n"

type Span = tuple[str, int, int]
"""(key of an object, offset, length)"""
type Piece = bytes | Span


def multipart_type(part_type: str) -> bytes:
    return b'multipart/related; type="%s"; boundary=%s' % (part_type.encode(), BOUNDARY)


def part_head(content_type: str, location: str = "", *, is_first: bool) -> bytes:
    """What stands before a part's bytes."""
    lines = b"" if is_first else b"\r\n"
    lines += b"--" + BOUNDARY + b"\r\nContent-Type: " + content_type.encode()
    if location:
        lines += b"\r\nContent-Location: " + location.encode()
    return lines + b"\r\n\r\n"


def kept(tag: str = "") -> Headers:
    """Each answer is for its asker alone, and is asked anew each time: a role may have been revoked."""
    headers = [(b"cache-control", b"private, no-cache"), (b"vary", b"Accept, Cookie, Authorization")]
    return [*headers, (b"etag", f'"{tag}"'.encode())] if tag else headers


def digest(*words: str) -> str:
    """For an ETag: short, and the same in every process."""
    return hashlib.blake2b("\n".join(words).encode(), digest_size=12).hexdigest()


def lost(error: Exception) -> Problem:
    logger.error("Images can't be read from storage: %s", error)
    return Problem(500, "The stored images can't be read. Tell the administrator of this node.")


def _length(piece: Piece) -> int:
    return len(piece) if isinstance(piece, bytes) else piece[2]


def _chunks(pieces: Iterable[Piece]) -> Iterator[Piece]:
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
            continue
        key, offset, length = piece
        while length > CHUNK_BYTES:
            yield key, offset, CHUNK_BYTES
            offset, length = offset + CHUNK_BYTES, length - CHUNK_BYTES
        yield key, offset, length


async def read(span: Span) -> bytes | bytearray:
    """From the page cache at once; from the disk in a thread, so that nobody else waits for it."""
    cached = storage().read_range_if_cached(*span)
    return cached if cached is not None else await asyncio.to_thread(storage().read_range, *span)


async def send_pieces(
    send: Send, content_type: bytes, pieces: list[Piece], headers: Headers, *, is_head: bool = False
) -> None:
    """An answer whose length is known. Raises ObjectMissing while nothing has been sent."""
    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": [
            (b"content-type", content_type),
            (b"content-length", str(sum(map(_length, pieces))).encode()),
            NOSNIFF,
            *headers,
        ],
    }
    if is_head:
        await send(start)
        await send({"type": "http.response.body", "body": b""})
        return
    is_started = False
    # One write for a small head and its bytes; the last one says that it is the last.
    waiting: list[bytes | bytearray] = []
    for chunk in _chunks(pieces):
        if isinstance(chunk, bytes):
            waiting.append(chunk)
            continue
        try:
            body = await read(chunk)
        except (EOFError, OSError) as error:
            if is_started:
                raise  # the connection breaks: less than was announced is an error to every client
            raise lost(error) from error
        if not is_started:
            await send(start)
            is_started = True
        for one in waiting:
            await send({"type": "http.response.body", "body": one, "more_body": True})
        waiting = [body]
    if not is_started:
        await send(start)
    for number, one in enumerate(waiting, start=1):
        await send({"type": "http.response.body", "body": one, "more_body": number < len(waiting)})


async def send_stream(
    send: Send, content_type: bytes, pieces: AsyncIterator[Piece], headers: Headers, *, is_head: bool
) -> None:
    """An answer whose length nobody knows yet: the pieces are made while they are sent."""
    start = [(b"content-type", content_type), NOSNIFF, *headers]
    if is_head:
        await send({"type": "http.response.start", "status": 200, "headers": start})
        await send({"type": "http.response.body", "body": b""})
        return
    is_started = False
    async for piece in pieces:
        for chunk in _chunks([piece]):
            body = chunk if isinstance(chunk, bytes) else await read(chunk)
            if not is_started:
                await send({"type": "http.response.start", "status": 200, "headers": start})
                is_started = True
            await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
