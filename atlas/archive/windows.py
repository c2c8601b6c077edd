"""A part of a stored object as a file of its own to read."""

import io
from abc import abstractmethod


class Window(io.RawIOBase):
    """The bytes [start, start + size) of an object, as a seekable file that begins at 0."""

    name = "image"  # what pydicom asks of every file

    def __init__(self, start: int, size: int) -> None:
        self._start, self._size, self._at = start, size, 0

    @abstractmethod
    def bytes_at(self, offset: int, size: int) -> bytes:
        """At least one byte, at most `size`, of the object from `offset`. Raises EOFError at its end."""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if origin + offset < 0:
            raise ValueError(f"There is nothing before an image's first byte (asked for {origin + offset}).")
        self._at = origin + offset
        return self._at

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        wanted = min(len(buffer), self._size - self._at)
        if wanted <= 0:
            return 0
        piece = self.bytes_at(self._start + self._at, wanted)
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
