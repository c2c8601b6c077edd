"""From an expression to the subjects it finds in each dataset: exactly, and as they may be told.

`matching` is the meaning of the language. `cells` first leaves out of a question what only a few subjects
decide, so that no two questions differ by a few:

- A part of “and” or “or” that fewer subjects decide than may be told of, or none, is left out: the whole
  before what is inside of it, the one that decides least first.
- Bounds of age, time points and counts move down to where enough subjects lie between one and the next.

What remains is counted; `network.disclosure` adds its noise.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from annotations.cohort.language.expression import Condition, Expression, Group
from network.disclosure import LIMIT_STEPS, Cell, Magnitude, Policy, is_few, limit_of
from network.facts.columns import Array, Facts
from network.facts.conditions import combined
from network.facts.leaves import Leaf, Scale, leaf
from network.facts.trees import Positions, Tree, planted, says

INSIDE = 1000
"""How deep parts of what is asked of rows stand: deeper than all that is asked of subjects."""


def matching(facts: Facts, expression: Expression) -> Array:
    """bool, one a subject: of whom it holds."""
    asked = _Asked(facts, expression)
    return asked.table({})[0][asked.combinations]


def cells(facts: Facts, expression: Expression, policy: Policy) -> list[Cell]:
    """Of each dataset, the subjects that are told of, with their studies, series and images. Nobody where few
    fulfil the expression as it stands: leaving out parts of it doesn't make them many."""
    asked = _Asked(facts, expression)
    few = [is_few(cell, policy) for cell in _counted(facts, asked.found())]
    nobody = Cell(0, 0, dict.fromkeys(facts.magnitudes, Magnitude(0, 0)))
    if all(few):
        return [nobody] * facts.datasets
    asked.leave_out(policy)
    if asked.move_bounds(policy):
        asked.leave_out(policy)
    told = cells_of(facts, asked.found())
    return [nobody if are_few else cell for are_few, cell in zip(few, told, strict=True)]


def cells_of(facts: Facts, found: Array) -> list[Cell]:
    """Of each dataset, those subjects of whom `found` (bool, one a subject) is true."""
    magnitudes: list[dict[str, Magnitude]] = [{} for _ in range(facts.datasets)]
    for name, numbers in facts.magnitudes.items():
        of_found = numbers * found
        both = zip(_summed(facts, of_found).tolist(), _largest(facts, of_found).tolist(), strict=True)
        for of_dataset, (total, largest) in zip(magnitudes, both, strict=True):
            of_dataset[name] = Magnitude(total, largest)
    told = zip(_counted(facts, found), magnitudes, strict=True)
    return [Cell(cell.subjects, cell.key, of_dataset) for cell, of_dataset in told]


def _counted(facts: Facts, found: Array) -> list[Cell]:
    """Of each dataset, how many subjects, and their key."""
    both = zip(_summed(facts, found).tolist(), _keys_of(facts, found).tolist(), strict=True)
    return [Cell(subjects, key) for subjects, key in both]


@dataclass
class _Asked:
    """A question put to facts."""

    facts: Facts
    expression: Expression
    leaves: list[Leaf] = field(default_factory=list)
    dropped: dict[int, Array] = field(default_factory=dict)
    """By position: bool [dataset, 1], where that part is left out."""
    bounds: dict[int, tuple[Array | None, Array | None]] = field(default_factory=dict)
    """By leaf: lower and upper bound of each subject's dataset, where they were moved."""

    def __post_init__(self) -> None:
        positions = Positions()
        known: dict[Condition | Group, int] = {}

        def leaf_of(asked: Condition | Group) -> int:
            if asked not in known:
                known[asked] = len(self.leaves)
                self.leaves.append(leaf(asked, self.facts, positions))
            return known[asked]

        self.tree = Tree("all", (planted(self.expression, leaf_of, positions, is_part=True),))
        self.positions = positions.count
        self.masks = [one.mask({}) for one in self.leaves]
        self.says = says(len(self.leaves))
        self._combine()

    def _mask(self, at: int, dropped: Mapping[int, Array]) -> Array:
        if at in self.bounds and (scale := self.leaves[at].scale(dropped)) is not None:
            return scale.within(*self.bounds[at])
        return self.leaves[at].mask(dropped)

    def _combine(self) -> None:
        self.combinations = combined(self.masks, len(self.facts.keys))
        self.wide = 1 << len(self.leaves)
        self.place = self.facts.dataset_of_subject * np.int64(self.wide)
        self.place += self.combinations
        size = self.facts.datasets * self.wide
        self.counts = np.bincount(self.place, minlength=size).reshape(-1, self.wide)
        low, high = (np.bincount(self.place, half, minlength=size) for half in self.facts.halves)
        keys = low.astype(np.uint64) + (high.astype(np.uint64) << np.uint64(32))
        self.keys = keys.reshape(-1, self.wide)

    def table(self, dropped: Mapping[int, Array]) -> Array:
        """bool [dataset, combination]: whether the expression holds."""
        found = self.tree.table(self.says, dropped)
        return np.broadcast_to(found, (self.facts.datasets, self.wide))

    def found(self) -> Array:
        table = self.table(self.dropped)
        return table.ravel()[self.place]

    # Bounds ----------------------------------------------------------------------------------

    def move_bounds(self, policy: Policy) -> bool:
        """Whether that made a difference to anybody."""
        table = self.table(self.dropped)
        for at, one in enumerate(self.leaves):
            if (scale := one.scale(self.dropped)) is not None:
                decides = self._decided_by(at, table)
                if (bounds := _moved(self.facts, scale, decides, policy)) is not None:
                    self.bounds[at] = bounds
        changed = False
        for at in self.bounds:
            moved = self._mask(at, self.dropped)
            changed |= not np.array_equal(moved, self.masks[at])
            self.masks[at] = moved
        if changed:
            self._combine()
        return changed

    def _decided_by(self, at: int, table: Array) -> Array:
        """bool, one a subject: whether the expression hangs on what leaf `at` says."""
        turned = table[:, np.arange(self.wide) ^ (1 << at)]
        return (table != turned).ravel()[self.place]

    # Parts -----------------------------------------------------------------------------------

    def leave_out(self, policy: Policy) -> None:
        below = _below(self.tree, self.leaves)
        everywhere = np.ones((self.facts.datasets, 1), bool)
        for _ in range(self.positions):
            least = _Least(self.facts.datasets)
            table = self.table(self.dropped)
            for depth, part in _deep(self.tree):
                without = self.table(self.dropped | {part.position: everywhere})
                own = np.broadcast_to(part.table(self.says, self.dropped), table.shape)
                least.take(part.position, depth, *self._weighed(table != without), self._keys_in(own))
            for at, one in enumerate(self.leaves):
                decides = self._decided_by(at, table) if one.parts else np.empty(0, bool)
                for position in one.parts:
                    mask = self._mask(at, self.dropped | {position: everywhere})
                    changed = decides & (mask != self.masks[at])
                    counts, keys = _summed(self.facts, changed), _keys_of(self.facts, changed)
                    least.take(position, INSIDE, counts, keys, _keys_of(self.facts, mask))
            chosen = least.chosen(self.dropped, policy)
            if not len(chosen):
                return
            self._drop(chosen, below)

    def _weighed(self, changed: Array) -> tuple[Array, Array]:
        """How many subjects of each dataset are in those combinations, and their key."""
        return np.where(changed, self.counts, 0).sum(axis=1), self._keys_in(changed)

    def _keys_in(self, combinations: Array) -> Array:
        return np.where(combinations, self.keys, np.uint64(0)).sum(axis=1, dtype=np.uint64)

    def _drop(self, chosen: Array, below: Mapping[int, list[int]]) -> None:
        """`chosen`: rows of (dataset, position)."""
        for dataset, position in chosen:
            for each in (int(position), *below.get(int(position), ())):
                if each not in self.dropped:
                    self.dropped[each] = np.zeros((self.facts.datasets, 1), bool)
                self.dropped[each][dataset] = True
        changed = False
        for at, one in enumerate(self.leaves):
            if np.isin(chosen[:, 1], one.parts).any():
                self.masks[at] = self._mask(at, self.dropped)
                changed = True
        if changed:
            self._combine()


def _below(tree: Tree, leaves: list[Leaf]) -> dict[int, list[int]]:
    """By position, what is left out with that part: all inside of it that stands nowhere else."""
    found: dict[int, list[int]] = {}
    uses = [each.leaf for each in _all(tree) if each.leaf >= 0]
    for part in tree.parts():
        inside = [each.position for each in part.parts() if each is not part]
        for each in _all(part):
            if each.leaf >= 0 and uses.count(each.leaf) == 1:
                inside += leaves[each.leaf].parts
        found[part.position] = inside
    return found


def _deep(tree: Tree, depth: int = 0) -> Iterator[tuple[int, Tree]]:
    """Every part that can be left out, with how deep it stands."""
    if tree.position >= 0:
        yield depth, tree
    for each in tree.of:
        yield from _deep(each, depth + 1)


def _all(tree: Tree) -> Iterator[Tree]:
    yield tree
    for each in tree.of:
        yield from _all(each)


class _Least:
    """Of each dataset, the part to leave out next: the outermost, of those the one that fewest decide."""

    def __init__(self, datasets: int) -> None:
        self.position: list[int] = []
        self.depth: list[int] = []
        self.counts: list[Array] = []
        self.keys: list[Array] = []
        self.own_keys: list[Array] = []

    def take(self, position: int, depth: int, counts: Array, keys: Array, own_keys: Array) -> None:
        """`own_keys` settle which of two that as many decide comes first, in whatever order they stand."""
        self.position.append(position)
        self.depth.append(depth)
        self.counts.append(counts)
        self.keys.append(keys)
        self.own_keys.append(own_keys)

    def chosen(self, dropped: Mapping[int, Array], policy: Policy) -> Array:
        """(dataset, position) of the parts to leave out now: at most one of each dataset."""
        if not self.position:
            return np.empty((0, 2), np.int64)
        counts, keys = np.array(self.counts), np.array(self.keys)
        few = counts < policy.minimum
        for at, dataset in np.argwhere(~few & (counts < policy.minimum + LIMIT_STEPS - 1)):
            few[at, dataset] = counts[at, dataset] < limit_of(int(keys[at, dataset]), policy)
        for at, position in enumerate(self.position):
            if position in dropped:
                few[at] &= ~dropped[position][:, 0]
        depths = np.where(few, np.array(self.depth)[:, None], INSIDE + 1)
        ranked = np.lexsort((np.array(self.own_keys), counts, depths), axis=0)
        first = ranked[0]
        datasets = np.flatnonzero(few[first, np.arange(few.shape[1])])
        return np.stack([datasets, np.array(self.position)[first[datasets]]], axis=1)


def _moved(
    facts: Facts, scale: Scale, decides: Array, policy: Policy
) -> tuple[Array | None, Array | None] | None:
    """The bounds, one a subject, moved down to the next place between which and the one before lie as many
    subjects as may be told of, of those that the leaf decides. None where it decides nobody."""
    enough = policy.minimum + LIMIT_STEPS - 1
    some = decides & (scale.values >= 0)
    if not some.any():
        return None
    places = np.flatnonzero(np.bincount(scale.values[some]))
    wide = len(places)
    at = np.searchsorted(places, scale.values[some])
    counts = np.bincount(
        facts.dataset_of_subject[some].astype(np.int64) * wide + at, minlength=facts.datasets * wide
    ).reshape(facts.datasets, wide)
    starts = np.zeros((facts.datasets, wide + 1), np.int64)
    start, together = np.zeros(facts.datasets, np.int64), np.zeros(facts.datasets, np.int64)
    for place in range(wide):
        starts[:, place] = start
        together = together + counts[:, place]
        start = np.where(together >= enough, place + 1, start)
        together = np.where(together >= enough, 0, together)
    starts[:, wide] = start
    ends = np.concatenate([places, [np.iinfo(np.int64).max]])

    def bound(asked: int | None) -> Array | None:
        if asked is None:
            return None
        return ends[starts[:, np.searchsorted(places, asked)]][facts.dataset_of_subject]

    return bound(scale.low), bound(scale.high)


def _summed(facts: Facts, numbers: Array) -> Array:
    """int64, one a dataset: the sum of what its subjects have."""
    return _of_runs(facts, np.add, numbers, np.int64)


def _largest(facts: Facts, numbers: Array) -> Array:
    """int64, one a dataset."""
    return _of_runs(facts, np.maximum, numbers, np.int64)


def _keys_of(facts: Facts, found: Array) -> Array:
    """uint64, one a dataset: the sum of the keys of those subjects modulo 2**64."""
    return _of_runs(facts, np.add, facts.keys * found, np.uint64)


def _of_runs(facts: Facts, together: np.ufunc, numbers: Array, kind: type[np.generic]) -> Array:
    """One a dataset: 0 where it has no subjects."""
    told = np.zeros(facts.datasets, kind)
    filled, begin = facts.filled
    if len(filled):
        told[filled] = together.reduceat(numbers, begin, dtype=kind)
    return told
