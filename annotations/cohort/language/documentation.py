"""The tables of docs/cohorts.md, made from the fields."""

from annotations.cohort.language.fields import LEVELS, Field, Kind, fields_of

_OWN = "the project's own"
_WHAT = {Kind.TEXT: "text", Kind.NUMBER: "number", Kind.YES_NO: "yes, no"}


def tables() -> str:
    """One table a level, in Markdown."""
    return "\n\n".join(_table(level) for level in LEVELS)


def _table(level: str) -> str:
    title = "Subject and case" if level == "case" else LEVELS[level].one.capitalize()
    group = "" if level == "case" else f" `{level}(…)`"
    lines = [f"**{title}**{group}", "", "| fact | says | values | asked with |", "| --- | --- | --- | --- |"]
    return "\n".join(lines + [_line(field) for field in fields_of(level)])


def _line(field: Field) -> str:
    says = f"{field.words}. {field.help}" if field.help else field.words
    operators = ", ".join(f"`{op.replace('_', ' ')}`" for op in field.operators)
    return f"| `{field.key}` | {says} | {_values(field)} | {operators} |"


def _values(field: Field) -> str:
    if field.kind in _WHAT:
        units = f", in {' or '.join(field.units)}" if field.units else ""
        whole = "whole " if field.whole else ""
        return f"{whole}{_WHAT[field.kind]}{units}"
    if field.values is None:
        return _OWN
    return ", ".join(f"`{value}`" for value in field.values)
