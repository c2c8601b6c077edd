"""Label maps: many masks in one volume of numbers, as those who train networks want them.

A voxel holds one number, so where masks overlap one of them loses voxels: the later mask wins, and what the
earlier ones lost is counted.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from annotations.exchange.source import ExchangeError, FrameKey, SourceSeries
from annotations.measures import masks

type Planes = Mapping[FrameKey, bytes]
type Values = Sequence[tuple[int, Planes]]
"""Each mask with the number that its voxels get (from 1), in the order in which they are laid."""

type Labels = NDArray[np.uint8 | np.uint16]


def label_type(values: Values) -> type[np.uint8] | type[np.uint16]:
    """The smallest type that holds the numbers. Raises ExchangeError for numbers that none holds."""
    numbers = [number for number, _ in values]
    if numbers and not 1 <= min(numbers) <= max(numbers) <= np.iinfo(np.uint16).max:
        raise ExchangeError("a label map holds numbers between 1 and 65,535")
    return np.uint8 if max(numbers, default=0) <= np.iinfo(np.uint8).max else np.uint16


def label_planes(source: SourceSeries, values: Values) -> Iterator[Labels]:
    """Each frame in display order, [rows, columns]; frames without a mask are zeros."""
    require_own_frames(source, values)
    kind = label_type(values)
    for frame in source.frames:
        plane = np.zeros((frame.rows, frame.columns), dtype=kind)
        for number, planes in values:
            if frame.key in planes:
                plane[masks.decode(planes[frame.key], frame.rows, frame.columns)] = number
        yield plane


def overwritten(source: SourceSeries, values: Values) -> dict[int, int]:
    """How many voxels each number lost to another one, by number; those that lost none are left out."""
    require_own_frames(source, values)
    lost: Counter[int] = Counter()
    for frame in source.frames:
        here = [(number, planes[frame.key]) for number, planes in values if frame.key in planes]
        if len({number for number, _ in here}) < 2:
            continue
        plane = np.zeros((frame.rows, frame.columns), dtype=np.int64)
        for number, runs in here:
            mask = masks.decode(runs, frame.rows, frame.columns)
            before, counts = np.unique(plane[mask], return_counts=True)
            for other, count in zip(before.tolist(), counts.tolist(), strict=True):
                if other not in (0, number):
                    lost[other] += count
            plane[mask] = number
    return dict(sorted(lost.items()))


def require_own_frames(source: SourceSeries, values: Values) -> None:
    """Raises ExchangeError where a mask lies on an image that the series doesn't have."""
    for _, planes in values:
        if missing := set(planes) - set(source.frame_at):
            raise ExchangeError(f"a mask lies on image {min(missing).sop_instance_uid}, which isn't in it")
