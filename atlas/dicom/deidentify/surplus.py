"""Bytes behind the last frame: no viewer shows them, and they could hold anything."""

from pydicom.dataset import Dataset

from atlas.dicom import values
from atlas.dicom.deidentify.result import Refused
from atlas.dicom.parts import Pixels

_PIXEL_DATA = 0x7FE00010


def length_without_surplus(pixels: Pixels, header: Dataset) -> int:
    """How many bytes of uncompressed Pixel Data are pixels (PS3.5 8.1.1), with the byte that makes it even.

    Where the header doesn't say how large a frame is, and for compressed or other pixels, all that are there.
    Raises Refused where as much as a whole frame is too many: that may be pixels, and not be thrown away.
    """
    there = pixels.end - pixels.value
    if pixels.tag != _PIXEL_DATA or pixels.length is None:
        return there
    frame_bits = _frame_bits(header)
    if not frame_bits:
        return there
    count = max(values.integer(header, "NumberOfFrames") or 1, 1)
    length = -(-frame_bits * count // 8)
    length += length % 2
    if there <= length:
        return there
    if (there - length) * 8 >= frame_bits:
        raise Refused(
            f"The pixels are {there - length:,} bytes longer than rows × columns × frames ({count:,}) say: "
            "these could hold anything. Ask for the file again, with its right number of frames."
        )
    return length


def _frame_bits(header: Dataset) -> int:
    rows, columns = values.integer(header, "Rows") or 0, values.integer(header, "Columns") or 0
    allocated = values.integer(header, "BitsAllocated") or 0
    samples = values.integer(header, "SamplesPerPixel") or 1
    if values.text(header, "PhotometricInterpretation").upper().startswith(("RGB", "YBR")):
        samples = max(samples, 3)  # also for 4:2:2, of which some files hold as much as without it
    return max(rows, 0) * max(columns, 0) * max(allocated, 0) * max(samples, 0)
