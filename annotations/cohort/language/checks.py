"""What makes a condition, a count or an expression right, however it was written down."""

from collections.abc import Sequence
from typing import Any

from annotations.cohort.language.errors import CohortError, shortened, unknown
from annotations.cohort.language.expression import (
    CONDITIONS_MAX,
    COUNT_MAX,
    DEPTH_MAX,
    OF,
    RESULT,
    VALUE_LENGTH_MAX,
    VALUES_MAX,
    All,
    Any_,
    Condition,
    Count,
    Expression,
    Group,
    Not,
    Value,
    conditions,
)
from annotations.cohort.language.fields import FIELDS, GROUPS, LEVELS, Field, Kind, fields_of

EVERYTHING = '{"all": []}'
BEYOND = 1e15
UNBOUNDED = 1e8
BRACKETS_MAX = 40


def whole(expression: Expression) -> Expression:
    """A whole expression, if it isn't too large. Raises CohortError."""
    if depth(expression) > DEPTH_MAX:
        raise CohortError(f"It is nested deeper than {DEPTH_MAX} levels.")
    count = sum(1 for _ in conditions(expression))
    if count > CONDITIONS_MAX:
        raise CohortError(f"It has {count} conditions; at most {CONDITIONS_MAX} are understood.")
    return expression


def depth(expression: Expression) -> int:
    match expression:
        case All() | Any_():
            return 1 + max((depth(each) for each in expression.of), default=0)
        case Not():
            return 1 + depth(expression.of)
        case Group():
            return 1 + depth(expression.where)
    return 1


def require_shallow(reached: int, place: str) -> None:
    """While it is being read, where brackets may still turn out to hold one thing only."""
    if reached > BRACKETS_MAX:
        raise CohortError(f"It is nested deeper than {DEPTH_MAX} levels.", place=place)


def field_named(key: object, level: str | None, place: str) -> Field:
    """`level`: of the group it stands in; None outside of groups. Raises CohortError."""
    found = FIELDS.get(key) if isinstance(key, str) else None
    if level is None:
        if found is None:
            raise unknown("field", key, FIELDS, place)
        return found
    if found is not None and found.level != level:
        raise CohortError(
            f"{found.key} is no fact of {a(LEVELS[level].one)}. Inside {level}(…) stand only facts of one "
            f"and the same {LEVELS[level].one}; ask for {found.key} outside of it.",
            place=place,
            known=[each.key for each in fields_of(level)],
        )
    if found is None:
        raise unknown("field", key, [each.key for each in fields_of(level)], place)
    return found


def operator(field: Field, op: object, place: str) -> str:
    if not isinstance(op, str) or op not in field.operators:
        raise unknown(f"operator of {field.key}", op, field.operators, place)
    return op


def condition(
    field: Field, op: str, values: Sequence[Any], unit: object, *, place: str, unit_place: str
) -> Condition:
    """`values` as they were sent, one for most operators. Raises CohortError."""
    known_unit = _unit(field, unit, unit_place)
    checked = tuple(_value(field, one, place) for one in values)
    if op in ("known", "unknown"):
        if checked or known_unit:
            raise CohortError(f"“{op}” takes no value.", place=place)
    elif op == "between":
        if len(checked) != 2 or not checked[0] <= checked[1]:  # type: ignore[operator]
            raise CohortError("“between” takes two numbers, the lower first.", place=place)
    elif op == "in":
        if not 1 <= len(checked) <= VALUES_MAX:
            raise CohortError(f"“in” takes a list of 1 to {VALUES_MAX} values.", place=place)
        if len(set(checked)) < len(checked):
            raise CohortError("“in” names a value twice.", place=place)
    elif len(checked) != 1:
        raise CohortError(f"“{op}” takes one value.", place=place)
    made = Condition(field.key, op, checked, known_unit, place)
    if field.kind is Kind.NUMBER:
        _require_range(made, place)
    return made


def _unit(field: Field, unit: object, place: str) -> str:
    if unit in (None, ""):
        return ""
    if not field.units:
        raise CohortError(f"{field.key} has no unit.", place=place)
    if not isinstance(unit, str) or unit not in field.units:
        raise unknown(f"unit of {field.key}", unit, field.units, place)
    return unit


def _value(field: Field, value: Any, place: str) -> Value:
    match field.kind:
        case Kind.NUMBER:
            if type(value) not in (int, float) or not -BEYOND < value < BEYOND:  # nor is it NaN
                raise CohortError(f"{field.key} takes a number, not {shortened(value)}.", place=place)
            return value  # type: ignore[no-any-return]
        case Kind.YES_NO:
            if type(value) is not bool:
                raise CohortError(f"{field.key} is true or false.", place=place, known=["true", "false"])
            return value
    if not isinstance(value, str):
        raise CohortError(f"{field.key} takes text, not {shortened(value)}.", place=place)
    if not 1 <= len(value) <= VALUE_LENGTH_MAX:
        raise CohortError(f"A value has 1 to {VALUE_LENGTH_MAX} characters.", place=place)
    if not value.isprintable():
        raise CohortError("A value has no line breaks or control characters.", place=place)
    if field.values is not None and value not in field.values:
        raise unknown(f"value of {field.key}", value, field.values, place)
    return value


def _require_range(made: Condition, place: str) -> None:
    field = made.about
    for given, kept in zip(made.values, made.numbers(), strict=True):
        if field.whole and kept != int(kept):
            raise CohortError(f"{field.key} counts whole numbers, not {given}.", place=place)
        if not field.least <= kept <= field.most:
            raise CohortError(f"{field.key} is {_range(field)}, so {given} decides nothing.", place=place)


def _range(field: Field) -> str:
    unit = f" {field.unit}" if field.unit else ""
    if field.most >= UNBOUNDED:
        return f"{field.least:g}{unit} or more"
    return f"{field.least:g} to {field.most:g}{unit}"


def count(least: object, most: object, place: str) -> Count:
    """Either may be None. Raises CohortError."""
    for one in (least, most):
        if one is not None and (type(one) is not int or not 0 <= one <= COUNT_MAX):
            raise CohortError("A count is a whole number, 0 or more.", place=place)
    lowest, highest = least, most
    if lowest is None:
        lowest = 0 if highest is not None else 1
    if highest is not None and lowest > highest:  # type: ignore[operator]
        raise CohortError("At least more than at most: no case has that.", place=place)
    if lowest == 0 and highest is None:
        raise CohortError("“At least 0” holds for everything. Leave it out, or ask for 1.", place=place)
    return Count(lowest, highest)  # type: ignore[arg-type]


def group(level: str, where: Expression, counted: Count, of: object, *, of_place: str) -> Group:
    if of in (None, ""):
        of = RESULT
    elif not LEVELS[level].has_reads:
        raise CohortError(
            f"Only marks and labels belong to a read: {level}(…) takes no “of”.", place=of_place
        )
    if not isinstance(of, str) or of not in OF:
        raise unknown("kind of read", of, OF, of_place)
    return Group(level, where, counted, of)


def joined(word: str, parts: Sequence[Expression], place: str) -> Expression:
    """“all” or “any” of these; one alone is itself. Raises CohortError where there is none."""
    for index, part in enumerate(parts):
        if part == All():
            raise CohortError(
                f"Everything stands alone: {EVERYTHING} can't be part of “{word}”.", place=f"{place}/{index}"
            )
    if not parts:
        raise CohortError(
            f"“{word}” has nothing in it. Name conditions; {EVERYTHING} alone means every case.", place=place
        )
    if len(parts) == 1:
        return parts[0]
    return All(tuple(parts)) if word == "all" else Any_(tuple(parts))


def negated(part: Expression, place: str) -> Not:
    if part == All():
        raise CohortError("“not” everything is nothing: name what is not to hold.", place=place)
    return Not(part)


def group_level(key: str, inside: str | None, place: str) -> str:
    if inside is not None:
        raise CohortError(
            f"{key}(…) can't stand inside {inside}(…). Put them beside each other.", place=place
        )
    if key not in GROUPS:
        raise unknown("group", key, GROUPS, place)
    return key


def a(words: str) -> str:
    return f"an {words}" if words[0] in "aeiou" else f"a {words}"
