"""What an index can find a series by, asked with conditions: the counterpart of the database's function
atlas_search_tokens. A token is a letter for what is meant and a short text: "mCT", "bLUNG", "t1997"."""

import time
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import BooleanField, F, Func, Q, Value

from atlas.models import Subject

GROUPS_ASKED = 3  # of three letters: the rarest find almost as little as all
FREQUENCIES_S = 600.0
MONTHS_IN_A_YEAR = 12
FIRST_YEAR, LAST_YEAR = 1800, 2099  # of years with tokens of their own
_COLUMNS = (
    *("dataset_id", "modality", "body_part", "number", "description"),
    *("study_date", "study_description", "pseudonym", "sex"),
)
_LETTERS = {
    "modality": "m",
    "body_part": "b",
    "number": "n",
    "description": "d",
    "study_date": "t",
    "study_description": "D",
    "pseudonym": "p",
    "sex": "s",
}
_GROUPS = {"description": "g", "study_description": "G"}
_BEGINNING = "q"  # of a pseudonym: its first 3 to 8 letters
_BEGINNING_MIN, _BEGINNING_MAX = 3, 8

type Demand = frozenset[str]
"""Tokens of which a series has at least one."""

NOTHING: Demand = frozenset({"nothing"})  # no letter of a kind: no series has it
SUBJECTS_MAX = 200


def filtered(demands: Iterable[Demand]) -> Q:
    """A condition on SearchedSeries that the index of tokens answers: all demands are met."""
    demands = set(demands)
    found = Q()
    needed = sorted(token for demand in demands if len(demand) == 1 for token in demand)
    if needed:
        found &= Q(_compared("@>", needed))
    for demand in demands:
        if len(demand) != 1:
            found &= Q(_compared("&&", sorted(demand)))
    return found


def _compared(operator: str, tokens: list[str]) -> Func:
    return Func(
        Func(*(F(column) for column in _COLUMNS), function="atlas_search_tokens"),
        Value(tokens),
        template="%(expressions)s::text[]",
        arg_joiner=f" {operator} ",
        output_field=BooleanField(),
    )


def of_datasets(datasets: Iterable[int]) -> Demand:
    return frozenset(f"a{pk}" for pk in datasets)


def demands_of(condition: Q) -> list[Demand]:
    """What whatever meets this condition meets, too; possibly nothing. The condition must still be asked."""
    if condition.negated:
        return []
    parts: list[list[Demand]] = []
    days: dict[str, date] = {}
    for child in condition.children:
        if isinstance(child, Q):
            parts.append(demands_of(child))
        elif isinstance(child, tuple):
            if child[0] in ("study_date__gte", "study_date__lte"):
                days[child[0][-3:]] = child[1]
            else:
                parts.append(_of_lookup(child[0], child[1]))
        else:
            parts.append([])
    if condition.connector == Q.AND:
        if days:
            parts.append([_of_days(days.get("gte", date.min), days.get("lte", date.max))])
        return [demand for part in parts for demand in part]
    if days or not all(parts):
        return []
    return [frozenset().union(*(part[0] for part in parts))]


def _of_lookup(path: str, value: Any) -> list[Demand]:
    column, _, lookup = path.partition("__")
    letter = _LETTERS.get(column)
    if letter is None:
        return []
    if lookup in ("", "in"):
        wanted = value if lookup else [value]
        if column == "study_date":
            return [frozenset("t" + _written_day(one) for one in wanted)]
        return [frozenset(letter + ("" if one is None else str(one)) for one in wanted)]
    if lookup == "range":
        return [_of_days(*value)]
    if lookup not in ("startswith", "like"):
        return []
    runs = [value] if lookup == "startswith" else _runs(value)
    if column in _GROUPS:
        return [frozenset({group}) for group in _rarest(_GROUPS[column], runs)]
    if column == "pseudonym" and lookup == "like":
        few = Subject.objects.filter(pseudonym__like=value).values_list("pseudonym", flat=True)
        named = list(few.order_by()[: SUBJECTS_MAX + 1])
        if len(named) <= SUBJECTS_MAX:
            return [frozenset(f"p{name}" for name in named)] if named else [NOTHING]
    if column == "pseudonym" and len(runs[0]) >= _BEGINNING_MIN:
        return [frozenset({_BEGINNING + runs[0][:_BEGINNING_MAX]})]
    return []


def _written_day(day: date | None) -> str:
    return f"{day:%Y%m%d}" if day is not None and FIRST_YEAR <= day.year <= LAST_YEAR else "other"


def _runs(pattern: str) -> list[str]:
    """The letters between the wildcards of a pattern of LIKE, from its beginning (so the first may be "")."""
    runs, run, letters = list[str](), "", iter(pattern)
    for letter in letters:
        if letter in "%_":
            runs.append(run)
            run = ""
        else:
            run += next(letters, "") if letter == "\\" else letter
    return [*runs, run]


def _rarest(kind: str, runs: list[str]) -> list[str]:
    groups = {kind + run[at : at + 3] for run in runs for at in range(len(run) - 2)}
    known = _frequencies()
    return sorted(groups, key=lambda group: (known.get(group, 0.0), group))[:GROUPS_ASKED]


_known: tuple[float, dict[str, float]] = 0.0, {}


def _frequencies() -> dict[str, float]:
    """Token → share of series that have it, of the frequent ones. Only the speed of searches hangs on it."""
    global _known
    if _known[0] < time.monotonic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT most_common_elems::text::text[], most_common_elem_freqs FROM pg_stats"
                " WHERE schemaname = current_schema() AND tablename = 'searched_by_tokens'"
            )
            row = cursor.fetchone()
        told = dict(zip(row[0], row[1], strict=False)) if row and row[0] else {}
        _known = time.monotonic() + FREQUENCIES_S, told
    return _known[1]


def _of_days(begin: date, end: date) -> Demand:
    """A superset of a range of days in few tokens: months of a short range; of a longer one years, decades
    and centuries, as they fit."""
    found: set[str] = set()
    if begin.year < FIRST_YEAR or end.year > LAST_YEAR:
        found.add("tother")
    first, last = max(begin, date(FIRST_YEAR, 1, 1)), min(end, date(LAST_YEAR, 12, 31))
    if first > last:
        return frozenset(found or {"tother"})
    month, last_month = (day.year * MONTHS_IN_A_YEAR + day.month - 1 for day in (first, last))
    if last_month - month < MONTHS_IN_A_YEAR - 1:
        months = range(month, last_month + 1)
        return frozenset(
            found | {f"t{at // MONTHS_IN_A_YEAR}{at % MONTHS_IN_A_YEAR + 1:02d}" for at in months}
        )
    year = first.year
    while year <= last.year:
        span = next(span for span in (100, 10, 1) if year % span == 0 and year + span - 1 <= last.year)
        found.add(f"t{year // span}")
        year += span
    return frozenset(found)
