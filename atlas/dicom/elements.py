"""Walks the data elements of a Part 10 file by their bytes, without decoding any value (PS3.5 section 7).

Explicit and implicit VR, little and big endian, sequences and items of defined and of undefined length, UN
that holds a sequence. Only what stands before and after the pixels is read into memory; of encapsulated
pixels the fragments' lengths are followed, of native ones nothing is read at all.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import BinaryIO

from pydicom._dicom_dict import DicomDictionary

from atlas.dicom.headers import (
    DEFLATED,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    MEDIA_DIRECTORY,
    PIXEL_KEYWORDS,
    PREFIX_BYTES,
    NotDicom,
    Unreadable,
    inflated,
    looks_like_dicom,
)

type Element = tuple[int, bytes, int, int, int, bool]
"""(tag, VR, start of the element, start of its value, end, whether its length is undefined): positions in
the buffer that was walked. The end includes the delimiter of a value of undefined length. The VR of an
element that names none is the dictionary's, or UN."""

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
HEADER_BYTES_MAX = 128 * 1024 * 1024  # before the pixels, and again behind them
DEPTH_MAX = 32  # sequences within sequences
_FIRST_BYTES = 32 * 1024

LONG_VRS = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)
VR_OF: dict[int, bytes] = {tag: entry[0][:2].encode() for tag, entry in DicomDictionary.items()}
"""VR of each public tag; of those with a choice ("US or SS") the first."""
KNOWN_VRS = frozenset(VR_OF.values()) | LONG_VRS


class CutOff(Exception):
    """The buffer ends within an element. The message is the element's tag as (gggg,eeee)."""


class Malformed(Exception):
    """The bytes can't be elements. The message says where, as (gggg,eeee)."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How elements are written. `explicit` says whether they name their VR."""

    explicit: bool
    little: bool
    element: Struct  # group, number, VR, 16 bit length
    tag_and_length: Struct  # group, number, 32 bit length: implicit elements and items
    length: Struct
    short: Struct

    def item(self, length: int) -> bytes:
        return self.tag_and_length.pack(0xFFFE, 0xE000, length)

    def head(self, tag: int, vr: bytes, length: int) -> bytes:
        """The bytes before a value of this length. Raises ValueError where a short VR can't hold it."""
        if not self.explicit:
            return self.tag_and_length.pack(tag >> 16, tag & 0xFFFF, length)
        if vr in LONG_VRS:
            return self.element.pack(tag >> 16, tag & 0xFFFF, vr, 0) + self.length.pack(length)
        if length > 0xFFFF:
            raise ValueError(f"{vr.decode()} holds no {length} bytes")
        return self.element.pack(tag >> 16, tag & 0xFFFF, vr, length)


def _encoding(explicit: bool, little: bool) -> Encoding:
    order = "<" if little else ">"
    return Encoding(
        explicit,
        little,
        Struct(order + "HH2sH"),
        Struct(order + "HHL"),
        Struct(order + "L"),
        Struct(order + "H"),
    )


IMPLICIT = _encoding(explicit=False, little=True)
EXPLICIT = _encoding(explicit=True, little=True)
BIG = _encoding(explicit=True, little=False)
_IMPLICIT_BIG = _encoding(explicit=False, little=False)  # what a careless writer leaves inside big endian


def named(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def walk(
    buffer: bytes, position: int, end: int, encoding: Encoding, *, is_open: bool = False, depth: int = 0
) -> tuple[list[Element], int]:
    """The elements of one data set or item, and where it ends.

    `is_open` is for items of undefined length: it ends at its delimiter, which must come before `end`.
    Raises CutOff where the last element passes `end`, and Malformed.
    """
    found: list[Element] = []
    append = found.append
    while position < end:
        element = next_element(buffer, position, end, encoding, depth)
        if element[0] >> 16 == 0xFFFE:
            if is_open and element[0] == ITEM_END:
                return found, position + 8
            raise Malformed(named(element[0]))
        append(element)
        position = element[4]
    if is_open:
        raise CutOff(named(ITEM_END))
    return found, position


def next_element(buffer: bytes, position: int, end: int, encoding: Encoding, depth: int = 0) -> Element:
    """The element at `position`. Delimiters come back as elements of group FFFE without a value."""
    if position + 8 > end:
        raise CutOff("the last element")
    group, number, vr, length = encoding.element.unpack_from(buffer, position)
    tag = group << 16 | number
    value = position + 8
    if group == 0xFFFE:
        return tag, b"", position, value, value, False
    if encoding.explicit and b"AA" <= vr <= b"ZZ":
        if vr in LONG_VRS:
            if position + 12 > end:
                raise CutOff(named(tag))
            length = encoding.length.unpack_from(buffer, value)[0]
            value = position + 12
    else:  # implicit VR, or a writer that switched to it half-way
        length = encoding.length.unpack_from(buffer, position + 4)[0]
        vr = VR_OF.get(tag, b"UN")
    if length == UNDEFINED:
        return tag, vr, position, value, skip(buffer, value, end, inner(encoding, vr), depth + 1), True
    if value + length > end:
        raise CutOff(named(tag))
    return tag, vr, position, value, value + length, False


def inner(encoding: Encoding, vr: bytes) -> Encoding:
    """How the items of a sequence are written: UN holds implicit VR little endian (PS3.5 6.2.2)."""
    return IMPLICIT if vr == b"UN" else encoding


def item_encoding(buffer: bytes, position: int, end: int, encoding: Encoding) -> Encoding:
    """How the item whose first element is at `position` is written: some writers leave implicit VR in
    items of an explicit file."""
    if not encoding.explicit or position + 6 > end or b"AA" <= buffer[position + 4 : position + 6] <= b"ZZ":
        return encoding
    return IMPLICIT if encoding.little else _IMPLICIT_BIG


def skip(buffer: bytes, position: int, end: int, encoding: Encoding, depth: int) -> int:
    """Where a value of undefined length that begins at `position` ends, behind its delimiter."""
    if depth > DEPTH_MAX:
        raise Malformed(f"more than {DEPTH_MAX} sequences within each other")
    unpack = encoding.tag_and_length.unpack_from
    while position + 8 <= end:
        group, number, length = unpack(buffer, position)
        tag = group << 16 | number
        position += 8
        if tag == SEQUENCE_END:
            return position
        if tag != ITEM:
            raise Malformed(named(tag))
        if length != UNDEFINED:
            position += length
            continue
        within = item_encoding(buffer, position, end, encoding)
        while True:
            element = next_element(buffer, position, end, within, depth)
            position = element[4]
            if element[0] == ITEM_END:
                break
            if element[0] >> 16 == 0xFFFE:
                raise Malformed(named(element[0]))
    raise CutOff(named(SEQUENCE_END))


def every(
    buffer: bytes, elements: list[Element], encoding: Encoding, depth: int = 0
) -> Iterator[tuple[Element, int]]:
    """Each element and those in its sequences, with its depth (0 for the data set itself).

    Raises CutOff or Malformed where a sequence can't be followed.
    """
    if depth > DEPTH_MAX:
        raise Malformed(f"more than {DEPTH_MAX} sequences within each other")
    for element in elements:
        yield element, depth
        tag, vr, _, position, end, is_open = element
        if not (vr == b"SQ" or is_open or (vr == b"UN" and VR_OF.get(tag) == b"SQ")):
            continue
        of_items = inner(encoding, vr)
        while position + 8 <= end:
            group, number, length = of_items.tag_and_length.unpack_from(buffer, position)
            if (group << 16 | number) == SEQUENCE_END:
                break
            if (group << 16 | number) != ITEM:
                raise Malformed(named(group << 16 | number))
            start = position + 8
            within = item_encoding(buffer, start, end, of_items)
            item_end = end if length == UNDEFINED else start + length
            members, position = walk(
                buffer, start, item_end, within, is_open=length == UNDEFINED, depth=depth
            )
            yield from every(buffer, members, within, depth + 1)


# A file ----------------------------------------------------------------------------------------


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
    file.seek(0)
    start = file.read(PREFIX_BYTES)
    if not start:
        raise NotDicom("The file is empty.")
    if not looks_like_dicom(start):
        raise NotDicom("This is not a DICOM file.")
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
    if meta.get(0x00020002) == MEDIA_DIRECTORY:
        raise NotDicom("This is a DICOMDIR, a table of contents: it holds no image.")
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
    return (_IMPLICIT_BIG if is_big else IMPLICIT), IMPLICIT_LITTLE


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
            if len(buffer) > HEADER_BYTES_MAX:
                raise Unreadable("The header is larger than 128 MB; it was not read.") from None
            buffer += file.read(len(buffer))
            continue
        if element[0] >> 16 == 0xFFFE:
            raise Malformed(named(element[0]))
        found.append(element)
        position = element[4]
    return buffer, found, position


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
