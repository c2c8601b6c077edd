"""What a cohort expression is made of. Only `parse` and `text` make them, so each is right in itself."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from annotations.cohort.language.fields import FIELDS, LEVELS, Field, is_of_readings

type Value = str | bool | int | float
type Expression = All | Any_ | Not | Condition | Group

RESULT = "result"
OF = {
    RESULT: "in the result of the case",
    "reference": "in its reference standard",
    "accepted": "in an accepted read",
    "handed_in": "in a read as it was last handed in",
}
"""Whose marks and label states a group asks of. They all belong to one and the same read. The result of a
case is its reference standard or, where there is none, an accepted read."""

DEPTH_MAX = 8
CONDITIONS_MAX = 60
VALUES_MAX = 100
VALUE_LENGTH_MAX = 200
TEXT_LENGTH_MAX = 20_000
COUNT_MAX = 1_000_000


@dataclass(frozen=True)
class All:
    """Each of them holds. Without any it is everything, which only a whole expression or group may be."""

    of: "tuple[Expression, ...]" = ()


@dataclass(frozen=True)
class Any_:
    """At least one of them holds; never empty."""

    of: "tuple[Expression, ...]"


@dataclass(frozen=True)
class Not:
    of: "Expression"


@dataclass(frozen=True)
class Condition:
    """One fact. `values` has one value, two for "between", any number for "in", none for "known".

    `unit`: the one it was written with, empty where it was left out.
    """

    field: str
    op: str
    values: tuple[Value, ...] = ()
    unit: str = ""
    place: str = dataclasses.field(default="", compare=False)
    """Where its value was written, for errors about it."""

    @property
    def about(self) -> Field:
        return FIELDS[self.field]

    def numbers(self) -> tuple[float, ...]:
        """In the unit that the field is kept in."""
        factor = self.about.units.get(self.unit, 1)
        return tuple(value * factor for value in self.values if not isinstance(value, str))


@dataclass(frozen=True)
class Count:
    """How many of a group there must be; `most` None: any number."""

    least: int = 1
    most: int | None = None


@dataclass(frozen=True)
class Group:
    """So many of one level (series, marks, …) of which `where` holds, each of one and the same."""

    level: str
    where: Expression
    count: Count = Count()
    of: str = RESULT


def conditions(expression: Expression) -> Iterator[Condition]:
    """Every condition, in the order they are written."""
    match expression:
        case Condition():
            yield expression
        case Not():
            yield from conditions(expression.of)
        case Group():
            yield from conditions(expression.where)
        case All() | Any_():
            for each in expression.of:
                yield from conditions(each)


def groups(expression: Expression) -> Iterator[Group]:
    match expression:
        case Group():
            yield expression
        case Not():
            yield from groups(expression.of)
        case All() | Any_():
            for each in expression.of:
                yield from groups(each)


def is_about_readings(expression: Expression) -> bool:
    """Whether it asks for anything that a blind reader of a case may not learn."""
    asked = any(is_of_readings(condition.about) for condition in conditions(expression))
    return asked or any(LEVELS[group.level].is_of_readings for group in groups(expression))
