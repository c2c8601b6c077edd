"""What the addresses that take files share: a body that is read as a stream, and refusals in one shape."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

from django.http.request import UnreadablePostError
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from atlas.api.errors import Conflict, NoRoom, Unavailable
from atlas.archive.intake import IntakeClosed, OutOfSpace, StorageRefuses
from atlas.archive.keys import KeyUnusable
from atlas.archive.sent_files import FileRefused
from atlas.archive.uploads import UploadEnded

logger = logging.getLogger(__name__)


class RawBody(BaseParser):
    """Leaves the body unread: the view streams it. Any content type."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        return stream


class SenderGone(Exception):
    """The connection was lost before the body was read: nobody waits for the answer."""


class _Body:
    def __init__(self, request: Request) -> None:
        self.request = request._request

    def read(self, length: int) -> bytes:
        try:
            return self.request.read(length)
        except (UnreadablePostError, ValueError) as error:  # Django closes the body of a lost connection
            raise SenderGone from error


def body_of(request: Request) -> BinaryIO:
    """The body as a file to read once. Reading raises SenderGone."""
    return cast(BinaryIO, _Body(request))


@contextmanager
def refusals() -> Iterator[None]:
    """Turns what services raise into answers of the API: 400, 409, 503 or 507, with a sentence."""
    try:
        yield
    except FileRefused as error:
        raise ValidationError(str(error)) from error
    except SenderGone as error:
        raise ValidationError("The connection was lost.") from error
    except (UploadEnded, IntakeClosed) as error:
        raise Conflict(str(error)) from error
    except OutOfSpace as error:
        raise NoRoom(str(error)) from error
    except StorageRefuses as error:
        raise Unavailable(str(error)) from error
    except KeyUnusable as error:
        logger.error("%s", error)
        raise Unavailable(
            "The organisation's key for pseudonyms can't be used now. The node's log says why; its "
            "administrator can mend it."
        ) from error
