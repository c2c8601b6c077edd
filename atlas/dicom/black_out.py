"""Paints over rectangles of an image's pixels, and says so in its header (PS3.15 E.3.1, Clean Pixel Data).

The image keeps its SOP Instance UID, so what refers to it still finds it. Uncompressed pixels are painted in
their own encoding and everything else stays byte for byte; compressed ones are decoded and stored as Explicit
VR Little Endian, because compressing them a second time would lose more.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
from pydicom.dataset import FileMetaDataset
from pydicom.filewriter import write_file_meta_info
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import UID

from atlas.dicom import elements, values
from atlas.dicom.decoding import CannotDecode, decode_frame, delivered_format, to_little_endian
from atlas.dicom.elements import Encoding
from atlas.dicom.frames import (
    NATIVE,
    NoFrames,
    PixelFormat,
    Ranges,
    frame_ranges,
    is_swapped,
    pixel_format,
    read_ranges,
)
from atlas.dicom.headers import DEFLATED, EXPLICIT_BIG, EXPLICIT_LITTLE, Header, read_header
from atlas.dicom.parts import Parts, take_apart
from atlas.dicom.pixel_text import Box

METHOD_CODES = 0x00120064  # De-identification Method Code Sequence
BURNED_IN = 0x00280301
LOSSY = 0x00282110
CLEAN_PIXEL_DATA = ("113101", "DCM", "Clean Pixel Data Option")  # CID 7050
LOSSY_SYNTAXES = {f"1.2.840.10008.1.2.4.{end}" for end in ("50", "51", "81")}

# They show, sum up or sign the pixels as they were.
_OF_OLD_PIXELS = {
    0x00880200,  # Icon Image Sequence
    *range(0x00280106, 0x00280112),  # smallest and largest values
    0x4FFE0001,  # MAC Parameters Sequence
    0x7FE00001,  # Extended Offset Table, its lengths, and the total length
    0x7FE00002,
    0x7FE00003,
}
PIXEL_DATA = 0x7FE00010
PIXEL_BYTES_MAX = 0xFFFFFFFE  # PS3.5 7.1.1: what 32 bits can say, and even
BIT_FRAMES_BYTES_MAX = 64 * 1024 * 1024
_COPY_BYTES = 1024 * 1024

type New = dict[int, tuple[bytes, bytes]]
"""Tag -> (VR, value of even length)."""


class CannotPaint(Exception):
    """The message is a sentence for whoever looks after the images."""


@dataclass(frozen=True, slots=True)
class _Painted:
    frames: Iterator[bytes]
    length: int
    vr: bytes
    syntax: str
    new: New


def black_out(file: BinaryIO, boxes: Sequence[Box], target: BinaryIO) -> str:
    """Write a Part 10 file with these boxes painted to `target`; returns its transfer syntax.

    Boxes of frame 0 are painted on every frame. One frame at a time is in memory. Raises CannotPaint.
    """
    header, parts, inside = _read(file, boxes)
    try:
        pixel = pixel_format(header)
        if pixel.floating:
            raise CannotPaint("A map of floating-point values can't be painted.")
        ranges = frame_ranges(parts.source, header, pixel)
        if parts.pixels is None or not ranges:
            raise CannotPaint("The image has no pixels.")
        whole = [one for one in ranges if one is not None]
        if len(whole) < len(ranges):
            raise CannotPaint("The file is cut off within its pixels, so they can't be painted.")
        painted = _paint(header, parts, pixel, whole, inside)
        if painted.length > PIXEL_BYTES_MAX:
            raise CannotPaint("Decoded, the pixels take more than 4 GB, which a DICOM file can't hold.")
        encoding = parts.encoding
        target.write(_head(header, parts, painted.syntax, painted.new, _OF_OLD_PIXELS))
        padded = painted.length + painted.length % 2
        target.write(encoding.head(PIXEL_DATA, painted.vr, padded))
        written = 0
        for frame in painted.frames:
            written += target.write(frame)
    except (NoFrames, CannotDecode) as error:
        raise CannotPaint(str(error)) from error
    if written != painted.length:
        raise CannotPaint("The pixels decode to another size than the header says.")
    target.write(bytes(padded - written))
    return painted.syntax


def mark_clean(file: BinaryIO, target: BinaryIO) -> str:
    """Write the file with a header that says its pixels were searched and hold no text that tells who the
    person is; the pixels stay byte for byte. Returns its transfer syntax. Raises CannotPaint."""
    header, parts, _ = _read(file, [])
    if parts.pixels is None:
        raise CannotPaint("The image has no pixels.")
    target.write(_head(header, parts, parts.transfer_syntax_uid, {}, set()))
    parts.source.seek(parts.pixels.start)
    while chunk := parts.source.read(_COPY_BYTES):
        target.write(chunk)
    return parts.transfer_syntax_uid


def _read(file: BinaryIO, boxes: Sequence[Box]) -> tuple[Header, Parts, list[Box]]:
    try:
        header = read_header(file)
        parts = take_apart(file)
    except Exception as error:
        raise CannotPaint("The stored file can't be read.") from error
    if header.transfer_syntax_uid == DEFLATED:
        header = replace(header, transfer_syntax_uid=EXPLICIT_LITTLE)
    rows = values.integer(header.dataset, "Rows") or 0
    columns = values.integer(header.dataset, "Columns") or 0
    inside = [part for box in boxes if (part := box.within(rows, columns))]
    if len(inside) < len(boxes):
        raise CannotPaint(f"A box lies outside of the image, which has {columns} columns and {rows} rows.")
    return header, parts, inside


# Pixels ----------------------------------------------------------------------------------------


def _paint(
    header: Header, parts: Parts, pixel: PixelFormat, ranges: list[Ranges], boxes: Sequence[Box]
) -> _Painted:
    syntax = header.transfer_syntax_uid
    assert parts.pixels is not None  # noqa: S101 the caller has looked
    if syntax not in NATIVE:
        return _decoded(header, parts, pixel, ranges, boxes)
    vr, length = parts.pixels.vr, pixel.native_frame_bits * len(ranges) // 8
    if pixel.bits_allocated == 1:
        length = -(-pixel.native_frame_bits * len(ranges) // 8)
        return _Painted(_painted_bits(header, parts, pixel, len(ranges), boxes), length, vr, syntax, {})
    if is_swapped(header) and pixel.bits_allocated == 8:
        raise CannotPaint("Pixels of 8 bits in big endian words can't be painted.")
    frames = (
        _painted_native(header, pixel, read_ranges(parts.source, one), _on(boxes, number))
        for number, one in enumerate(ranges, start=1)
    )
    return _Painted(frames, length, vr, syntax, {})


def _on(boxes: Sequence[Box], number: int) -> list[Box]:
    return [box for box in boxes if box.frame in (0, number)]


def _painted_native(header: Header, pixel: PixelFormat, raw: bytes, boxes: Sequence[Box]) -> bytes:
    if not boxes:
        return raw
    order = ">" if header.transfer_syntax_uid == EXPLICIT_BIG else "<"
    kind = "i" if pixel.signed else "u"
    flat = np.frombuffer(raw, f"{order}{kind}{pixel.bits_allocated // 8}").copy()
    rows, columns, samples = pixel.rows, pixel.columns, pixel.samples
    if pixel.photometric == "YBR_FULL_422":  # Y1 Y2 CB CR for each pair of pixels
        pairs = flat.reshape(rows, columns // 2, 4)
        for box in boxes:
            right = -(-(box.column + box.columns) // 2)
            pairs[box.row : box.row + box.rows, box.column // 2 : right] = _black(pixel, 4)
    elif samples == 1:
        image = flat.reshape(rows, columns)
        _fill(image, boxes, _darkest(header, pixel, image))
    elif pixel.planar == 1:
        _fill(flat.reshape(samples, rows, columns).transpose(1, 2, 0), boxes, _black(pixel, samples))
    else:
        _fill(flat.reshape(rows, columns, samples), boxes, _black(pixel, samples))
    return flat.tobytes()


def _painted_bits(
    header: Header, parts: Parts, pixel: PixelFormat, count: int, boxes: Sequence[Box]
) -> Iterator[bytes]:
    """1 bit frames follow each other without padding, so they are painted all at once."""
    assert parts.pixels is not None  # noqa: S101 the caller has looked
    length = -(-pixel.native_frame_bits * count // 8)
    if length > BIT_FRAMES_BYTES_MAX or is_swapped(header):
        raise CannotPaint("Frames of one bit a pixel can't be painted when they are many, or big endian.")
    parts.source.seek(parts.pixels.value)
    bits = np.unpackbits(np.frombuffer(parts.source.read(length), np.uint8), bitorder="little")
    frames = bits[: count * pixel.rows * pixel.columns].reshape(count, pixel.rows, pixel.columns)
    black = int(pixel.photometric == "MONOCHROME1")
    for number in range(1, count + 1):
        _fill(frames[number - 1], _on(boxes, number), black)
    yield np.packbits(bits, bitorder="little").tobytes()


def _decoded(
    header: Header, parts: Parts, pixel: PixelFormat, ranges: list[Ranges], boxes: Sequence[Box]
) -> _Painted:
    is_palette = pixel.photometric == "PALETTE COLOR"
    plain = replace(pixel, photometric="MONOCHROME2") if is_palette else pixel  # numbers of colours

    def decoded(number: int) -> np.ndarray:
        encoded = read_ranges(parts.source, ranges[number - 1])
        return decode_frame(header, plain, encoded, number - 1)

    first = decoded(1)
    shape, kind = first.shape, first.dtype
    delivered = delivered_format(first, plain)
    black = None if first.ndim == 2 else _black(delivered, 3)

    def frames() -> Iterator[bytes]:
        for number in range(1, len(ranges) + 1):
            array = np.array(first if number == 1 else decoded(number))
            if array.shape != shape or array.dtype != kind:
                raise CannotPaint("The frames decode to images of different kinds.")
            here = _on(boxes, number)
            if here:
                _fill(array, here, _darkest(header, pixel, array) if black is None else black)
            yield to_little_endian(array)

    new: New = {
        0x00280002: _short(delivered.samples),
        0x00280004: _code("PALETTE COLOR" if is_palette else delivered.photometric),
        0x00280100: _short(delivered.bits_allocated),
        0x00280101: _short(delivered.bits_stored),
        0x00280102: _short(delivered.high_bit),
        0x00280103: _short(int(delivered.signed)),
    }
    if delivered.samples > 1:
        new[0x00280006] = _short(0)
    if header.transfer_syntax_uid in LOSSY_SYNTAXES:
        new[LOSSY] = _code("01")
    vr = b"OB" if delivered.bits_allocated == 8 else b"OW"
    return _Painted(frames(), first.nbytes * len(ranges), vr, EXPLICIT_LITTLE, new)


def _fill(image: np.ndarray, boxes: Sequence[Box], colour: "int | list[int] | np.generic") -> None:
    for box in boxes:
        image[box.row : box.row + box.rows, box.column : box.column + box.columns] = colour


def _black(pixel: PixelFormat, samples: int) -> list[int]:
    if not pixel.photometric.startswith("YBR_") or pixel.photometric in ("YBR_RCT", "YBR_ICT"):
        return [0] * samples
    middle = 1 << (pixel.bits_stored - 1)
    return [0, 0, middle, middle] if samples == 4 else [0, middle, middle]


def _darkest(header: Header, pixel: PixelFormat, image: np.ndarray) -> np.generic:
    """The value of a pixel of this frame that is shown darkest: a value from outside of the frame's range
    would spoil windows that are made from it."""
    flat = image.reshape(-1)
    bits = flat.dtype.itemsize * 8
    above = bits - pixel.high_bit - 1 if bits == pixel.bits_allocated else 0
    below = pixel.high_bit + 1 - pixel.bits_stored if bits == pixel.bits_allocated else 0
    numbers = flat.astype(flat.dtype.newbyteorder("="))
    if above or below:
        numbers = np.right_shift(np.left_shift(numbers, above), above + below)
    if pixel.photometric == "PALETTE COLOR":
        first, brightness = _palette_brightness(header)
        used = np.clip(numbers.astype(np.int64) - first, 0, len(brightness) - 1)
        return flat[int(np.argmin(brightness[used]))]
    return flat[int(np.argmax(numbers) if pixel.photometric == "MONOCHROME1" else np.argmin(numbers))]


def _palette_brightness(header: Header) -> tuple[int, np.ndarray]:
    """The palette's first number, and from it on the sum of the three colours of each."""
    descriptor = values.value(header.dataset, "RedPaletteColorLookupTableDescriptor")
    if descriptor is None or len(descriptor) != 3:
        raise CannotPaint("The image names colours of a palette that it does not hold.")
    count, first = int(descriptor[0]) or 65536, int(descriptor[1])
    numbers = np.arange(first, first + count, dtype=np.uint16)[None, :]
    colours = np.asarray(apply_color_lut(numbers, header.dataset))[0, :, :3]
    return first, colours.astype(np.int64).sum(axis=1)


# Header ----------------------------------------------------------------------------------------


def _head(header: Header, parts: Parts, syntax: str, new: New, without: set[int]) -> bytes:
    """Everything before the pixels: an empty preamble, new file meta information, and the elements."""
    encoding = parts.encoding
    pieces = {
        tag: parts.buffer[start:end]
        for tag, _, start, _, end, _ in parts.elements
        if tag not in without and tag & 0xFFFF  # group lengths would be wrong
    }
    for tag, (vr, value) in {**new, BURNED_IN: _code("NO")}.items():
        if vr == b"US" and not encoding.little:
            value = value[::-1]
        pieces[tag] = encoding.head(tag, vr, len(value)) + value
    pieces[METHOD_CODES] = _with_method(parts, encoding)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(values.uid(header.dataset, "SOPClassUID"))
    meta.MediaStorageSOPInstanceUID = UID(values.uid(header.dataset, "SOPInstanceUID"))
    meta.TransferSyntaxUID = UID(syntax)
    buffer = io.BytesIO()
    buffer.write(bytes(128) + b"DICM")
    write_file_meta_info(buffer, meta, enforce_standard=True)  # type: ignore[arg-type]
    return buffer.getvalue() + b"".join(pieces[tag] for tag in sorted(pieces))


def _with_method(parts: Parts, encoding: Encoding) -> bytes:
    """De-identification Method Code Sequence as it is, and the code of this option behind it."""
    present, vr = b"", b"SQ"
    for tag, own_vr, _, value, end, is_undefined in parts.elements:
        if tag == METHOD_CODES:
            present, vr = parts.buffer[value : end - 8 if is_undefined else end], own_vr
    inside = elements.inner(encoding, vr)
    if CLEAN_PIXEL_DATA[0].encode() not in present:
        code = b"".join(
            inside.head(tag, code_vr, len(value)) + value
            for tag, code_vr, value in (
                (0x00080100, b"SH", _even(CLEAN_PIXEL_DATA[0])),
                (0x00080102, b"SH", _even(CLEAN_PIXEL_DATA[1])),
                (0x00080104, b"LO", _even(CLEAN_PIXEL_DATA[2])),
            )
        )
        present += inside.item(len(code)) + code
    return encoding.head(METHOD_CODES, vr, len(present)) + present


def _even(text: str) -> bytes:
    return text.encode() + b" " * (len(text) % 2)


def _code(text: str) -> tuple[bytes, bytes]:
    return b"CS", _even(text)


def _short(number: int) -> tuple[bytes, bytes]:
    return b"US", number.to_bytes(2, "little")
