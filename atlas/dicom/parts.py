"""Takes a Part 10 file apart: elements before the pixels, the pixels, elements behind them.

Only what stands before and after the pixels is read into memory; of encapsulated pixels the fragments'
lengths are followed, of native ones nothing is read at all.
"""

import io
from dataclasses import dataclass
from typing import BinaryIO

from atlas.dicom.elements import (
    BIG,
    EXPLICIT,
    IMPLICIT,
    IMPLICIT_BIG,
    KNOWN_VRS,
    LONG_VRS,
    UNDEFINED,
    CutOff,
    Element,
    Encoding,
    Malformed,
    named,
    next_element,
)
from atlas.dicom.headers import (
    DEFLATED,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    PIXEL_KEYWORDS,
    PREFIX_BYTES,
    NotDicom,
    Unreadable,
    inflated,
    require_dicom,
    require_no_directory,
)

HEADER_BYTES_MAX = 128 * 1024 * 1024  # before the pixels, and again behind them
_FIRST_BYTES = 32 * 1024


@dataclass(frozen=True, slots=True)
class Pixels:
    """The pixel attribute of a file. `value` and `end` are offsets in the source: of the value's first
    byte, and behind its last one that is there. `length` is as written, None for encapsulated pixels."""

    tag: int
    vr: bytes
    start: int
    value: int
    length: int | None
    end: int


@dataclass(frozen=True, slots=True)
class Parts:
    """A Part 10 file taken apart: elements before the pixels, the pixels, elements behind them.

    `source` is the file, or its inflated form. Positions in `elements` count in `buffer`, those in
    `tail_elements` in `tail`. `dataset_offset` is where `buffer` begins in the source. `has_rubbish` tells
    that what stands behind the pixels are no elements; `tail` is empty then.
    """

    source: BinaryIO
    transfer_syntax_uid: str
    encoding: Encoding
    dataset_offset: int
    buffer: bytes
    elements: list[Element]
    pixels: Pixels | None
    tail: bytes
    tail_elements: list[Element]
    has_rubbish: bool


def take_apart(file: BinaryIO) -> Parts:
    """Read a seekable file from its start. Raises NotDicom or Unreadable."""
    require_dicom(file)
    try:
        return _take_apart(file)
    except CutOff as error:
        raise Unreadable(f"The header can't be read: the file ends in the middle of {error}.") from error
    except Malformed as error:
        raise Unreadable(f"The header can't be read: it is broken at {error}.") from error
    except (NotDicom, Unreadable):
        raise
    except Exception as error:  # inflating hostile bytes may raise anything
        raise Unreadable("The header can't be read: its bytes contradict each other.") from error


def _take_apart(file: BinaryIO) -> Parts:
    meta, dataset_offset = _file_meta(file)
    require_no_directory(meta.get(0x00020002, ""))
    named_syntax = meta.get(0x00020010, "")
    if named_syntax == DEFLATED:
        return _take_apart(inflated(file))
    size = file.seek(0, io.SEEK_END)
    file.seek(dataset_offset)
    encoding, guessed_syntax = _data_set_encoding(file.read(6), named_syntax)
    buffer, elements, position = _read_elements(file, dataset_offset, size, encoding)
    pixels: Pixels | None = None
    tail, tail_elements, has_rubbish = b"", list[Element](), False
    if position < len(buffer):  # it stopped before the pixels
        pixels = _pixels(file, buffer, position, dataset_offset, size, encoding)
        buffer = buffer[:position]
        tail, tail_elements, has_rubbish = _tail(file, pixels.end, size, encoding)
    return Parts(
        source=file,
        transfer_syntax_uid=named_syntax or guessed_syntax,
        encoding=encoding,
        dataset_offset=dataset_offset,
        buffer=buffer,
        elements=elements,
        pixels=pixels,
        tail=tail,
        tail_elements=tail_elements,
        has_rubbish=has_rubbish,
    )


def _file_meta(file: BinaryIO) -> tuple[dict[int, str], int]:
    """The file meta information, its values as text, and where the data set begins."""
    file.seek(0)
    buffer = file.read(_FIRST_BYTES)
    position = PREFIX_BYTES if buffer[128:132] == b"DICM" else 0
    meta: dict[int, str] = {}
    while buffer[position : position + 2] == b"\x02\x00":
        try:
            tag, _, _, value, after, _ = next_element(buffer, position, len(buffer), EXPLICIT)
        except CutOff:
            more = file.read(len(buffer))
            if not more or len(buffer) > HEADER_BYTES_MAX:
                raise
            buffer += more
            continue
        meta[tag] = buffer[value:after].rstrip(b"\0 ").decode("ascii", "replace")
        position = after
    return meta, position


def _data_set_encoding(start: bytes, named_syntax: str) -> tuple[Encoding, str]:
    """How the data set is written, and the transfer syntax to assume where none is named. The bytes are
    believed more than the name: writers err."""
    if len(start) < 6:
        raise Unreadable("The file ends before its first attribute.")
    is_explicit = b"AA" <= start[4:6] <= b"ZZ"
    is_big = named_syntax == EXPLICIT_BIG if named_syntax else is_explicit and start[0] == 0 and start[1] != 0
    if is_explicit:
        return (BIG, EXPLICIT_BIG) if is_big else (EXPLICIT, EXPLICIT_LITTLE)
    return (IMPLICIT_BIG if is_big else IMPLICIT), IMPLICIT_LITTLE


def _read_elements(
    file: BinaryIO, offset: int, size: int, encoding: Encoding
) -> tuple[bytes, list[Element], int]:
    """(bytes from `offset` on, the elements in them, position of the pixel attribute or their end)."""
    file.seek(offset)
    buffer = file.read(min(_FIRST_BYTES, size - offset))
    found: list[Element] = []
    position, needed = 0, size - offset
    unpack = (encoding.element if encoding.explicit else encoding.tag_and_length).unpack_from
    while position < needed:
        try:
            if position + 8 > len(buffer):
                raise CutOff("the last element")
            group, number, *_ = unpack(buffer, position)
            if group == 0x7FE0 and (0x7FE00000 | number) in PIXEL_KEYWORDS:
                break
            element = next_element(buffer, position, len(buffer), encoding)
        except CutOff:
            if len(buffer) == needed:
                if not buffer[position:].strip(b"\0"):  # padding to a block of the disk
                    return buffer[:position], found, position
                raise
            end = _declared_end(buffer, position, encoding) or len(buffer)
            if end > needed:
                raise  # no use in reading what isn't there
            if max(end, len(buffer)) > HEADER_BYTES_MAX:
                raise Unreadable("The header is larger than 128 MB; it was not read.") from None
            buffer += file.read(max(len(buffer), end - len(buffer)))
            continue
        if element[0] >> 16 == 0xFFFE:
            raise Malformed(named(element[0]))
        found.append(element)
        position = element[4]
    return buffer, found, position


def _declared_end(buffer: bytes, position: int, encoding: Encoding) -> int | None:
    """Where the element at `position` says it ends; None where it doesn't, or isn't read that far."""
    if position + 12 > len(buffer):
        return None
    vr = buffer[position + 4 : position + 6]
    if encoding.explicit and vr in LONG_VRS:
        length, value = encoding.length.unpack_from(buffer, position + 8)[0], position + 12
    elif encoding.explicit and vr in KNOWN_VRS:
        return position + 8 + int(encoding.short.unpack_from(buffer, position + 6)[0])
    else:
        length, value = encoding.length.unpack_from(buffer, position + 4)[0], position + 8
    return None if length == UNDEFINED else value + int(length)


def _pixels(
    file: BinaryIO, buffer: bytes, position: int, offset: int, size: int, encoding: Encoding
) -> Pixels:
    head = buffer[position : position + 12]
    group, number, vr, _ = encoding.element.unpack_from(head)
    is_long = encoding.explicit and vr in LONG_VRS
    if is_long and len(head) < 12:
        raise CutOff(named(group << 16 | number))
    length = encoding.length.unpack_from(head, 8 if is_long else 4)[0]
    start = offset + position
    value = start + (12 if is_long else 8)
    if length == UNDEFINED:
        return Pixels(
            group << 16 | number,
            vr if is_long else b"OB",
            start,
            value,
            None,
            _fragments_end(file, value, size),
        )
    return Pixels(
        group << 16 | number, vr if is_long else b"OW", start, value, length, min(value + length, size)
    )


def _fragments_end(file: BinaryIO, position: int, size: int) -> int:
    """Where encapsulated pixels end (PS3.5 A.4), behind their delimiter; or of a file that is cut off."""
    while position + 8 <= size:
        file.seek(position)
        head = file.read(8)
        position += 8
        if head[:4] == b"\xfe\xff\xdd\xe0":
            return position
        if head[:4] != b"\xfe\xff\x00\xe0":
            raise Unreadable(f"The pixels can't be read: their fragments break off at byte {position - 8}.")
        position += int.from_bytes(head[4:], "little")
    return size


def _tail(file: BinaryIO, position: int, size: int, encoding: Encoding) -> tuple[bytes, list[Element], bool]:
    if position >= size:
        return b"", [], False
    if size - position > HEADER_BYTES_MAX:
        raise Unreadable("More than 128 MB follow the pixels; the file was not read.")
    try:
        buffer, elements, end = _read_elements(file, position, size, encoding)
    except (CutOff, Malformed):
        return b"", [], True
    if end < len(buffer):
        raise Unreadable("The file holds two pixel attributes.")
    return buffer, elements, False
