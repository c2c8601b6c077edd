"""What must be found: the voxels of the journal's marks, on the frames they were drawn on."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from annotations.exchange.marks import Mark
from annotations.exchange.source import FrameKey, SourceFrame
from annotations.measures import masks

type Plane = NDArray[np.bool_]


def plane_on(mark: Mark, frame: SourceFrame) -> Plane | None:
    """bool[rows, columns]; None where the mark has no voxel on this frame."""
    runs = mark.planes.get(frame.key)
    if runs is None or masks.is_empty(runs):
        return None
    return masks.decode(runs, frame.rows, frame.columns)


def is_empty(mark: Mark) -> bool:
    """Whether it says “looked, nothing there”."""
    return all(masks.is_empty(runs) for runs in mark.planes.values())


def overlapping(marks: Sequence[Mark]) -> frozenset[UUID]:
    """Those of one read on one series that share a voxel with another."""
    drawn: dict[FrameKey, list[Mark]] = {}
    for mark in marks:
        for key, runs in mark.planes.items():
            if not masks.is_empty(runs):
                drawn.setdefault(key, []).append(mark)
    found: set[UUID] = set()
    for key, here in drawn.items():
        for one, other in combinations(here, 2):
            if {one.identity, other.identity} <= found:
                continue
            frame = one.source.frame_at.get(key)
            if frame is None:
                continue
            mine, theirs = plane_on(one, frame), plane_on(other, frame)
            if mine is not None and theirs is not None and (mine & theirs).any():
                found |= {one.identity, other.identity}
    return frozenset(found)


def painted(values: Sequence[tuple[int, Mark]], frame: SourceFrame) -> NDArray[np.int64]:
    """A label map's frame, int[rows, columns]: where marks overlap, the later one wins."""
    found = np.zeros((frame.rows, frame.columns), dtype=np.int64)
    for value, mark in values:
        plane = plane_on(mark, frame)
        if plane is not None:
            found[plane] = value
    return found


def cut_by_later(values: Sequence[tuple[int, Mark]]) -> int:
    """How many marks lose voxels to a later one with another value in a label map."""
    cut: set[UUID] = set()
    for frame in {key: frame for _, mark in values for key, frame in _drawn_on(mark)}.values():
        taken = np.zeros((frame.rows, frame.columns), dtype=np.int64)
        for value, mark in reversed(values):
            plane = plane_on(mark, frame)
            if plane is None:
                continue
            if ((taken[plane] != 0) & (taken[plane] != value)).any():
                cut.add(mark.identity)
            taken[plane & (taken == 0)] = value
    return len(cut)


def _drawn_on(mark: Mark) -> Iterator[tuple[FrameKey, SourceFrame]]:
    for key in mark.planes:
        if key in mark.source.frame_at:
            yield key, mark.source.frame_at[key]
