"""An expression as a tree over numbered leaves, worked out for every combination of what its leaves may say.

With n leaves there are 2**n combinations; bit j of a combination is what leaf j says. A table tells of each
dataset (row) and each combination (column) whether the tree holds. Tables are small whatever is counted, so a
tree can be tried with any of its parts left out. Pure.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from annotations.cohort.language.expression import All, Any_, Condition, Expression, Group, Not
from network.facts.columns import Array

type Dropped = Mapping[int, Array]
"""By position: bool, one a dataset (a column of them), where that part is left out."""


@dataclass(frozen=True, slots=True)
class Tree:
    """`kind`: "all", "any", "not" or "leaf". `position`: its number among the parts that can be left out,
    which are the parts of "all" and "any"; -1 for what is no such part."""

    kind: str
    of: "tuple[Tree, ...]" = ()
    leaf: int = -1
    position: int = -1

    def parts(self) -> "Iterator[Tree]":
        """Itself and all below it that can be left out."""
        if self.position >= 0:
            yield self
        for each in self.of:
            yield from each.parts()

    def table(self, says: Array, dropped: Dropped) -> Array:
        """`says`: bool [leaf, combination]. Returns bool [dataset or 1, combination]. A part left out of
        “all” is as if it held, out of “any” as if it didn't."""
        match self.kind:
            case "leaf":
                return says[self.leaf][None, :]
            case "not":
                return ~self.of[0].table(says, dropped)
        found = np.full((1, says.shape[1]), self.kind == "all")
        for part in self.of:
            told = part.table(says, dropped)
            out = dropped.get(part.position)
            if self.kind == "all":
                found = found & (told if out is None else told | out)
            else:
                found = found | (told if out is None else told & ~out)
        return found


def says(leaves: int) -> Array:
    """bool [leaf, combination]: what each leaf says in each combination."""
    combinations = np.arange(1 << leaves)
    return combinations[None, :] >> np.arange(leaves)[:, None] & 1 == 1


class Positions:
    """Hands out the numbers of parts."""

    def __init__(self) -> None:
        self.count = 0

    def next(self) -> int:
        self.count += 1
        return self.count - 1


def planted(
    expression: Expression,
    leaf_of: Callable[[Condition | Group], int],
    positions: Positions,
    *,
    is_part: bool = False,
) -> Tree:
    """`leaf_of` numbers the leaves. Lists of values are taken apart, so that each value is a part."""
    position = positions.next() if is_part else -1

    def each_of(parts: tuple[Expression, ...]) -> tuple[Tree, ...]:
        return tuple(planted(one, leaf_of, positions, is_part=True) for one in parts)

    match expression:
        case All():
            return Tree("all", each_of(expression.of), position=position)
        case Any_():
            return Tree("any", each_of(expression.of), position=position)
        case Not():
            return Tree("not", (planted(expression.of, leaf_of, positions),), position=position)
        case Condition(op="in") if len(expression.values) > 1:
            values = tuple(
                Condition(expression.field, "is", (value,), expression.unit) for value in expression.values
            )
            return Tree("any", each_of(values), position=position)
    return Tree("leaf", leaf=leaf_of(expression), position=position)
