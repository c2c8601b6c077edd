"""Pixels of a stored series by another road than the writer's: pydicom opens, decodes and rescales them."""

from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import groupby, islice
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.pixels import iter_pixels
from pydicom.tag import BaseTag, Tag

from annotations.cohort.certificate.findings import Findings
from annotations.cohort.images import StoredSeries
from annotations.exchange.source import SourceFrame
from atlas.archive.storage import open_instance

_SHARED, _PER_FRAME = "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"
_ASKED_FOR: list[BaseTag | int] = [Tag(_SHARED), Tag(_PER_FRAME)]
_CANT = (
    NotImplementedError,
    RuntimeError,
    ValueError,
    AttributeError,
    KeyError,
    TypeError,
    InvalidDicomError,
)


def values_of(stored: StoredSeries, findings: Findings) -> Iterator[NDArray[np.float64]]:
    """Stored pixels × slope + intercept of every frame in display order, float[rows, columns].

    Frames that pydicom has no decoder for come from the writer's own, and are counted as such.
    """
    frames, done = stored.source.frames, 0
    try:
        for uid, run in groupby(frames, lambda frame: frame.key.sop_instance_uid):
            for values in _by_pydicom(stored, uid, list(run)):
                yield values
                done += 1
        return
    except _CANT:
        pass
    for frame, array in zip(frames[done:], islice(stored.pixels, done, None), strict=True):
        findings.images_by_the_writers_decoder += 1
        slope, intercept = _line_of(frame)
        yield array.astype(np.float64) * slope + intercept


def _by_pydicom(stored: StoredSeries, uid: str, frames: list[SourceFrame]) -> Iterator[NDArray[np.float64]]:
    """Frames of one instance, in this order."""
    header = Dataset()
    with open_instance(stored.instances[uid]) as file:
        numbers = [frame.key.frame_number for frame in frames]
        arrays = cast(
            Generator[NDArray[Any]],
            iter_pixels(
                file, ds_out=header, specific_tags=_ASKED_FOR, indices=[n - 1 for n in numbers], raw=True
            ),
        )
        with closing(arrays):  # before the file is, which it would set back to where it was
            for frame, array in zip(frames, arrays, strict=True):
                slope, intercept = _rescale(header, frame)
                yield _value_bits(array, header).astype(np.float64) * slope + intercept


def _rescale(header: Dataset, frame: SourceFrame) -> tuple[float, float]:
    """As the image's own header has it: at the top, or in the functional groups of the frame."""
    places: list[Any] = [header]
    for keyword, index in ((_PER_FRAME, frame.key.frame_number - 1), (_SHARED, 0)):
        groups = header.get(keyword) or []
        if index < len(groups):
            places += groups[index].get("PixelValueTransformationSequence") or []
    for place in places:
        slope, intercept = place.get("RescaleSlope"), place.get("RescaleIntercept")
        if slope is not None or intercept is not None:
            return float(slope or 1.0), float(intercept or 0.0)
    return _line_of(frame)


def _line_of(frame: SourceFrame) -> tuple[float, float]:
    return (
        1.0 if frame.slope is None else float(frame.slope),
        0.0 if frame.intercept is None else float(frame.intercept),
    )


def _value_bits(array: NDArray[Any], header: Dataset) -> NDArray[Any]:
    """The value only: the other bits of a pixel may hold overlays (retired, but still found)."""
    stored = int(header.get("BitsStored") or 0)
    allocated = int(header.get("BitsAllocated") or 0)
    if array.dtype.kind not in "iu" or not 0 < stored < allocated:
        return array
    high = header.get("HighBit")
    lowest = int(high) + 1 - stored if high is not None and stored - 1 <= int(high) < allocated else 0
    values = (array.astype(np.int64) >> lowest) & ((1 << stored) - 1)
    if header.get("PixelRepresentation") == 1:
        values -= (values >> (stored - 1)) << stored
    return values
