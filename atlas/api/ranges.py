"""Serves bytes of known size: whole, or a range of them, if they haven't changed (RFC 9110, 13 and 14)."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.views import APIView

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")

type Read = Callable[[int, int], Iterator[bytes]]
"""Gives the bytes from the first to the last named, both included."""


class _Unsatisfiable(Exception):
    """The range begins beyond the end."""


class BytesView(APIView):
    """Bytes are what they are, whatever type the client would like best."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        return super().perform_content_negotiation(request, force=True)


def ranged_response(
    request: HttpRequest, *, size: int, etag: str, read: Read, content_type: str, filename: str
) -> HttpResponseBase:
    """`etag` without quotes. Several ranges at once are answered with the whole, as the RFC allows."""
    quoted = f'"{etag}"'
    if _matches(request.headers.get("If-None-Match"), quoted):
        return _finished(HttpResponse(status=304), quoted)
    try:
        span = _span(request, size, quoted)
    except _Unsatisfiable:
        beyond = HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
        return _finished(beyond, quoted)
    first, last = span or (0, size - 1)
    response = _body(request, read, first, last)
    response.headers["Content-Type"] = content_type
    response.headers["Content-Length"] = str(last - first + 1)
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    if span:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return _finished(response, quoted)


def _body(request: HttpRequest, read: Read, first: int, last: int) -> HttpResponseBase:
    if request.method == "HEAD" or last < first:
        return HttpResponse()
    return StreamingHttpResponse(_off_the_loop(read(first, last)))


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
    """(first, last), or None for the whole. Raises _Unsatisfiable for a range beyond the end."""
    match = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if not match or match.groups() == ("", ""):
        return None
    if request.headers.get("If-Range", etag).strip() != etag:
        return None  # it changed: the whole again
    start, end = match.groups()
    if not start:
        wanted = int(end)
        if not wanted or not size:
            raise _Unsatisfiable
        return max(size - wanted, 0), size - 1
    first, last = int(start), min(int(end), size - 1) if end else size - 1
    if end and int(end) < int(start):
        return None
    if first >= size:
        raise _Unsatisfiable
    return first, last


async def _off_the_loop(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Reads in a thread, so that one slow disk doesn't hold up everyone else's requests."""
    next_chunk = sync_to_async(lambda: next(chunks, None), thread_sensitive=False)
    while (chunk := await next_chunk()) is not None:
        yield chunk
