"""Random expressions, as JSON: every field with every operator, any nesting that is allowed."""

from typing import Any

from hypothesis import strategies as st

from annotations.cohort.language.expression import OF
from annotations.cohort.language.fields import FIELDS, GROUPS, LEVELS, Field, Kind, fields_of

OWN_VALUES = {
    "subject.site": ["north", "south"],
    "study.dataset": ["ct", "mr-2"],
    "series.modality": ["CT", "MR", "PT"],
    "mark.modality": ["CT", "MR", "PT"],
    "series.body_part": ["CHEST", "HEAD AND NECK"],
    "series.manufacturer": ["GE MEDICAL SYSTEMS", "Philips", "SIEMENS"],
    "clinical.condition": ["ICD10:C34.1", "SCT:254637007"],
    "clinical.treatment_code": ["ATC:L01XA01", "SCT:367336001"],
    "mark.label": ["tumour", "node"],
    "label.label": ["tumour", "node"],
    "agreement.label": ["tumour", "node"],
    "mark.code": ["SCT:1", "99X:a b"],
    "label.code": ["SCT:1", "99X:a b"],
}
"""What the small worlds of `world.py` know."""
TEXTS = ["Axial", "axial thin", "thin", 'a "quoted" \\ % _', "AND", "12", "1e5", "T1 é", "everything", "yes"]


def values_of(field: Field, own: dict[str, list[str]]) -> st.SearchStrategy[Any]:
    match field.kind:
        case Kind.YES_NO:
            return st.booleans()
        case Kind.TEXT:
            return st.sampled_from(TEXTS) | st.text(min_size=1, max_size=12).filter(str.isprintable)
        case Kind.NUMBER if field.whole:
            return st.integers(int(field.least), int(min(field.most, field.least + 8)))
        case Kind.NUMBER:
            highest = 1 if field.most == 1 else 30
            lowest = max(field.least, -5)
            halves = st.integers(int(lowest * 4), highest * 4).map(lambda n: n / 4)
            return halves | st.integers(int(lowest), highest)
    return st.sampled_from(sorted(field.values or own[field.key]))


@st.composite
def compared(draw: st.DrawFn, field: Field, op: str, own: dict[str, list[str]]) -> dict[str, Any]:
    """A field with the operator that is named, or with any of its own."""
    op = op or draw(st.sampled_from(sorted(field.operators)))
    values = values_of(field, own)
    node: dict[str, Any] = {"field": field.key, "op": op}
    if op == "in":
        node["value"] = draw(st.lists(values, min_size=1, max_size=3, unique=True))
    elif op == "between":
        node["value"] = sorted([draw(values), draw(values)])
    elif op not in ("known", "unknown"):
        node["value"] = draw(values)
    return node


@st.composite
def conditions(
    draw: st.DrawFn, level: str | None, own: dict[str, list[str]], *, key: str = "", op: str = ""
) -> dict[str, Any]:
    """Of any field of the level, or of the one and the operator that are named."""
    fields = list(fields_of(level)) if level else list(FIELDS.values())
    some = st.sampled_from([one for one in fields if one.key != "read.reader" or one.key in own])
    field = FIELDS[key] if key else draw(some)
    node = draw(compared(field, op, own))
    if "value" in node and field.units and draw(st.booleans()):
        unit = draw(st.sampled_from(sorted(field.units)))
        if not field.whole or field.units[unit] == 1:
            node["unit"] = unit
    return node


@st.composite
def counts(draw: st.DrawFn) -> dict[str, int]:
    least, more = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    return draw(
        st.sampled_from(
            [
                {"exactly": least},
                {"at_least": max(least, 1)},
                {"at_most": more},
                {"at_least": least, "at_most": least + more},
            ]
        )
    )


@st.composite
def groups(draw: st.DrawFn, own: dict[str, list[str]]) -> dict[str, Any]:
    level = draw(st.sampled_from(GROUPS))
    return draw(grouped(level, nested(level, own, 2), sorted(OF)))


@st.composite
def grouped(
    draw: st.DrawFn, level: str, inner: st.SearchStrategy[dict[str, Any]], of: list[str]
) -> dict[str, Any]:
    """So many of a level's rows for which `inner` holds; `of` some reads, where the level has reads."""
    node: dict[str, Any] = {level: draw(st.just({"all": []}) | inner)}
    if draw(st.booleans()):
        node["count"] = draw(counts())
    if LEVELS[level].has_reads and draw(st.booleans()):
        node["of"] = draw(st.sampled_from(of))
    return node


def nested(level: str | None, own: dict[str, list[str]], depth: int) -> st.SearchStrategy[dict[str, Any]]:
    found: st.SearchStrategy[Any] = conditions(level, own)
    return joined(found | groups(own) if level is None else found, depth)


def joined(found: st.SearchStrategy[Any], depth: int) -> st.SearchStrategy[dict[str, Any]]:
    """With all, any and not around them, so many deep."""
    for _ in range(depth):
        inner = found
        found = (
            inner
            | st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts})
            | st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts})
            | inner.map(lambda part: {"not": part})
        )
    return found


def expressions(own: dict[str, list[str]] | None = None, depth: int = 3) -> st.SearchStrategy[dict[str, Any]]:
    known = OWN_VALUES if own is None else own
    return st.just({"all": []}) | nested(None, known, depth)
