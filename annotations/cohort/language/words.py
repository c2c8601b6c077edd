"""A cohort in words, for pages and the data card. What decides is the text form; this is for reading."""

from collections.abc import Callable, Mapping

from annotations.cohort.language.checks import a
from annotations.cohort.language.expression import OF, RESULT, All, Any_, Condition, Expression, Group, Not
from annotations.cohort.language.fields import LEVELS, Kind

type Names = Mapping[str, Mapping[str, str]]
"""Words for values that are the project's own, by field: {"mark.label": {"tumour": "Tumour"}}."""


def as_text(expression: Expression, names: Names | None = None) -> str:
    if expression == All():
        return "every case"
    return _said(expression, None, _namer(names or {}))


def _namer(names: Names) -> Callable[[Condition, object], str]:
    def name(condition: Condition, value: object) -> str:
        field = condition.about
        if isinstance(value, bool):
            return "yes" if value else "no"
        known = {**(field.values or {}), **names.get(field.key, {})}
        if isinstance(value, str):
            return known.get(value, value if field.kind is not Kind.TEXT else f"“{value}”")
        return str(value)

    return name


def _said(node: Expression, inside: str | None, name: Callable[[Condition, object], str]) -> str:
    match node:
        case All() | Any_():
            word = " and " if isinstance(node, All) else " or "
            return word.join(_in_brackets(each, inside, name) for each in node.of)
        case Not():
            return f"not ({_said(node.of, inside, name)})"
        case Group():
            return _group(node, name)
        case Condition():
            return _condition(node, inside, name)


def _in_brackets(each: Expression, inside: str | None, name: Callable[[Condition, object], str]) -> str:
    said = _said(each, inside, name)
    return f"({said})" if isinstance(each, All | Any_) else said


def _group(node: Group, name: Callable[[Condition, object], str]) -> str:
    level, count = LEVELS[node.level], node.count
    if count.most is None:
        told = a(level.one) if count.least == 1 else f"at least {count.least} {level.many}"
        if node.level == "series" and count.least == 1:
            told = "an image series"
    elif count.least == count.most:
        told = f"exactly {count.least} {level.one if count.least == 1 else level.many}"
    elif count.least == 0:
        told = f"at most {count.most} {level.one if count.most == 1 else level.many}"
    else:
        told = f"{count.least} to {count.most} {level.many}"
    where = "" if node.where == All() else f" with ({_said(node.where, node.level, name)})"
    of = "" if node.of == RESULT else f" {OF[node.of]}"
    return f"{told}{where}{of}"


def _condition(node: Condition, inside: str | None, name: Callable[[Condition, object], str]) -> str:
    field = node.about
    level = LEVELS[field.level]
    what = field.words if inside or level.key == "case" else f"{field.words} of {a(level.one)}"
    unit = node.unit or field.unit
    values = [name(node, value) + (f" {unit}" if unit else "") for value in node.values]
    op = field.operators[node.op]
    match node.op:
        case "known" | "unknown":
            return f"{what} {op}"
        case "between":
            return f"{what} {op} {values[0]} and {values[1]}"
        case "in":
            return f"{what} {op} {', '.join(values[:-1])}{' or ' * (len(values) > 1)}{values[-1]}"
        case _:
            return f"{what} {op} {values[0]}"
