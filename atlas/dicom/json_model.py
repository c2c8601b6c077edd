"""A Part 10 file as DICOM JSON (PS3.18 F.2), element by element from its bytes, without its bulk data.

Values longer than INLINE_BYTES_MAX become a BulkDataURI that begins with PLACEHOLDER: a byte that JSON text
never holds as it is, so that whoever answers can put the address of the series in its place.
"""

import base64
import math
import re
from collections.abc import Iterator
from json.encoder import encode_basestring_ascii as quoted
from struct import Struct
from typing import BinaryIO

import numpy as np
from pydicom._dicom_dict import DicomDictionary
from pydicom.charset import convert_encodings, decode_bytes

from atlas.dicom.elements import (
    ITEM,
    UNDEFINED,
    VR_OF,
    Element,
    Encoding,
    inner,
    item_encoding,
    walk,
)
from atlas.dicom.parts import take_apart

PLACEHOLDER = b"\x01"
INLINE_BYTES_MAX = 1024
DEPTH_MAX = 32
_REMEMBERED_BYTES_MAX = 4096
_REMEMBERED_MAX = 20_000

_CHARACTER_SET, _SOP_INSTANCE_UID, _PIXEL_REPRESENTATION = 0x00080005, 0x00080018, 0x00280103
_WRITTEN_TEXT = {b"ST", b"LT", b"UT", b"UR"}  # one value, backslashes and leading blanks belong to it
_ENCODED = {b"SH", b"LO", b"UC", b"PN", b"ST", b"LT", b"UT"}
_BINARY = {b"OB": 1, b"OW": 2, b"OF": 4, b"OD": 8, b"OL": 4, b"OV": 8, b"UN": 1}
_NUMBERS = {
    vr: (Struct("<" + code), Struct(">" + code))
    for vr, code in {
        b"US": "H", b"SS": "h", b"UL": "L", b"SL": "l", b"FL": "f", b"FD": "d", b"UV": "Q", b"SV": "q",
    }.items()
}  # fmt: skip
_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_SIGNED_OR_NOT = {tag for tag, entry in DicomDictionary.items() if entry[0].startswith("US or SS")}


class Writer:
    """Writes objects of one series: what their headers share is converted once."""

    def __init__(self) -> None:
        self._remembered: dict[tuple[object, bytes], bytes] = {}

    def write(self, file: BinaryIO) -> bytes:
        """One object as JSON, in one line. Raises NotDicom or Unreadable (atlas.dicom.headers)."""
        parts = take_apart(file)
        buffer, encoding = parts.buffer, parts.encoding
        uid, characters, is_signed = "", ["iso8859"], False
        for tag, _, _, value, end, _ in parts.elements:
            if tag == _SOP_INSTANCE_UID:
                uid = buffer[value:end].rstrip(b"\0 ").decode("ascii", "replace")
            elif tag == _CHARACTER_SET:
                characters = _encodings(buffer[value:end])
            elif tag == _PIXEL_REPRESENTATION and end - value == 2:
                is_signed = encoding.short.unpack_from(buffer, value)[0] == 1
        text = _Text(self._remembered, f"/instances/{uid}/bulkdata", characters, is_signed)
        found = [*text.elements(buffer, parts.elements, encoding, "", 0)]
        if parts.pixels is not None:
            vr = parts.pixels.vr.decode()
            address = quoted(f"{text.root}/{parts.pixels.tag:08X}").encode()
            found.append(
                b'"%08X":{"vr":"%s","BulkDataURI":"%s%s}'
                % (parts.pixels.tag, vr.encode(), PLACEHOLDER, address[1:])
            )
        found += text.elements(parts.tail, parts.tail_elements, encoding, "", 0)
        return b"{" + b",".join(found) + b"}"


def _encodings(raw: bytes) -> list[str]:
    names = [name.strip() for name in raw.rstrip(b"\0 ").decode("ascii", "replace").split("\\")]
    try:
        return convert_encodings(names)
    except Exception:  # a name that nobody knows
        return ["iso8859"]


class _Text:
    """One object on its way to JSON. `root` is where its bulk data is, below the series."""

    def __init__(
        self, remembered: dict[tuple[object, bytes], bytes], root: str, characters: list[str], is_signed: bool
    ) -> None:
        self.root = root
        self._remembered, self._characters, self._is_signed = remembered, characters, is_signed

    def elements(
        self, buffer: bytes, elements: list[Element], encoding: Encoding, path: str, depth: int
    ) -> Iterator[bytes]:
        shared = (*self._characters, self._is_signed, encoding.explicit, encoding.little)
        for element in elements:
            tag, _, start, _, end, _ = element
            if not tag & 0xFFFF or tag == 0x00080001:  # group lengths say nothing in JSON
                continue
            if end - start > _REMEMBERED_BYTES_MAX:
                yield self._element(buffer, element, encoding, path, depth)
                continue
            key = (shared, buffer[start:end])
            known = self._remembered.get(key)
            if known is None:
                known = self._element(buffer, element, encoding, path, depth)
                if PLACEHOLDER not in known and len(self._remembered) < _REMEMBERED_MAX:
                    self._remembered[key] = known
            yield known

    def _element(self, buffer: bytes, element: Element, encoding: Encoding, path: str, depth: int) -> bytes:
        tag, vr, _, value, end, is_open = element
        if vr == b"UN":  # a writer that didn't know the attribute: implicit VR little endian (PS3.5 6.2.2)
            is_creator = tag >> 16 & 1 and 0x10 <= tag & 0xFFFF <= 0xFF
            known = b"LO" if is_creator else b"SQ" if is_open else b"UN"
            vr, encoding = VR_OF.get(tag, known), inner(encoding, b"UN")
        if vr == b"SQ":
            items = self._items(buffer, value, end, encoding, f"{path}/{tag:08X}", depth + 1)
            return b'"%08X":{"vr":"SQ"%s}' % (tag, b',"Value":[%s]' % b",".join(items) if items else b"")
        if not encoding.explicit and tag in _SIGNED_OR_NOT:
            vr = b"SS" if self._is_signed else b"US"
        raw = buffer[value:end]
        if not raw:
            return b'"%08X":{"vr":"%s"}' % (tag, vr)
        if vr in _BINARY or len(raw) > 64 * INLINE_BYTES_MAX:
            return self._binary(tag, vr, raw, encoding, path)
        values = self._values(vr, raw, encoding)
        return b'"%08X":{"vr":"%s"%s}' % (tag, vr, b',"Value":[%s]' % values if values else b"")

    def _items(
        self, buffer: bytes, position: int, end: int, encoding: Encoding, path: str, depth: int
    ) -> list[bytes]:
        found: list[bytes] = []
        while position + 8 <= end and depth <= DEPTH_MAX:
            group, number, length = encoding.tag_and_length.unpack_from(buffer, position)
            position += 8
            if group << 16 | number != ITEM:
                break
            within = item_encoding(buffer, position, end, encoding)
            is_open = length == UNDEFINED
            last = end if is_open else min(position + length, end)
            elements, position = walk(buffer, position, last, within, is_open=is_open, depth=depth)
            inside = self.elements(buffer, elements, within, f"{path}/{len(found)}", depth)
            found.append(b"{%s}" % b",".join(inside))
        return found

    def _binary(self, tag: int, vr: bytes, raw: bytes, encoding: Encoding, path: str) -> bytes:
        if len(raw) > INLINE_BYTES_MAX:
            address = quoted(f"{self.root}{path}/{tag:08X}").encode()
            return b'"%08X":{"vr":"%s","BulkDataURI":"%s%s}' % (tag, vr, PLACEHOLDER, address[1:])
        return b'"%08X":{"vr":"%s","InlineBinary":"%s"}' % (
            tag, vr, base64.b64encode(little_endian(vr, raw, is_little=encoding.little)),
        )  # fmt: skip

    def _values(self, vr: bytes, raw: bytes, encoding: Encoding) -> bytes:
        """The values of an element, with commas between them; empty where there are none."""
        if vr in _NUMBERS:
            return b",".join(_numbers(_NUMBERS[vr][not encoding.little], raw))
        if vr == b"AT":
            words = [encoding.short.unpack_from(raw, at)[0] for at in range(0, len(raw) - 1, 2)]
            return b",".join(b'"%04X%04X"' % pair for pair in zip(words[::2], words[1::2], strict=False))
        text = self._decoded(vr, raw)
        if vr in _WRITTEN_TEXT:
            text = text.rstrip(" \0")
            return quoted(text).encode() if text else b""
        values = [value.strip(" \0") for value in text.split("\\")]
        if not any(values):
            return b""
        if vr in (b"DS", b"IS"):
            return b",".join(_written_number(value, is_whole=vr == b"IS") for value in values)
        if vr == b"PN":
            return b",".join(map(_name, values))
        return b",".join(quoted(value).encode() if value else b"null" for value in values)

    def _decoded(self, vr: bytes, raw: bytes) -> str:
        if raw.isascii() and b"\x1b" not in raw:
            return raw.decode("ascii")
        if vr not in _ENCODED:
            return raw.decode("latin-1")
        try:
            return decode_bytes(raw, self._characters, {0x5C, 0x0A, 0x0D, 0x0C, 0x09, 0x5E, 0x3D})
        except Exception:  # bytes that the named character set doesn't have
            return raw.decode("latin-1")


def little_endian(vr: bytes, raw: bytes, *, is_little: bool) -> bytes:
    """A binary value with its words in the order that the web uses (PS3.18 8.7.3.5)."""
    size = _BINARY.get(vr, 1)
    if is_little or size == 1 or len(raw) % size:
        return raw
    return np.frombuffer(raw, f">u{size}").byteswap().tobytes()


def _numbers(form: Struct, raw: bytes) -> Iterator[bytes]:
    for (number,) in form.iter_unpack(raw[: len(raw) // form.size * form.size]):
        if isinstance(number, float) and not math.isfinite(number):
            yield b"null"
        else:
            yield repr(number).encode()


def _written_number(value: str, *, is_whole: bool) -> bytes:
    if not value:
        return b"null"
    if _JSON_NUMBER.fullmatch(value):
        return value.encode()
    try:
        number = int(value) if is_whole else float(value)
    except ValueError:
        return quoted(value).encode()
    return repr(number).encode() if math.isfinite(number) else quoted(value).encode()


def _name(value: str) -> bytes:
    """PS3.18 F.2.2: the groups of a person's name."""
    groups = zip(("Alphabetic", "Ideographic", "Phonetic"), value.split("="), strict=False)
    told = ",".join(f'"{kind}":{quoted(group.rstrip(" "))}' for kind, group in groups if group.strip("^ "))
    return f"{{{told}}}".encode() if told else b"null"
