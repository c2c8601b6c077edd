"""Random expressions of what may be asked across nodes."""

from typing import Any

from hypothesis import strategies as st

from annotations.cohort.language.fields import FIELDS, LEVELS
from annotations.cohort.language.shared import SHARED
from tests.annotations.cohort.language.expressions import counts, values_of
from tests.network.facts.world import OWN_VALUES

_LEVELS = sorted({key.partition(".")[0] for key in SHARED} - {"subject", "case"})


@st.composite
def conditions(draw: st.DrawFn, level: str | None = None, key: str = "", op: str = "") -> dict[str, Any]:
    fitting = sorted(one for one in SHARED if level is None or FIELDS[one].level == level)
    field = FIELDS[key or draw(st.sampled_from(fitting))]
    op = op or draw(st.sampled_from(sorted(field.operators)))
    values = values_of(field, OWN_VALUES)
    node: dict[str, Any] = {"field": field.key, "op": op}
    if op == "in":
        node["value"] = draw(st.lists(values, min_size=1, max_size=3, unique=True))
    elif op == "between":
        node["value"] = sorted([draw(values), draw(values)])
    elif op not in ("known", "unknown"):
        node["value"] = draw(values)
    return node


@st.composite
def groups(draw: st.DrawFn) -> dict[str, Any]:
    level = draw(st.sampled_from(_LEVELS))
    node: dict[str, Any] = {level: draw(st.just({"all": []}) | nested(level, 2))}
    if draw(st.booleans()):
        node["count"] = draw(counts())
    if LEVELS[level].has_reads and draw(st.booleans()):
        node["of"] = draw(st.sampled_from(["result", "reference"]))
    return node


def nested(level: str | None, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    found: st.SearchStrategy[Any] = conditions(level)
    if level is None:
        found = found | groups()
    for _ in range(depth):
        inner = found
        found = (
            inner
            | st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts})
            | st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts})
            | inner.map(lambda part: {"not": part})
        )
    return found


def expressions() -> st.SearchStrategy[dict[str, Any]]:
    return st.just({"all": []}) | nested(None, 2)
