"""Random expressions of what may be asked across nodes."""

from typing import Any

from hypothesis import strategies as st

from annotations.cohort.language.fields import FIELDS
from annotations.cohort.language.shared import SHARED
from tests.annotations.cohort.language.expressions import compared, grouped, joined
from tests.network.facts.world import OWN_VALUES

_LEVELS = sorted({key.partition(".")[0] for key in SHARED} - {"subject", "case"})


@st.composite
def conditions(draw: st.DrawFn, level: str | None = None, key: str = "", op: str = "") -> dict[str, Any]:
    fitting = sorted(one for one in SHARED if level is None or FIELDS[one].level == level)
    field = FIELDS[key or draw(st.sampled_from(fitting))]
    return draw(compared(field, op, OWN_VALUES))


@st.composite
def groups(draw: st.DrawFn) -> dict[str, Any]:
    level = draw(st.sampled_from(_LEVELS))
    return draw(grouped(level, nested(level, 2), ["result", "reference"]))


def nested(level: str | None, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    found: st.SearchStrategy[Any] = conditions(level)
    return joined(found | groups() if level is None else found, depth)


def expressions() -> st.SearchStrategy[dict[str, Any]]:
    return st.just({"all": []}) | nested(None, 2)
