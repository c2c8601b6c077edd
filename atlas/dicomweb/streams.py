"""Sends bytes from storage, with text around them: single parts, and multipart/related (RFC 2387)."""

import asyncio
import hashlib
import logging
import os
import secrets
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

from atlas.archive.storage import ObjectMissing, storage
from atlas.dicomweb.answers import NOSNIFF, Headers, Problem, Send
from atlas.dicomweb.zero_copy import EXTENSION, takes_files

logger = logging.getLogger(__name__)

CHUNK_BYTES = 1024 * 1024
FILE_BYTES_MIN = 32 * 1024  # below, a copy is cheaper than two more calls

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
    """The same bytes in reads of CHUNK_BYTES at most, neighbours in one object joined."""
    waiting: Span | None = None
    for piece in pieces:
        if isinstance(piece, bytes):
            if waiting:
                yield waiting
            waiting = None
            yield piece
            continue
        key, offset, length = piece
        if waiting and waiting[0] == key and waiting[1] + waiting[2] == offset:
            waiting = (key, waiting[1], waiting[2] + length)
        else:
            if waiting:
                yield waiting
            waiting = piece
        while waiting[2] > CHUNK_BYTES:
            yield key, waiting[1], CHUNK_BYTES
            waiting = (key, waiting[1] + CHUNK_BYTES, waiting[2] - CHUNK_BYTES)
    if waiting:
        yield waiting


async def _read(span: Span, *, is_started: bool) -> bytes | bytearray:
    """From the page cache at once; from the disk in a thread, so that nobody else waits for it.

    Once an answer is started, what goes wrong breaks the connection: less than was announced is an error to
    every client. Before, it is a Problem; an object that is gone is ObjectMissing, for it may have moved.
    """
    try:
        cached = storage().read_range_if_cached(*span)
        return cached if cached is not None else await asyncio.to_thread(storage().read_range, *span)
    except ObjectMissing as error:
        if is_started:
            raise EOFError(f"{error} It went while it was sent.") from error
        raise
    except (EOFError, OSError) as error:
        if is_started:
            raise
        raise lost(error) from error


def _straight(send: Send, span: Span) -> int | None:
    """The file of bytes that the kernel has in memory, if whoever sends can take them from there."""
    if span[2] < FILE_BYTES_MIN or not takes_files(send):
        return None
    try:
        return storage().open_if_cached(*span)
    except (ObjectMissing, EOFError):
        return None  # reading says what is wrong


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
    await send_answer(send, start, pieces)


async def send_answer(send: Send, start: dict[str, Any], pieces: Iterable[Piece]) -> None:
    """`start` and then the pieces, of which only one at a time is looked at. Raises ObjectMissing, or
    Problem, while nothing has been sent."""
    is_started = False
    heads: list[bytes] = []  # what comes before the first bytes from storage waits until those are there
    chunks = _chunks(pieces)
    following: Piece | None = next(chunks, b"")
    while following is not None:
        chunk, following = following, next(chunks, None)
        more_body = following is not None
        file: int | None = None
        body: bytes | bytearray = b""
        if not isinstance(chunk, bytes):
            file = _straight(send, chunk)
            if file is None:
                body = await _read(chunk, is_started=is_started)
        elif more_body and not is_started:
            heads.append(chunk)
            continue
        else:
            body = chunk
        try:
            if not is_started:
                await send(start)
                is_started = True
                for head in heads:
                    await send({"type": "http.response.body", "body": head, "more_body": True})
            if file is None:
                await send({"type": "http.response.body", "body": body, "more_body": more_body})
            else:
                place = {"file": file, "offset": chunk[1], "count": chunk[2]}
                await send({"type": EXTENSION, **place, "more_body": more_body})
        finally:
            if file is not None:
                os.close(file)


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
            body = chunk if isinstance(chunk, bytes) else await _read(chunk, is_started=is_started)
            if not is_started:
                await send({"type": "http.response.start", "status": 200, "headers": start})
                is_started = True
            await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
