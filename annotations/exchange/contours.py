"""Pixels become outlines along the borders of pixels, so that filling them gives the same pixels back.

Points are column and row (SCOORD: the top left corner of the image is 0, 0). No outline passes through the
centre of a pixel, so whoever asks which centres lie inside has no choice. A hole is joined to the outline
around it by a keyhole (PS3.3 C.8.8.6.3): a way in and the same way back, which encloses nothing. Readers that
join outlines and readers that subtract them then find the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_STEPS = ((0, 1), (1, 0), (0, -1), (-1, 0))  # (row, column)
_RIGHT, _DOWN, _LEFT, _UP = range(4)  # looking along, the inside is to the right
_BELOW_BORDER = 0.25  # where in its row of pixels a keyhole runs: on no border and through no centre

type Points = NDArray[np.float64]


@dataclass
class _Ring:
    """A closed line of borders: `corners` in order, each (row, column), with the direction that leaves it."""

    corners: list[tuple[int, int, int]]
    holes: list["_Hole"] = field(default_factory=list)

    @property
    def is_hole(self) -> bool:
        """Outer lines turn right on the whole, those of holes left."""
        at = np.array([corner[:2] for corner in self.corners])
        ahead = np.roll(at, -1, axis=0)
        return int((at[:, 1] * ahead[:, 0] - ahead[:, 1] * at[:, 0]).sum()) < 0


@dataclass(frozen=True)
class _Hole:
    """A hole and its keyhole: along `row`, from the column where it leaves the line around to its own."""

    ring: _Ring
    row: int
    from_column: int
    to_column: int


def outlines_of(plane: NDArray[np.bool_]) -> list[Points]:
    """Outlines of bool[rows, columns], float[n, 2] each: one for each group of pixels that share sides."""
    rings, ring_at = _rings(plane)
    outer = []
    for number, ring in enumerate(rings):
        if not ring.is_hole:
            outer.append(ring)
            continue
        hole = _keyhole(plane, ring)
        around = ring_at[_UP, hole.row + 1, hole.from_column]
        if around in (-1, number):
            raise AssertionError("a keyhole leads to another line")
        rings[around].holes.append(hole)
    return [np.array(list(_points(ring)), dtype=np.float64) for ring in outer]


def _rings(plane: NDArray[np.bool_]) -> tuple[list[_Ring], NDArray[np.int64]]:
    """All closed lines, and for each border (direction, row, column of its start) the number of its line."""
    rows, columns = plane.shape
    padded = np.pad(plane, 1)
    inside, above, left = padded[1:, 1:], padded[:-1, 1:], padded[1:, :-1]
    corner = padded[:-1, :-1]
    there = np.zeros((4, rows + 1, columns + 1), dtype=np.bool_)
    there[_RIGHT] = inside & ~above
    there[_DOWN] = left & ~inside
    there[_LEFT] = corner & ~left
    there[_UP] = above & ~corner
    ring_at = np.full(there.shape, -1, dtype=np.int64)
    rings: list[_Ring] = []
    starts = [tuple(map(int, one)) for one in np.argwhere(there[_RIGHT])]
    for row, column in starts:
        if ring_at[_RIGHT, row, column] >= 0:
            continue
        corners, direction, came = [], _RIGHT, -1
        while ring_at[direction, row, column] < 0:
            ring_at[direction, row, column] = len(rings)
            if direction != came:
                corners.append((row, column, direction))
            came = direction
            row, column = row + _STEPS[direction][0], column + _STEPS[direction][1]
            # Right first: pixels that only share a corner are not joined there.
            direction = next(d for d in ((came + 1) % 4, came, (came - 1) % 4) if there[d, row, column])
        if corners[0][2] == came:  # it began in the middle of a side
            corners.pop(0)
        rings.append(_Ring(corners))
    return rings, ring_at


def _keyhole(plane: NDArray[np.bool_], ring: _Ring) -> _Hole:
    """To the left from the hole's leftmost side, as far as there are pixels."""
    row, column, _ = min(
        (corner for corner in ring.corners if corner[2] == _DOWN), key=lambda corner: (corner[1], corner[0])
    )
    before = np.flatnonzero(~plane[row, :column])
    return _Hole(ring, row, int(before[-1]) + 1 if before.size else 0, column)


def _points(ring: _Ring) -> Iterator[tuple[float, float]]:
    """Column and row of an outline with the holes in it. Holes may hang on holes, many deep."""
    pending = [iter(_way(ring, None))]
    while pending:
        step = next(pending[-1], None)
        if step is None:
            pending.pop()
        elif isinstance(step, _Hole):
            pending.append(iter(_way(step.ring, step)))
        else:
            yield step


def _way(ring: _Ring, entered: _Hole | None) -> Iterator[tuple[float, float] | _Hole]:
    """Once around: corners, and holes where their keyholes leave. A hole's own way begins and ends in it."""
    upwards: dict[int, list[_Hole]] = {}
    for hole in ring.holes:
        upwards.setdefault(hole.from_column, []).append(hole)
    corners = ring.corners
    first = 0
    if entered is not None:
        y = entered.row + _BELOW_BORDER
        yield float(entered.from_column), y
        yield float(entered.to_column), y
        # It comes in on the side that begins at this corner, so the next one is the first.
        first = 1 + corners.index((entered.row, entered.to_column, _DOWN))
    for index in range(len(corners)):
        row, column, direction = corners[(first + index) % len(corners)]
        yield float(column), float(row)
        if direction == _UP and column in upwards:
            end = corners[(first + index + 1) % len(corners)][0]
            on_side = [hole for hole in upwards[column] if end <= hole.row < row]
            yield from sorted(on_side, key=lambda hole: -hole.row)
    if entered is not None:
        yield float(entered.to_column), y
        yield float(entered.from_column), y
