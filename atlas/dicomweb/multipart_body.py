"""Takes a multipart/related body (RFC 2387, RFC 2046 5.1) apart while it arrives.

Nothing is kept but what may be the start of a boundary, so a body of any size needs a few kilobytes.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from functools import lru_cache
from types import MappingProxyType

HEADERS_BYTES_MAX = 16 * 1024
PREAMBLE_BYTES_MAX = 64 * 1024
_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")


class BadMultipart(Exception):
    """The body isn't what its type says. The message is a sentence for its sender."""


@dataclass(frozen=True, slots=True)
class PartBegins:
    """`headers` by lower-case name."""

    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class PartEnds:
    pass


type Event = PartBegins | bytes | PartEnds
"""Bytes are content of the part that began last."""


@lru_cache(maxsize=256)  # each part of a body says the same
def media_type(header: str) -> tuple[str, Mapping[str, str]]:
    """A Content-Type's type in lower case, and its parameters, unquoted (RFC 9110 8.3.1)."""
    message = Message()
    message["content-type"] = header.replace("\r", " ").replace("\n", " ")
    (kind, _), *parameters = message.get_params(failobj=[("", "")])
    return kind.strip().lower(), MappingProxyType(
        {name.lower(): value for name, value in parameters if isinstance(value, str)}
    )


class MultipartBody:
    """Feed it the body's bytes in order; each call gives the events that they complete."""

    def __init__(self, boundary: str) -> None:
        """Raises BadMultipart."""
        encoded = boundary.encode("latin-1", "replace")
        if not _BOUNDARY.fullmatch(encoded):
            raise BadMultipart("The Content-Type names no boundary that RFC 2046 allows.")
        self._delimiter = b"\r\n--" + encoded
        self._waiting = b"\r\n"  # the first delimiter may stand at the very start
        self._step = self._preamble
        self._skipped = 0
        self.is_complete = False

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Raises BadMultipart."""
        self._waiting = self._waiting + chunk if self._waiting else chunk
        while (events := self._step()) is not None:
            yield from events

    # Each step gives its events and names the next one, or gives None where it needs more bytes.

    def _preamble(self) -> list[Event] | None:
        at = self._waiting.find(self._delimiter)
        if at < 0:
            kept = self._waiting[-len(self._delimiter) :]
            self._skipped += len(self._waiting) - len(kept)
            self._waiting = kept
            if self._skipped > PREAMBLE_BYTES_MAX:
                raise BadMultipart("The body does not begin with the boundary that its Content-Type names.")
            return None
        self._waiting = self._waiting[at + len(self._delimiter) :]
        self._step = self._after_delimiter
        return []

    def _after_delimiter(self) -> list[Event] | None:
        if len(self._waiting) < 2:
            return None
        if self._waiting.startswith(b"--"):
            self.is_complete = True
            self._step = self._epilogue
            return []
        end = self._waiting.find(b"\r\n")
        if end < 0:
            if len(self._waiting) > HEADERS_BYTES_MAX:
                raise BadMultipart("A boundary is followed by something else than a line's end.")
            return None
        if self._waiting[:end].strip(b" \t"):
            raise BadMultipart("A boundary is followed by something else than a line's end.")
        self._waiting = self._waiting[end:]  # its line's end begins the headers
        self._step = self._headers
        return []

    def _headers(self) -> list[Event] | None:
        end = self._waiting.find(b"\r\n\r\n", 0, HEADERS_BYTES_MAX)
        if end < 0:
            if len(self._waiting) >= HEADERS_BYTES_MAX:
                raise BadMultipart("The headers of a part are longer than 16 KB.")
            return None
        headers = {}
        for line in self._waiting[:end].decode("latin-1").split("\r\n"):
            name, colon, value = line.partition(":")
            if colon:
                headers[name.strip().lower()] = value.strip()
        self._waiting = self._waiting[end + 4 :]
        self._step = self._content
        return [PartBegins(headers)]

    def _content(self) -> list[Event] | None:
        at = self._waiting.find(self._delimiter)
        if at >= 0:
            content, self._waiting = self._waiting[:at], self._waiting[at + len(self._delimiter) :]
            self._step = self._after_delimiter
            return [content, PartEnds()] if content else [PartEnds()]
        # A delimiter may have begun: only its first byte tells, and it is rare at the very end.
        start = self._waiting.rfind(b"\r", max(0, len(self._waiting) - len(self._delimiter) + 1))
        while start >= 0 and not self._delimiter.startswith(self._waiting[start:]):
            start = self._waiting.rfind(b"\r", max(0, len(self._waiting) - len(self._delimiter) + 1), start)
        content = self._waiting if start < 0 else self._waiting[:start]
        self._waiting = b"" if start < 0 else self._waiting[start:]
        return _only(content)

    def _epilogue(self) -> None:
        self._waiting = b""


def _only(content: bytes) -> list[Event] | None:
    """Content that ends what is here: nothing more can follow before the next bytes arrive."""
    return [content] if content else None
