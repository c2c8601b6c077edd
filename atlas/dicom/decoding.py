"""Decodes frames: for the renditions that browsers need, and for thumbnails."""

import zlib
from typing import Any

import imagecodecs
import numpy as np
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder
from pydicom.pixels.processing import apply_color_lut, convert_color_space
from pydicom.uid import UID

from atlas.dicom.frames import (
    DEFLATED_FRAMES,
    JPEG_2000,
    JPEG_EXTENDED,
    NATIVE,
    PixelFormat,
    is_swapped,
)
from atlas.dicom.headers import EXPLICIT_BIG, Header

FRAME_BYTES_MAX = 1024 * 1024 * 1024


class CannotDecode(Exception):
    """The message is a sentence for the reader of the series."""


def decode_frame(header: Header, pixel: PixelFormat, encoded: bytes, index: int = 0) -> np.ndarray:
    """One frame as numbers, (rows, columns) or (rows, columns, 3) RGB; numbers as the header declares them.

    `encoded` is what `frame_ranges` addresses for frame `index` (from 0). Raises CannotDecode.
    """
    if pixel.native_frame_bits // 8 > FRAME_BYTES_MAX:
        raise CannotDecode("One image has more than 1 GB of pixels.")
    try:
        array = _decode(header, pixel, encoded, index)
    except Exception as error:  # decoders on hostile bytes raise anything
        raise CannotDecode(f"The pixels can't be decoded ({type(error).__name__}).") from error
    if array.shape[:2] != (pixel.rows, pixel.columns):
        raise CannotDecode("The decoded image has another size than its header says.")
    return array


def _decode(header: Header, pixel: PixelFormat, encoded: bytes, index: int) -> np.ndarray:
    syntax = header.transfer_syntax_uid
    if syntax == DEFLATED_FRAMES:
        machine = zlib.decompressobj(-zlib.MAX_WBITS)
        encoded = machine.decompress(encoded, FRAME_BYTES_MAX)
        array = _native(header, pixel, encoded, 0)  # each frame starts at a byte of its own
    elif syntax in NATIVE:
        array = _native(header, pixel, encoded, index)
    elif syntax == JPEG_EXTENDED:
        array = imagecodecs.jpeg_decode(encoded)
    else:
        return _by_pydicom(header, pixel, encoded)
    if pixel.photometric == "PALETTE COLOR":
        return _palette(header, array)
    if array.ndim == 3 and pixel.photometric.startswith("YBR_FULL") and syntax != JPEG_EXTENDED:
        array = convert_color_space(array, "YBR_FULL", "RGB")
    return _value_bits(array, pixel)


def _by_pydicom(header: Header, pixel: PixelFormat, encoded: bytes) -> np.ndarray:
    decoder = get_decoder(UID(header.transfer_syntax_uid))
    options: Any = {
        "pixel_keyword": "PixelData",
        "number_of_frames": 1,
        "rows": pixel.rows,
        "columns": pixel.columns,
        "samples_per_pixel": pixel.samples,
        "photometric_interpretation": pixel.photometric,
        "bits_allocated": pixel.bits_allocated,
        "bits_stored": pixel.bits_stored,
        "pixel_representation": int(pixel.signed),
        "planar_configuration": pixel.planar,
    }
    array, _ = decoder.as_array(encapsulate([encoded], has_bot=False), index=0, **options)
    return _palette(header, array) if pixel.photometric == "PALETTE COLOR" else array


def _native(header: Header, pixel: PixelFormat, encoded: bytes, index: int) -> np.ndarray:
    rows, columns, samples = pixel.rows, pixel.columns, pixel.samples
    if pixel.bits_allocated == 1:
        first_bit = index * rows * columns % 8  # 1 bit frames follow each other without padding
        bits = np.unpackbits(np.frombuffer(encoded, np.uint8), bitorder="little")
        return bits[first_bit : first_bit + rows * columns].reshape(rows, columns)
    order = ">" if header.transfer_syntax_uid == EXPLICIT_BIG else "<"
    kind = "f" if pixel.floating else "i" if pixel.signed else "u"
    if is_swapped(header) and pixel.bits_allocated == 8:
        swapped = np.frombuffer(encoded, np.uint16).byteswap().tobytes()
        encoded = swapped[index * pixel.native_frame_bits // 8 % 2 :]
    flat = np.frombuffer(encoded, f"{order}{kind}{pixel.bits_allocated // 8}")
    if pixel.photometric == "YBR_FULL_422":
        return _from_422(flat, rows, columns)
    flat = flat[: rows * columns * samples]
    if samples == 1:
        return flat.reshape(rows, columns)
    if pixel.planar == 1:
        return flat.reshape(samples, rows, columns).transpose(1, 2, 0)
    return flat.reshape(rows, columns, samples)


def _from_422(flat: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """PS3.3 C.7.6.3.1.2: Y1 Y2 CB CR for each pair of pixels."""
    pairs = flat[: rows * columns * 2].reshape(-1, 4)
    full = np.empty((len(pairs), 2, 3), flat.dtype)
    full[:, :, 0] = pairs[:, :2]
    full[:, :, 1] = pairs[:, 2:3]
    full[:, :, 2] = pairs[:, 3:4]
    return full.reshape(rows, columns, 3)


def _palette(header: Header, array: np.ndarray) -> np.ndarray:
    """Colours of the palette, 8 bits each."""
    colours = apply_color_lut(array, header.dataset)[..., :3]
    return (colours >> 8).astype(np.uint8) if colours.dtype == np.uint16 else colours.astype(np.uint8)


def _value_bits(array: np.ndarray, pixel: PixelFormat) -> np.ndarray:
    """Only the bits of the value: others may hold overlays (retired, but still found)."""
    bits = array.dtype.itemsize * 8
    if array.ndim != 2 or bits != pixel.bits_allocated or bits == pixel.bits_stored:
        return array
    above, below = bits - pixel.high_bit - 1, pixel.high_bit + 1 - pixel.bits_stored
    native = array.astype(array.dtype.newbyteorder("="))
    return np.right_shift(np.left_shift(native, above), above + below)


def has_stray_bits(pixel: PixelFormat, encoded: bytes) -> bool:
    """Whether a native little endian frame has bits beyond its values, which a browser would take for
    values: overlays, or negative numbers of 12 bits without their sign in the upper four."""
    if (
        pixel.samples != 1
        or pixel.bits_allocated not in (8, 16, 32)
        or pixel.bits_stored == pixel.bits_allocated
    ):
        return False
    array = np.frombuffer(encoded, f"<{'i' if pixel.signed else 'u'}{pixel.bits_allocated // 8}")
    above = pixel.bits_allocated - pixel.bits_stored
    return not np.array_equal(np.right_shift(np.left_shift(array, above), above), array)


def delivered_format(array: np.ndarray, pixel: PixelFormat) -> PixelFormat:
    """The format of a decoded frame: native, little endian, colour by pixel."""
    bits = array.dtype.itemsize * 8
    is_colour = array.ndim == 3
    stored = min(pixel.bits_stored, bits) if not is_colour and bits > 8 else bits
    photometric = "RGB" if is_colour else pixel.photometric
    return PixelFormat(
        rows=pixel.rows,
        columns=pixel.columns,
        samples=3 if is_colour else 1,
        photometric=photometric if photometric in ("RGB", "MONOCHROME1") else "MONOCHROME2",
        bits_allocated=bits,
        bits_stored=stored,
        high_bit=stored - 1,
        signed=array.dtype.kind == "i",
        planar=0,
        floating=array.dtype.kind == "f",
    )


def to_little_endian(array: np.ndarray) -> bytes:
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()


def codestream_contradicts(syntax: str, pixel: PixelFormat, start: bytes) -> bool:
    """Whether a JPEG 2000 codestream's own SIZ marker (ISO 15444-1 A.5.1) says another sign than the header.
    The browser's decoder follows the codestream, so such frames are decoded here."""
    at = start.find(b"\xff\x4f\xff\x51")
    if syntax not in JPEG_2000 or at < 0 or len(start) < at + 43:
        return False
    return bool(start[at + 42] & 0x80) != pixel.signed
