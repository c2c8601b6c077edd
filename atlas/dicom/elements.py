"""Walks the data elements of a Part 10 file by their bytes, without decoding any value (PS3.5 section 7).

Explicit and implicit VR, little and big endian, sequences and items of defined and of undefined length, UN
that holds a sequence.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct

from pydicom._dicom_dict import DicomDictionary

type Element = tuple[int, bytes, int, int, int, bool]
"""(tag, VR, start of the element, start of its value, end, whether its length is undefined): positions in
the buffer that was walked. The end includes the delimiter of a value of undefined length. The VR of an
element that names none is the dictionary's, or UN."""

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
DEPTH_MAX = 32  # sequences within sequences

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
IMPLICIT_BIG = _encoding(explicit=False, little=False)  # what a careless writer leaves inside big endian


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
    return IMPLICIT if encoding.little else IMPLICIT_BIG


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
            if item_end > end:
                raise CutOff(named(ITEM))
            members, position = walk(
                buffer, start, item_end, within, is_open=length == UNDEFINED, depth=depth
            )
            yield from every(buffer, members, within, depth + 1)
