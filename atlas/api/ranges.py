"""Serves bytes of known size: whole, or a range of them, if they haven't changed (RFC 9110, 13 and 14)."""

import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.views import APIView

from atlas.api.stored import StoredBytes
from atlas.dicomweb.streams import Piece

_RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)")
RANGES_MAX = 2  # more at once are refused: many small or overlapping ones only keep a server busy
DIGITS_MAX = 18  # of an offset that any file can have

type Pieces = Callable[[int, int], Iterable[Piece]]
"""Says where the bytes from the first to the last named lie, both included."""


class _Unsatisfiable(Exception):
    """The range begins beyond the end, or there are too many. The message says which."""


class BytesView(APIView):
    """Bytes are what they are, whatever type the client would like best."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        return super().perform_content_negotiation(request, force=True)


def ranged_response(
    request: HttpRequest, *, size: int, etag: str, pieces: Pieces, content_type: str, filename: str
) -> HttpResponseBase:
    """`etag` without quotes. What is no single range of bytes is answered with the whole, as the RFC allows;
    a range beyond the end, or many at once, with 416 and a reason."""
    quoted = f'"{etag}"'
    if _matches(request.headers.get("If-None-Match"), quoted):
        return _finished(HttpResponse(status=304), quoted)
    try:
        span = _span(request, size, quoted)
    except _Unsatisfiable as error:
        told = JsonResponse({"reason": str(error)}, status=416, headers={"Content-Range": f"bytes */{size}"})
        return _finished(told, quoted)
    first, last = span or (0, size - 1)
    response = _body(request, pieces, first, last)
    response.headers["Content-Type"] = content_type
    response.headers["Content-Length"] = str(last - first + 1)
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    if span:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return _finished(response, quoted)


def _body(request: HttpRequest, pieces: Pieces, first: int, last: int) -> HttpResponseBase:
    if request.method == "HEAD" or last < first:
        return HttpResponse()
    return StoredBytes(pieces(first, last))


def _finished(response: HttpResponseBase, etag: str) -> HttpResponseBase:
    response.headers["ETag"] = etag
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Content-Encoding"] = "identity"  # or the gzip middleware would change length and ranges
    return response


def _matches(header: str | None, etag: str) -> bool:
    if not header:
        return False
    known = parse_etags(header)
    return "*" in known or etag in {one.removeprefix("W/") for one in known}


def _span(request: HttpRequest, size: int, etag: str) -> tuple[int, int] | None:
    """(first, last), or None for the whole. Raises _Unsatisfiable."""
    asked = request.headers.get("Range", "").replace(" ", "")
    if not asked or request.headers.get("If-Range", etag).strip() != etag:
        return None  # nothing asked for, or it changed: the whole again
    if asked.startswith("bytes=") and asked.count(",") >= RANGES_MAX:
        raise _Unsatisfiable("Ask for one range at a time.")
    match = _RANGE.fullmatch(asked)
    if not match or match.groups() == ("", ""):
        return None
    start, end = map(_offset, match.groups())
    if start is None:
        if not end or not size:
            raise _Unsatisfiable(f"There are {size} bytes, and none was asked for.")
        return max(size - end, 0), size - 1
    if end is not None and end < start:
        return None
    if start >= size:
        raise _Unsatisfiable(f"There are {size} bytes; the range begins beyond them.")
    return start, size - 1 if end is None else min(end, size - 1)


def _offset(digits: str) -> int | None:
    """Numbers that no file reaches are all the same: reading thousands of digits costs time."""
    if not digits:
        return None
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) <= DIGITS_MAX else 10**DIGITS_MAX


async def off_the_loop(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Reads in a thread, so that one slow disk doesn't hold up everyone else's requests."""
    next_chunk = sync_to_async(lambda: next(chunks, None), thread_sensitive=False)
    while (chunk := await next_chunk()) is not None:
        yield chunk
