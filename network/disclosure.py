"""What may be told of a count: every number that leaves the node passes here.

Pure. A cell is a set of subjects, told by how many they are and by its key: the sum, modulo 2**64, of a
secret key of each. Three things are done to it (docs/decisions tells why):

- Fewer subjects than the minimum, none included, are never told apart: the answer is None. The limit itself
  differs by up to two from cell to cell, so that one more subject doesn't surely lift a cell above it.
- The rest gets noise that depends on the key alone. The same subjects have the same noise, however and how
  often they are asked for, so asking again averages nothing away.
- Studies, series and images get noise as large as what one subject may bring: the largest contribution.

Tables of cells in one total are told together (`disclose_table`): what could be had by subtraction is
suppressed with them.
"""

import hashlib
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

MODULUS = 1 << 64
NOISE_SD = 3.0
"""Of the noise of a number of subjects."""
NOISE_MOST = 9
LIMIT_STEPS = 3
"""The limit of a cell is the minimum plus 0, 1 or 2."""


@dataclass(frozen=True, slots=True)
class Policy:
    """`minimum`: the fewest subjects that are told of (settings.DISCLOSURE_MINIMUM)."""

    minimum: int = 10


class Magnitude(NamedTuple):
    """Something that subjects have several of: all together, and how much one subject has at most."""

    total: int
    largest: int


@dataclass(frozen=True, slots=True)
class Cell:
    """A set of subjects. `key`: the sum of their keys modulo 2**64."""

    subjects: int
    key: int
    magnitudes: Mapping[str, Magnitude] = field(default_factory=dict)


NOBODY = Cell(0, 0)


@dataclass(frozen=True, slots=True)
class Disclosed:
    """What may be told of a cell: everything, or nothing."""

    subjects: int | None
    magnitudes: Mapping[str, int | None] = field(default_factory=dict)


def disclose(cell: Cell, policy: Policy) -> Disclosed:
    """None throughout for fewer subjects than the limit of the cell, or for none."""
    if is_few(cell, policy):
        return Disclosed(None, dict.fromkeys(cell.magnitudes))
    told = max(policy.minimum, cell.subjects + _noise(cell.key, "subjects"))
    magnitudes: dict[str, int | None] = {}
    for name, (total, largest) in cell.magnitudes.items():
        deviation = max(largest, NOISE_SD * total / cell.subjects)  # of one subject's share, at the least
        moved = total + round(deviation * _noise(cell.key, name) / NOISE_SD)
        magnitudes[name] = max(0, moved)
    return Disclosed(told, magnitudes)


def disclose_table(
    cells: Mapping[str, Cell], total: Cell, policy: Policy, *, is_partition: bool
) -> dict[str, int | None]:
    """The subjects of each cell of `total`. Raises nothing; what can't be told is None.

    `is_partition`: no subject is in two cells, so that cells may be subtracted from the total together. Those
    of the total who are in none, as of an unknown sex, are a cell that is never told.

    A cell that all but a few are in is told as the total is: what it lacks would be those few.
    """
    whole = disclose(total, policy).subjects
    told: dict[str, int | None] = {}
    nearly_all = set()
    for name, cell in cells.items():
        if whole is None:
            told[name] = None
        elif is_few(rest_of(total, cell), policy):
            told[name] = whole
            nearly_all.add(name)
        else:
            one = disclose(cell, policy).subjects
            told[name] = None if one is None else min(one, whole)
    if is_partition and nearly_all:  # all others are of the few that it lacks
        told |= {name: None for name in told if name not in nearly_all}
    elif is_partition:
        _suppress_what_uncovers(cells, rest_of(total, sum_of([*cells.values()])), told, policy)
    return told


def _suppress_what_uncovers(
    cells: Mapping[str, Cell], unlisted: Cell, told: dict[str, int | None], policy: Policy
) -> None:
    """Where the suppressed cells and the `unlisted` are few together, the total less the others would tell
    them."""
    while shown := [name for name, one in told.items() if one is not None]:
        hidden = [cells[name] for name, one in told.items() if one is None]
        if not hidden and not unlisted.subjects:
            return
        if not is_few(sum_of([*hidden, unlisted]), policy):
            return
        told[min(shown, key=lambda name: (cells[name].subjects, cells[name].key))] = None


def disclose_middle(values: Sequence[float], policy: Policy) -> float | None:
    """A median that is nobody's own value: the mean of as many in the middle as the minimum. `values`: one a
    subject. None for fewer than twice the minimum."""
    if len(values) < 2 * policy.minimum:
        return None
    begin = (len(values) - policy.minimum) // 2
    middle = sorted(values)[begin : begin + policy.minimum]
    return math.fsum(middle) / len(middle)


def is_few(cell: Cell, policy: Policy) -> bool:
    """Whether a cell has too few subjects to be told of, or none."""
    if abs(cell.subjects - policy.minimum) >= LIMIT_STEPS:  # the key decides only near the limit
        return cell.subjects < policy.minimum
    return cell.subjects < limit_of(cell.key, policy)


def limit_of(key: int, policy: Policy) -> int:
    """From how many subjects on a cell is told of: the minimum, or up to two more."""
    return policy.minimum + _drawn(key, "limit") % LIMIT_STEPS


def sum_of(cells: Sequence[Cell]) -> Cell:
    """Cells that have no subject in common, as one."""
    return Cell(sum(cell.subjects for cell in cells), sum(cell.key for cell in cells) % MODULUS)


def rest_of(whole: Cell, part: Cell) -> Cell:
    """The subjects of `whole` that aren't in `part`."""
    return Cell(whole.subjects - part.subjects, (whole.key - part.key) % MODULUS)


def _noise(key: int, what: str) -> int:
    """Whole, of a normal distribution with deviation NOISE_SD that was cut at NOISE_MOST."""
    return bisect_right(_CUMULATED, _drawn(key, what) / MODULUS) - NOISE_MOST


def _drawn(key: int, what: str) -> int:
    """A number below 2**64 that looks random, the same for the same key."""
    digest = hashlib.blake2b(key.to_bytes(8), digest_size=8, person=what.encode()[:16]).digest()
    return int.from_bytes(digest)


def _cumulated() -> list[float]:
    weights = [math.exp(-((n / NOISE_SD) ** 2) / 2) for n in range(-NOISE_MOST, NOISE_MOST + 1)]
    return [part / sum(weights) for part in accumulate(weights)][:-1]


_CUMULATED = _cumulated()
