"""Answers whose bytes lie in storage: Django says who may have them, `atlas.handler` sends them."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.http import StreamingHttpResponse

from atlas.archive.storage import COPY_BYTES, storage
from atlas.dicomweb.streams import Piece


class StoredBytes(StreamingHttpResponse):
    """`pieces` are taken once. Whoever iterates over the response reads them here, as tests do."""

    def __init__(self, pieces: Iterable[Piece], **how: Any) -> None:
        self.pieces = pieces
        super().__init__(self._read(), **how)

    def _read(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, bytes):
                yield piece
                continue
            key, offset, length = piece
            with storage().open(key, offset, length) as stream:
                while chunk := stream.read(COPY_BYTES):
                    yield chunk
