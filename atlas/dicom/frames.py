"""Where the frames of a Part 10 file are: their byte ranges, native or encapsulated (PS3.5 A.4)."""

from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

from atlas.dicom import values
from atlas.dicom.headers import DEFLATED, EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE, Header

type Ranges = tuple[tuple[int, int], ...]
"""(offset from the start of the file, length) in bytes, in the order they are to be joined."""

NATIVE = {IMPLICIT_LITTLE, EXPLICIT_LITTLE, DEFLATED, EXPLICIT_BIG}
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPEG_LS = {"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"}
JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
JPEG_2000 = {f"1.2.840.10008.1.2.4.{end}" for end in ("90", "91", "201", "202", "203")}
# What the browser's loader decodes: JPEG baseline and lossless (two kinds), JPEG-LS, JPEG 2000, HTJ2K, RLE.
BROWSER_DECODES = JPEG_2000 | {
    *(f"1.2.840.10008.1.2.4.{end}" for end in ("50", "57", "70", "80", "81")),
    "1.2.840.10008.1.2.5",
}
VIDEO = {f"1.2.840.10008.1.2.4.{end}" for end in range(100, 109)} | {
    f"1.2.840.10008.1.2.4.{end}.1" for end in range(100, 107)
}
ELSEWHERE = {"1.2.840.10008.1.2.4.94", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.204"}  # JPIP

FLOATING = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}  # bits of a value
FRAMES_MAX = 100_000  # of one file: more is a broken or hostile header
_ITEM = b"\xfe\xff\x00\xe0"
_SEQUENCE_END = b"\xfe\xff\xdd\xe0"


class NoFrames(Exception):
    """The pixels can't be addressed. The message is a sentence for the reader of the series."""


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """Image Pixel module (PS3.3 C.7.6.3), as delivered or as stored."""

    rows: int
    columns: int
    samples: int
    photometric: str
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    planar: int
    floating: bool = False

    @property
    def native_frame_bits(self) -> int:
        if self.photometric == "YBR_FULL_422":  # two pixels share their colour: 2 samples a pixel
            return self.rows * self.columns * 2 * self.bits_allocated
        return self.rows * self.columns * self.samples * self.bits_allocated


def pixel_format(header: Header) -> PixelFormat:
    """Raises NoFrames where the header leaves out, or contradicts, what decoding needs."""
    dataset = header.dataset
    rows, columns = values.integer(dataset, "Rows"), values.integer(dataset, "Columns")
    # Floating-point pixels (PS3.3 C.7.6.24, C.7.6.25) are as wide as their attribute says.
    floating = FLOATING.get(header.pixel_keyword)
    allocated = floating or values.integer(dataset, "BitsAllocated")
    if not rows or not columns or rows < 0 or columns < 0:
        raise NoFrames("The header doesn't say how many rows and columns the image has.")
    if allocated not in (1, 8, 16, 32, 64) or (allocated == 64 and not floating):
        raise NoFrames(f"Pixels of {allocated or 'unknown'} bits can't be shown.")
    stored = floating or values.integer(dataset, "BitsStored") or allocated
    if not 1 <= stored <= allocated:
        stored = allocated
    high_bit = None if floating else values.integer(dataset, "HighBit")
    if high_bit is None or not stored - 1 <= high_bit < allocated:
        high_bit = stored - 1
    samples = values.integer(dataset, "SamplesPerPixel") or 1
    if samples not in (1, 3) or (floating and samples != 1):
        raise NoFrames(f"Images with {samples} values a pixel can't be shown.")
    photometric = values.text(dataset, "PhotometricInterpretation").upper()
    return PixelFormat(
        rows=rows,
        columns=columns,
        samples=samples,
        photometric=photometric or ("RGB" if samples == 3 else "MONOCHROME2"),
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=high_bit,
        signed=not floating and values.integer(dataset, "PixelRepresentation") == 1,
        planar=values.integer(dataset, "PlanarConfiguration") or 0,
        floating=bool(floating),
    )


def frame_count(header: Header) -> int:
    """Number of Frames as written; 1 where it is left out, 0 where there are no pixels."""
    if not header.pixel_keyword:
        return 0
    return min(max(values.integer(header.dataset, "NumberOfFrames") or 1, 1), FRAMES_MAX)


def must_be_decoded(header: Header, pixel: PixelFormat) -> bool:
    """Whether a browser needs a decoded rendition, because its loader can't read what is stored."""
    syntax = header.transfer_syntax_uid
    if pixel.photometric == "PALETTE COLOR" or pixel.bits_allocated == 1:
        return True
    if syntax not in NATIVE and (
        pixel.bits_allocated > 16 or (pixel.samples > 1 and pixel.bits_allocated > 8)
    ):
        return True
    if syntax in JPEG_LS and pixel.samples > 1:
        return True  # the browser's decoder takes planes of colour for pixels
    if syntax == JPEG_BASELINE and pixel.photometric == "RGB":
        return True  # the browser's decoder takes every JPEG in colour for brightness and difference
    if pixel.high_bit != pixel.bits_stored - 1:  # bits of something else lie below the value
        return True
    if syntax in NATIVE:
        return syntax in (DEFLATED, EXPLICIT_BIG) or pixel.photometric == "YBR_FULL_422"
    return syntax not in BROWSER_DECODES


def frame_ranges(file: BinaryIO, header: Header, pixel: PixelFormat) -> list[Ranges | None]:
    """For each frame where its bytes are, or None where they are cut off.

    `file` is what the header's offsets count in (the inflated file where it was deflated). 1 bit frames
    begin within bytes: their ranges are the bytes that hold them, as whole pairs where `is_swapped`.
    Raises NoFrames.
    """
    if header.transfer_syntax_uid in VIDEO:
        raise NoFrames("This is a video; videos can't be shown yet.")
    if header.transfer_syntax_uid in ELSEWHERE:
        raise NoFrames("The pixels are on another server, not in the file.")
    if not header.pixel_keyword:
        return []
    count = frame_count(header)
    end = file.seek(0, 2)
    if header.transfer_syntax_uid in NATIVE:
        if header.pixel_length is not None:
            end = min(end, header.pixel_offset + header.pixel_length)
        return _native_ranges(header, end, count, pixel.native_frame_bits)
    if header.pixel_length is not None:
        raise NoFrames("The file says that its pixels are compressed, but stores them as if they were not.")
    return _encapsulated_ranges(file, header, count, end)


def _native_ranges(header: Header, end: int, count: int, frame_bits: int) -> list[Ranges | None]:
    start, unit = header.pixel_offset, 16 if is_swapped(header) else 8
    found: list[Ranges | None] = []
    for index in range(count):
        first = start + index * frame_bits // unit * (unit // 8)
        last = start + -(-(index + 1) * frame_bits // unit) * (unit // 8)
        found.append(((first, last - first),) if last <= end else None)
    return found


def is_swapped(header: Header) -> bool:
    """Big endian words: 8 bit pixels stand swapped in pairs, and a frame's range begins at a whole pair."""
    return header.transfer_syntax_uid == EXPLICIT_BIG and header.pixel_vr == "OW"


def _encapsulated_ranges(file: BinaryIO, header: Header, count: int, end: int) -> list[Ranges | None]:
    table, fragments = _fragments(file, header.pixel_offset, end)
    if not fragments:
        return [None] * count
    frames = (
        _by_extended_table(header, fragments, count)
        or _by_table(table, fragments, count)
        or _by_number(fragments, count)
        or _by_end_marker(file, fragments)
    )
    found: list[Ranges | None] = []
    for frame in frames[:count]:
        whole = bool(frame) and all(offset + length <= end for offset, length in frame)
        found.append(frame if whole else None)
    return found + [None] * (count - len(found))


def _fragments(file: BinaryIO, start: int, end: int) -> tuple[list[int], list[tuple[int, int]]]:
    """The Basic Offset Table, and (offset, length) of each fragment's bytes."""
    table: list[int] = []
    fragments: list[tuple[int, int]] = []
    position, is_table = start, True
    while position + 8 <= end:
        file.seek(position)
        head = file.read(8)
        if head[:4] == _SEQUENCE_END or head[:4] != _ITEM:
            break
        length = int.from_bytes(head[4:8], "little")
        if is_table:
            if length > 4 * FRAMES_MAX:
                raise NoFrames("The table of frame offsets is longer than any real one.")
            raw = file.read(length)
            table = [int.from_bytes(raw[at : at + 4], "little") for at in range(0, len(raw) - 3, 4)]
            is_table = False
        elif length:
            fragments.append((position + 8, length))
            if len(fragments) > 10 * FRAMES_MAX:
                raise NoFrames("The image is cut into more pieces than any real one.")
        position += 8 + length
    return table, fragments


def _by_extended_table(header: Header, fragments: list[tuple[int, int]], count: int) -> list[Ranges] | None:
    """Extended Offset Table (7FE0,0001): 64 bit offsets, one fragment a frame."""
    raw = values.value(header.dataset, "ExtendedOffsetTable")
    if not isinstance(raw, bytes) or len(raw) < 8 * count:
        return None
    offsets = [int.from_bytes(raw[at : at + 8], "little") for at in range(0, 8 * count, 8)]
    return _at_offsets(offsets, fragments)


def _by_table(table: list[int], fragments: list[tuple[int, int]], count: int) -> list[Ranges] | None:
    return _at_offsets(table, fragments) if len(table) == count else None


def _at_offsets(offsets: list[int], fragments: list[tuple[int, int]]) -> list[Ranges] | None:
    """Fragments by frame; offsets count from the first item tag. None where they point elsewhere."""
    base = fragments[0][0] - 8
    begins = {offset - 8 - base: number for number, (offset, _) in enumerate(fragments)}
    numbers = [begins.get(offset) for offset in offsets]
    if None in numbers or numbers[0] != 0 or numbers != sorted(set(numbers)):  # type: ignore[type-var]
        return None
    numbers.append(len(fragments))
    return [tuple(fragments[a:b]) for a, b in pairwise(numbers)]


def _by_number(fragments: list[tuple[int, int]], count: int) -> list[Ranges] | None:
    if count == 1:
        return [tuple(fragments)]
    return [(fragment,) for fragment in fragments] if len(fragments) == count else None


def _by_end_marker(file: BinaryIO, fragments: list[tuple[int, int]]) -> list[Ranges]:
    """A frame ends with the fragment that ends with JPEG's or JPEG 2000's end marker, FFD9."""
    frames: list[Ranges] = []
    current: list[tuple[int, int]] = []
    for offset, length in fragments:
        current.append((offset, length))
        file.seek(offset + max(length - 10, 0))
        if b"\xff\xd9" in file.read(min(length, 10)):
            frames.append(tuple(current))
            current = []
    return [*frames, tuple(current)] if current else frames


def read_ranges(file: BinaryIO, ranges: Ranges) -> bytes:
    pieces = []
    for offset, length in ranges:
        file.seek(offset)
        pieces.append(file.read(length))
    return b"".join(pieces)
