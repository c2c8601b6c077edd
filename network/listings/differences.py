"""What differs between the facts of a dataset's last version and those of today."""

from dataclasses import dataclass

import numpy as np

from network.facts.columns import Facts


@dataclass(frozen=True, slots=True)
class Difference:
    """Subjects: how many came, how many are gone, of how many something else is known."""

    came: int
    gone: int
    changed: int
    taken_back: frozenset[int]
    """Keys of those of the changed of whom something that was counted is there no more."""

    @property
    def any(self) -> bool:
        return bool(self.came or self.gone or self.changed)

    @property
    def takes_back(self) -> bool:
        """Whether what was published before holds no more."""
        return bool(self.gone or self.taken_back)

    @property
    def together(self) -> int:
        return self.came + self.gone + self.changed

    @property
    def sentence(self) -> str:
        parts = [("Subjects came", self.came), ("subjects went", self.gone), ("facts changed", self.changed)]
        said = ", ".join(words for words, number in parts if number)
        return f"{said[:1].upper()}{said[1:]}."


def difference_between(before: Facts, now: Facts) -> Difference:
    old = dict(zip(before.keys.tolist(), before.digests.tolist(), strict=True))
    new = dict(zip(now.keys.tolist(), now.digests.tolist(), strict=True))
    changed = {key for key in old.keys() & new.keys() if old[key] != new[key]}
    return Difference(
        len(new.keys() - old.keys()),
        len(old.keys() - new.keys()),
        len(changed),
        frozenset(changed & (_lost_things(before, now) | _have_fewer(before, now))),
    )


def _lost_things(before: Facts, now: Facts) -> set[int]:
    lost = ~np.isin(before.things, now.things)
    return set(before.keys[before.things_of[lost]].tolist())


def _have_fewer(before: Facts, now: Facts) -> set[int]:
    """Keys of those who have fewer studies, series or images than they had."""
    _, at_before, at_now = np.intersect1d(before.keys, now.keys, return_indices=True)
    fewer = np.zeros(len(at_before), bool)
    for name, had in before.magnitudes.items():
        fewer |= now.magnitudes[name][at_now] < had[at_before]
    return set(before.keys[at_before[fewer]].tolist())
