"""Run-length encoded bit planes: how the voxels of a segment on one frame travel and rest.

A plane is read row by row (row 0 first, column fastest). Run lengths alternate, beginning with a run of
zeros that may be empty; each is an unsigned LEB128 number, and together they sum to rows × columns.
"""

import numpy as np
from numpy.typing import NDArray

PIXELS_MAX = 2**28  # of one plane: 16,384 × 16,384, more than any detector has
_NUMBER_BYTES_MAX = 5  # 35 bits hold every run of such a plane

type Plane = NDArray[np.bool_]


class MaskError(ValueError):
    """The runs don't describe a plane of this size; the text says why, for the person who sent them."""


def encode(plane: Plane) -> bytes:
    """The runs of a bit plane, bool[rows, columns]."""
    flat = np.ascontiguousarray(plane, dtype=np.bool_).ravel()
    if flat.size == 0 or plane.ndim != 2:
        raise MaskError("A plane has two dimensions, rows and columns, and at least one pixel.")
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate(([0], changes, [flat.size]))
    lengths = np.diff(bounds)
    if flat[0]:
        lengths = np.concatenate(([0], lengths))
    return _to_leb128(lengths)


def decode(runs: bytes, rows: int, columns: int) -> Plane:
    """The bit plane, bool[rows, columns]. Raises MaskError, before it takes memory for the plane."""
    lengths = _checked_lengths(runs, rows, columns)
    bits = np.zeros(lengths.size, dtype=np.bool_)
    bits[1::2] = True
    return np.repeat(bits, lengths).reshape(rows, columns)


def validate(runs: bytes, rows: int, columns: int) -> None:
    """Raises MaskError unless the runs describe a plane of rows × columns."""
    _checked_lengths(runs, rows, columns)


def voxel_count(runs: bytes) -> int:
    """How many voxels are set, without decoding the plane. Raises MaskError."""
    return int(_from_leb128(runs)[1::2].sum())


def is_empty(runs: bytes | memoryview | None) -> bool:
    """Whether a stored plane has no voxel: none was kept, or its runs hold none."""
    return runs is None or voxel_count(bytes(runs)) == 0


def share_a_voxel(one: bytes, other: bytes) -> bool:
    """Whether two planes of one size have a voxel in common, without decoding them. Raises MaskError."""
    starts, ends = _set_runs(one)
    other_starts, other_ends = _set_runs(other)
    first = np.searchsorted(other_ends, starts, side="right")  # the first run that ends behind each start
    there = first < other_starts.size
    return bool((other_starts[first[there]] < ends[there]).any())


def _set_runs(runs: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where runs of ones begin, and where they end (behind the last), in pixels."""
    lengths = _from_leb128(runs)
    ends = np.cumsum(lengths)
    kept = lengths[1::2] > 0
    return (ends - lengths)[1::2][kept], ends[1::2][kept]


def _checked_lengths(runs: bytes, rows: int, columns: int) -> NDArray[np.int64]:
    if rows < 1 or columns < 1 or rows * columns > PIXELS_MAX:
        raise MaskError(f"A plane of {rows} × {columns} pixels can't be kept.")
    pixels = rows * columns
    # Every run but the first and last has a pixel, and a number of n bytes counts far more than n.
    if len(runs) > pixels + 2:
        raise MaskError(f"There are more runs than {rows} × {columns} pixels can have.")
    lengths = _from_leb128(runs)
    if int(lengths.max()) > pixels:  # before summing, which could wrap around
        raise MaskError(f"A run is longer than {rows} × {columns} pixels.")
    total = int(lengths.sum())
    if total != pixels:
        raise MaskError(f"The runs cover {total} pixels, not {rows} × {columns} = {pixels}.")
    return lengths


def _to_leb128(numbers: NDArray[np.int64]) -> bytes:
    widths = np.ones(numbers.size, dtype=np.int64)
    for more in range(1, _NUMBER_BYTES_MAX):
        widths += numbers >= 1 << (7 * more)
    starts = np.cumsum(widths) - widths
    encoded = np.zeros(int(widths.sum()), dtype=np.uint8)
    for index in range(int(widths.max())):
        here = widths > index
        septet = (numbers[here] >> (7 * index)) & 0x7F
        goes_on = (widths[here] > index + 1).astype(np.int64) << 7
        encoded[starts[here] + index] = septet | goes_on
    return encoded.tobytes()


def _from_leb128(encoded: bytes) -> NDArray[np.int64]:
    octets = np.frombuffer(encoded, dtype=np.uint8)
    if octets.size == 0:
        raise MaskError("There are no runs.")
    ends = np.flatnonzero(octets < 0x80)
    if ends.size == 0 or ends[-1] != octets.size - 1:
        raise MaskError("The last run is cut off.")
    starts = np.concatenate(([0], ends[:-1] + 1))
    widths = ends - starts + 1
    if int(widths.max()) > _NUMBER_BYTES_MAX:
        raise MaskError("A run is longer than any plane.")
    place = np.arange(octets.size) - np.repeat(starts, widths)
    septets = (octets & 0x7F).astype(np.int64) << (7 * place)
    return np.add.reduceat(septets, starts)
