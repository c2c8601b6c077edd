"""What all addresses of reads share: who asks, what they sent, which marks they may see, large answers."""

import gzip
import json
from dataclasses import dataclass
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.utils.cache import patch_vary_headers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from annotations.api import read_json as as_json
from annotations.api import shapes
from annotations.models import Read
from annotations.reading import policies, reads, review

GZIP_FROM_BYTES = 1000
GZIP_LEVEL = 1  # runs in base64 shrink to a third already; higher levels cost the reader time


def user_of(request: Request) -> User:
    """The caller: strangers never pass the permission class."""
    return cast(User, request.user)


def valid(shape: type[shapes.Shape], request: Request) -> dict[str, Any]:
    """What was sent, checked. Raises ValidationError with what is wrong, by field."""
    serializer = shape(data=request.data)
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


def read_response(request: Request, public_id: str) -> Response:
    """The read as the reading room begins with it."""
    read, rights = policies.read_and_rights_or_404(request.user, public_id)
    response = Response(as_json.read_json(user_of(request), read, rights))
    response["Cache-Control"] = "private, no-cache"
    return response


@dataclass(frozen=True)
class Seen:
    """A read, and the number of the edit up to which this person sees its marks. `is_own`: they are its
    reader, who sees it to the last one."""

    read: Read
    until: int
    is_own: bool


def marks_or_403(request: Request, public_id: str) -> Seen:
    read, rights = policies.read_and_rights_or_404(request.user, public_id)
    if not rights.may_see_marks:
        raise PermissionDenied("This read has not been submitted yet: only its reader sees the marks.")
    if rights.capacity is policies.Capacity.READER:
        return Seen(read, read.last_edit_number, is_own=True)
    review.note_that_marks_were_seen(user_of(request), read)
    return Seen(read, reads.last_submitted_number(read), is_own=False)


def compact(request: Request, content: dict[str, Any], *, etag: str | None = None) -> HttpResponse:
    """Large JSON, gzipped quickly where the other side takes it."""
    body = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
    response = HttpResponse(content_type="application/json")
    if len(body) >= GZIP_FROM_BYTES and "gzip" in request.headers.get("Accept-Encoding", ""):
        body = gzip.compress(body, compresslevel=GZIP_LEVEL, mtime=0)
        response["Content-Encoding"] = "gzip"
        etag = f"W/{etag}" if etag else None
    response.content = body
    if etag:
        response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ("Accept-Encoding", "Cookie", "Authorization"))
    return response
