"""What a question asks of each subject: a fact of its own, or so many rows of a level."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, cast

import numpy as np

from annotations.cohort.language.expression import Condition, Count, Group
from annotations.cohort.language.fields import LEVELS, Kind
from annotations.cohort.language.shared import STEPS
from network.facts.columns import ABOVE, SUBJECTS, SUBMISSIONS, Array, Facts, Numbers, Table
from network.facts.conditions import combined, holds
from network.facts.trees import Dropped, Positions, Tree, planted, says

BITS_LEAVES_MAX = 6
"""Of so many leaves all combinations fit one 64-bit number."""
HISTOGRAM_MAX = 8_000_000
"""Cells of a table of how often each owner has each combination; beyond, rows are counted anew each time."""
COMPARED = (">=", "<=", ">", "<", "between", "is", "is_not")


@dataclass(frozen=True)
class Scale:
    """Whole numbers of subjects, and the bounds that a question sets: [low, high), or all but those."""

    values: Array
    """int64, one a subject; -1 where it isn't known."""
    low: int | None
    high: int | None
    is_turned: bool = False

    def within(self, low: Array | None, high: Array | None) -> Array:
        """bool, one a subject. Bounds: one a subject, or None."""
        found = np.ones(len(self.values), bool)
        if low is not None:
            found &= self.values >= low
        if high is not None:
            found &= self.values < high
        return (~found if self.is_turned else found) & (self.values >= 0)


class Leaf(Protocol):
    @property
    def parts(self) -> list[int]:
        """Positions inside of it that can be left out."""
        ...

    def mask(self, dropped: Dropped) -> Array:
        """bool, one a subject."""
        ...

    def scale(self, dropped: Dropped) -> Scale | None:
        """Where it sets bounds to a number that each subject has one of."""
        ...


@dataclass(frozen=True)
class Fact:
    """A fact of the subject itself."""

    facts: Facts
    condition: Condition

    @property
    def parts(self) -> list[int]:
        return []

    def mask(self, dropped: Dropped) -> Array:
        return holds(self.condition, self.facts.tables[SUBJECTS])

    def scale(self, dropped: Dropped) -> Scale | None:
        asked = self.condition
        if asked.about.kind is not Kind.NUMBER or asked.op not in COMPARED:
            return None
        told = cast(Numbers, self.facts.tables[SUBJECTS].columns[asked.field]).numbers
        step = int(STEPS.get(asked.field, 1))
        values = np.where(np.isnan(told), -1, told).astype(np.int64)
        numbers = [int(number) for number in asked.numbers()]
        low, high = _bounds(asked.op, numbers)
        return Scale(
            np.where(values < 0, -1, values // step),
            None if low is None else -(-low // step),
            None if high is None else -(-high // step),
            asked.op == "is_not",
        )


def _bounds(op: str, numbers: list[int]) -> tuple[int | None, int | None]:
    """[low, high) of whole numbers."""
    first = numbers[0]
    match op:
        case ">=":
            return first, None
        case ">":
            return first + 1, None
        case "<":
            return None, first
        case "<=":
            return None, first + 1
        case "between":
            return first, numbers[1] + 1
    return first, first + 1


@dataclass(frozen=True)
class Rows:
    """So many rows of a level that fulfil an expression; of marks and labels, of one and the same read."""

    facts: Facts
    group: Group
    tree: Tree
    conditions: tuple[Condition, ...]

    @property
    def parts(self) -> list[int]:
        return [part.position for part in self.tree.parts()]

    @property
    def table(self) -> Table:
        return self.facts.tables[self.group.level]

    @cached_property
    def combinations(self) -> Array:
        """Of each row, what the leaves say of it."""
        return combined([holds(condition, self.table) for condition in self.conditions], len(self.table))

    def mask(self, dropped: Dropped) -> Array:
        told = self.tree.table(says(len(self.conditions)), dropped)
        if self.group.count == Count() and len(self.conditions) <= BITS_LEAVES_MAX:
            enough = self._any(told)
        else:
            enough = self._within(self._counts(told))
        if not self._has_reads:
            return enough
        owner = self.facts.tables[SUBMISSIONS].owner
        found = np.zeros(len(self.facts.keys), bool)
        found[owner[enough & self._asked_of]] = True
        return found

    def scale(self, dropped: Dropped) -> Scale | None:
        if self.group.count == Count() or self._has_reads:
            return None
        told = self.tree.table(says(len(self.conditions)), dropped)
        most = self.group.count.most
        return Scale(self._counts(told), self.group.count.least, None if most is None else most + 1)

    # Units: what rows are counted of, subjects or submissions

    @property
    def _has_reads(self) -> bool:
        return LEVELS[self.group.level].has_reads

    @cached_property
    def _units(self) -> Table:
        return self.facts.tables[ABOVE.get(self.group.level, SUBJECTS)]

    @cached_property
    def _dataset_of_unit(self) -> Array:
        of_subject = self.facts.dataset_of_subject
        return of_subject[self._units.owner] if self._has_reads else of_subject

    @cached_property
    def _asked_of(self) -> Array:
        submissions = self.facts.tables[SUBMISSIONS]
        if self.group.of != "reference":
            return np.ones(len(submissions), bool)
        return holds(Condition("is_reference", "known"), submissions)

    def _within(self, counts: Array) -> Array:
        count = self.group.count
        found = counts >= count.least
        return found if count.most is None else found & (counts <= count.most)

    # Which combinations each unit has, and how often

    @cached_property
    def _bits(self) -> Array:
        """Of each unit, which combinations its rows have: bit n for combination n."""
        wide = 1 << len(self.conditions)
        kinds: tuple[Any, ...] = (np.uint8, np.uint16, np.uint32, np.uint64)
        kind = next(each for each in kinds if wide <= 8 * each().nbytes)
        units, starts = self.table.runs
        found = np.zeros(len(self._units), kind)
        if len(starts):
            bits = kind(1) << self.combinations.astype(kind, copy=False)
            found[units] = np.bitwise_or.reduceat(bits, starts)
        return found

    def _any(self, told: Array) -> Array:
        bits = self._bits
        powers = np.array([1 << n for n in range(told.shape[1])], bits.dtype)
        wanted = np.bitwise_or.reduce(np.where(told, powers, bits.dtype.type(0)), axis=1)
        return (bits & (wanted[0] if len(wanted) == 1 else wanted[self._dataset_of_unit])) != 0

    @cached_property
    def _histogram(self) -> Array:
        wide = 1 << len(self.conditions)
        cells = self.table.owner.astype(np.int64) * wide + self.combinations
        return np.bincount(cells, minlength=len(self._units) * wide).reshape(-1, wide)

    def _counts(self, told: Array) -> Array:
        """Of each unit, how many of its rows have a combination that is told of."""
        if len(self._units) << len(self.conditions) <= HISTOGRAM_MAX:
            if len(told) == 1:
                return self._histogram @ told[0].astype(np.int64)
            return np.einsum("uc,uc->u", self._histogram, told[self._dataset_of_unit].astype(np.int64))
        if len(told) == 1:
            fulfilled = told[0][self.combinations]
        else:
            fulfilled = told[self._dataset_of_unit[self.table.owner], self.combinations]
        return np.bincount(self.table.owner[fulfilled], minlength=len(self._units))


def leaf(asked: Condition | Group, facts: Facts, positions: Positions) -> Leaf:
    """Raises KeyError for a field that has no column."""
    if isinstance(asked, Condition):
        if asked.about.level == SUBJECTS:
            return Fact(facts, asked)
        asked = Group(asked.about.level, asked)
    conditions: list[Condition] = []

    def leaf_of(one: Condition | Group) -> int:
        condition = cast(Condition, one)  # no group stands inside of another
        if condition not in conditions:
            conditions.append(condition)
        return conditions.index(condition)

    tree = planted(asked.where, leaf_of, positions)
    return Rows(facts, asked, tree, tuple(conditions))
