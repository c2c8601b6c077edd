"""Cohort expressions as JSON.

{"all": […]}, {"any": […]}, {"not": …}, {"field": "subject.sex", "op": "is", "value": "F"}, and of one and the
same thing {"mark": …, "count": {"at_least": 2}, "of": "handed_in"}. `{"all": []}` alone means everything;
nothing else does.
"""

from collections.abc import Mapping
from typing import Any

from annotations.cohort.language import checks
from annotations.cohort.language.errors import CohortError, shortened, unknown
from annotations.cohort.language.expression import RESULT, All, Any_, Condition, Count, Expression, Group, Not
from annotations.cohort.language.fields import GROUPS

_SHAPES = ("all", "any", "not", "field", *GROUPS)
_WITHOUT_VALUE = ("known", "unknown")


def parse(expression: Any) -> Expression:
    """Raises CohortError with a JSON pointer to what isn't understood."""
    if expression in (None, "", {}, []):
        raise CohortError(
            f"It says nothing. Name conditions; {checks.EVERYTHING} means every case.", known=_SHAPES
        )
    return checks.whole(_parsed(expression, "", None, 1))


def _parsed(node: Any, place: str, level: str | None, depth: int) -> Expression:
    checks.require_shallow(depth, place)
    if not isinstance(node, Mapping):
        raise CohortError(
            f"An expression is an object such as {checks.EVERYTHING}, not {shortened(node)}.",
            place=place,
            known=_SHAPES,
        )
    shapes = [shape for shape in _SHAPES if shape in node]
    if not shapes:
        key = next(iter(node), "")
        raise unknown("part of an expression", key, _SHAPES, f"{place}/{_escaped(key)}" if node else place)
    if len(shapes) > 1:
        raise CohortError(f"“{shapes[0]}” and “{shapes[1]}” can't stand in one object.", place=place)
    match shapes[0]:
        case "field":
            return _condition(node, place, level)
        case "not":
            _require_keys(node, ("not",), place)
            inner = f"{place}/not"
            return checks.negated(_parsed(node["not"], inner, level, depth + 1), inner)
        case "all" | "any" as word:
            _require_keys(node, (word,), place)
            return _joined(word, node[word], f"{place}/{word}", level, depth)
        case key:
            return _group(key, node, place, level, depth)


def _joined(word: str, parts: Any, place: str, level: str | None, depth: int) -> Expression:
    if not isinstance(parts, list):
        raise CohortError(f"“{word}” holds a list.", place=place)
    if word == "all" and not parts:
        return All()  # what holds it says whether it may
    found = [_parsed(part, f"{place}/{index}", level, depth + 1) for index, part in enumerate(parts)]
    return checks.joined(word, found, place)


def _condition(node: Mapping[str, Any], place: str, level: str | None) -> Condition:
    _require_keys(node, ("field", "op", "value", "unit"), place)
    field = checks.field_named(node["field"], level, f"{place}/field")
    if "op" not in node:
        raise CohortError(
            f"The condition on {field.key} has no operator.", place=f"{place}/op", known=field.operators
        )
    op = checks.operator(field, node["op"], f"{place}/op")
    at = f"{place}/value"
    if op in _WITHOUT_VALUE:
        values = [node["value"]] if "value" in node else []
    elif "value" not in node:
        raise CohortError(f"The condition on {field.key} has no value.", place=at)
    elif op in ("in", "between"):
        if not isinstance(node["value"], list):
            raise CohortError(f"“{op}” takes a list of values.", place=at)
        values = node["value"]
    else:
        values = [node["value"]]
    return checks.condition(field, op, values, node.get("unit"), place=at, unit_place=f"{place}/unit")


def _group(key: str, node: Mapping[str, Any], place: str, level: str | None, depth: int) -> Group:
    inner = f"{place}/{key}"
    checks.group_level(key, level, inner)
    _require_keys(node, (key, "count", "of"), place)
    where = _parsed(node[key], inner, key, depth + 1)
    count = _count(node["count"], f"{place}/count") if "count" in node else Count()
    return checks.group(key, where, count, node.get("of"), of_place=f"{place}/of")


def _count(node: Any, place: str) -> Count:
    if not isinstance(node, Mapping) or not node:
        raise CohortError(
            'A count is {"at_least": 2}, {"at_most": 2} or {"exactly": 2}.',
            place=place,
            known=("at_least", "at_most", "exactly"),
        )
    if "exactly" in node:
        _require_keys(node, ("exactly",), place)
        if node["exactly"] is None:
            raise CohortError("A count is a whole number, 0 or more.", place=f"{place}/exactly")
        return checks.count(node["exactly"], node["exactly"], f"{place}/exactly")
    _require_keys(node, ("at_least", "at_most"), place)
    if None in node.values():
        raise CohortError("A count is a whole number, 0 or more.", place=place)
    return checks.count(node.get("at_least"), node.get("at_most"), place)


def _require_keys(node: Mapping[str, Any], known: tuple[str, ...], place: str) -> None:
    for key in node:
        if key not in known:
            raise unknown("part of an expression here named", key, known, f"{place}/{_escaped(key)}")


def _escaped(key: object) -> str:
    """In a JSON pointer (RFC 6901)."""
    return str(key)[:60].replace("~", "~0").replace("/", "~1")


# Back -------------------------------------------------------------------------------------------


def as_json(expression: Expression) -> dict[str, Any]:
    """What `parse` gives this expression for."""
    match expression:
        case All():
            return {"all": [as_json(each) for each in expression.of]}
        case Any_():
            return {"any": [as_json(each) for each in expression.of]}
        case Not():
            return {"not": as_json(expression.of)}
        case Group():
            count = _count_as_json(expression.count)
            return {
                expression.level: as_json(expression.where),
                **({"count": count} if count else {}),
                **({"of": expression.of} if expression.of != RESULT else {}),
            }
        case Condition():
            return {
                "field": expression.field,
                "op": expression.op,
                **_value_as_json(expression),
                **({"unit": expression.unit} if expression.unit else {}),
            }


def _value_as_json(condition: Condition) -> dict[str, Any]:
    if condition.op in _WITHOUT_VALUE:
        return {}
    if condition.op in ("in", "between"):
        return {"value": list(condition.values)}
    return {"value": condition.values[0]}


def _count_as_json(count: Count) -> dict[str, int]:
    if count == Count():
        return {}
    if count.least == count.most:
        return {"exactly": count.least}
    least = {} if count.least == 0 else {"at_least": count.least}
    return least | ({} if count.most is None else {"at_most": count.most})
