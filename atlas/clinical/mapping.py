"""Which column of a table says what, and the facts that a row holds by that. No Django here."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from atlas.clinical import dates, facts
from atlas.clinical.codes import STAGES, TREATMENTS
from atlas.clinical.dates import Day
from atlas.clinical.errors import NotTaken, Wrong
from atlas.clinical.facts import Fact
from atlas.clinical.tables import Row
from atlas.clinical.terminology import TERMINOLOGIES

ISSUER_LENGTH_MAX = 64
BESIDE = ("names", "table")
"""Kept with a mapping: what its table's columns are called, and `originals.mark` of their headings."""
_SORTS = [sort for sort in TREATMENTS if sort not in ("medicine", "other", "surveillance")]

GROUPS: Mapping[str, Mapping[str, str]] = {
    "Whose": {
        "subject": "Patient ID, as in the images",
        "issuer": "Issuer of the Patient ID",
    },
    "Primary cancer": {
        "condition.code": "Code of the condition",
        "condition.name": "Condition in words",
        "condition.date": "Date of diagnosis",
    },
    "Stage": {
        "stage.T": "T",
        "stage.N": "N",
        "stage.M": "M",
        "stage.group": "Stage group",
        "stage.date": "Date of the stage",
    },
    "Treatment": {
        "treatment.sort": "Sort of treatment",
        "treatment.code": "Code of the treatment",
        "treatment.name": "Treatment in words, a medicine for one",
        "treatment.start": "Treatment began",
        "treatment.end": "Treatment ended",
        **{
            f"{sort}.{side}": f"{TREATMENTS[sort].capitalize()} {words}"
            for sort in _SORTS
            for side, words in (("start", "began"), ("end", "ended"))
        },
    },
    "Disease status": {"status.value": "Disease status", "status.date": "Date of the status"},
    "Death": {"death.died": "Died, yes or no", "death.date": "Date of death"},
    "One fact a row": {
        "fact.kind": "Kind of fact",
        "fact.name": "T, N, M, group, or sort of treatment",
        "fact.value": "Code, category or status",
        "fact.start": "From",
        "fact.end": "To",
    },
}
ROLES: Mapping[str, str] = {role: words for group in GROUPS.values() for role, words in group.items()}
NEEDED = {
    "condition.name": ("condition.code",),
    "condition.date": ("condition.code",),
    "stage.date": tuple(f"stage.{name}" for name in STAGES),
    "treatment.start": ("treatment.sort", "treatment.code", "treatment.name"),
    "treatment.end": ("treatment.sort", "treatment.code", "treatment.name"),
    "status.date": ("status.value",),
    "fact.kind": ("fact.value",),
    "fact.name": ("fact.kind",),
    "fact.value": ("fact.kind",),
    "fact.start": ("fact.kind",),
    "fact.end": ("fact.kind",),
    "issuer": ("subject",),
}
"""A role that says nothing without one of these."""

ACCEPTS: Mapping[str, str] = {
    "rows": "Take the rows that are right, and list the others",
    "file": "Take the file only if every row is right",
}


@dataclass(frozen=True)
class ColumnMapping:
    """`roles` by column; columns without one are not taken. Everything else says how cells are read."""

    roles: Mapping[str, str]
    dates: str = ""
    condition_codes: str = ""
    treatment_codes: str = ""
    issuer: str = ""
    accept: str = "rows"

    @property
    def columns(self) -> dict[str, str]:
        """The column of each role."""
        return {role: column for column, role in self.roles.items()}

    def as_json(self) -> dict[str, Any]:
        return {
            "columns": dict(self.roles),
            "dates": self.dates,
            "condition_codes": self.condition_codes,
            "treatment_codes": self.treatment_codes,
            "issuer": self.issuer,
            "accept": self.accept,
        }


def read(given: object, columns: Sequence[str]) -> ColumnMapping:
    """From JSON, whoever wrote it. Raises NotTaken, with what is wrong."""
    if not isinstance(given, dict):
        raise NotTaken("A mapping is an object with “columns”.")
    unknown = sorted(set(map(str, given)) - set(ColumnMapping({}).as_json()))
    if unknown:
        raise NotTaken(
            f"A mapping has no “{unknown[0][:40]}”. It has: {', '.join(ColumnMapping({}).as_json())}."
        )
    roles = _roles(given.get("columns"), columns)
    schemes = ("", *TERMINOLOGIES)
    return ColumnMapping(
        roles,
        dates=_one_of("dates", given.get("dates", ""), dates.ORDERS),
        condition_codes=_one_of("condition_codes", given.get("condition_codes", ""), schemes),
        treatment_codes=_one_of("treatment_codes", given.get("treatment_codes", ""), schemes),
        issuer=issuer_of(given),
        accept=accept_of(given),
    )


def issuer_of(given: Mapping[str, object]) -> str:
    """Raises NotTaken."""
    issuer = given.get("issuer", "")
    if not isinstance(issuer, str) or len(issuer) > ISSUER_LENGTH_MAX or not issuer.isprintable():
        raise NotTaken(f"The issuer is a text of up to {ISSUER_LENGTH_MAX} characters.")
    return issuer.strip()


def accept_of(given: Mapping[str, object]) -> str:
    """Raises NotTaken."""
    return _one_of("accept", given.get("accept", "rows"), tuple(ACCEPTS))


def told(given: object) -> object:
    """Without what is only kept beside a mapping."""
    if not isinstance(given, dict):
        return given
    return {key: value for key, value in given.items() if key not in BESIDE}


def _one_of(name: str, value: object, known: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in known:
        raise NotTaken(f"“{name}” is one of: {', '.join(one or '(empty)' for one in known)}.")
    return value


def _roles(given: object, columns: Sequence[str]) -> dict[str, str]:
    if not isinstance(given, dict):
        raise NotTaken("“columns” names the role of each column.")
    found: dict[str, str] = {}
    for column, role in given.items():
        if role in ("", None):
            continue
        if column not in columns:
            raise NotTaken(f"The table has no column “{str(column)[:40]}”.")
        if not isinstance(role, str) or role not in ROLES:
            raise NotTaken(f"Column “{column}”: there is no role “{str(role)[:40]}”.")
        if role in found.values():
            raise NotTaken(
                f"Two columns say “{ROLES[role]}”. Take one of them, or put each fact into a row of its own."
            )
        found[column] = role
    there = set(found.values())
    if "subject" not in there:
        raise NotTaken("Say which column holds the Patient ID.")
    if not there - {"subject", "issuer"}:
        raise NotTaken("Say which columns hold facts.")
    for role in sorted(there):
        needed = NEEDED.get(role, ())
        if needed and not there & set(needed):
            names = " or ".join(f"“{ROLES[one]}”" for one in needed)
            raise NotTaken(f"“{ROLES[role]}” says nothing without {names}.")
    return found


# What a row holds --------------------------------------------------------------------------------


class Reader:
    """Makes facts of rows."""

    def __init__(self, mapping: ColumnMapping, columns: Sequence[str]) -> None:
        self.mapping = mapping
        self.of_role = mapping.columns
        self.place = {column: at for at, column in enumerate(columns)}

    def person(self, row: Row) -> tuple[str, str]:
        """(Patient ID, issuer). Raises Wrong."""
        patient_id = self._cell(row, "subject")
        column = self.of_role["subject"]
        if not patient_id:
            raise Wrong("There is no Patient ID.", column)
        if re.fullmatch(r"\d+([.,]\d+)?E\+?\d+", patient_id):
            raise Wrong("A spreadsheet has rounded this Patient ID. Save it as text.", column)
        return patient_id, self._cell(row, "issuer") or self.mapping.issuer

    def facts(self, row: Row) -> list[Fact]:
        """Every fact of the row. Raises Wrong for the first that isn't understood."""
        if row.problem:
            raise Wrong(row.problem)
        found: list[Fact] = []
        for part in (self._condition, self._stages, self._treatments, self._status, self._death, self._long):
            found += part(row)
        if not found:
            raise Wrong("The row holds no fact.")
        return found

    def _cell(self, row: Row, role: str) -> str:
        column = self.of_role.get(role)
        return row.cells[self.place[column]] if column is not None and row.cells else ""

    def _day(self, row: Row, role: str) -> Day | None:
        written = self._cell(row, role)
        return self._at(role, lambda: dates.parse(written, self.mapping.dates))

    def _at[T](self, role: str, made: Callable[[], T]) -> T:
        """What is wrong there is told with the name of its column."""
        try:
            return made()
        except Wrong as error:
            raise Wrong(error.sentence, error.column or self.of_role.get(role, "")) from None

    def _condition(self, row: Row) -> list[Fact]:
        code, words = self._cell(row, "condition.code"), self._cell(row, "condition.name")
        day = self._day(row, "condition.date")
        if not code:
            if day is not None or words:
                role = "condition.code"
                raise Wrong("There is a date or a name, but no code.", self.of_role.get(role, ""))
            return []
        scheme = self.mapping.condition_codes
        return [self._at("condition.code", lambda: facts.condition(code, words, day, scheme=scheme))]

    def _stages(self, row: Row) -> list[Fact]:
        day = self._day(row, "stage.date")
        found = []
        for name in STAGES:
            if written := self._cell(row, f"stage.{name}"):
                found.append(self._stage(name, written, day))
        return found

    def _stage(self, name: str, written: str, day: Day | None) -> Fact:
        return self._at(f"stage.{name}", lambda: facts.stage(name, written, day))

    def _treatments(self, row: Row) -> list[Fact]:
        found = []
        sort, code = self._cell(row, "treatment.sort"), self._cell(row, "treatment.code")
        words = self._cell(row, "treatment.name")
        start, end = self._day(row, "treatment.start"), self._day(row, "treatment.end")
        if sort or code or words:
            role = "treatment.sort" if sort else "treatment.code" if code else "treatment.name"
            scheme = self.mapping.treatment_codes
            found.append(
                self._at(role, lambda: facts.treatment(sort, code, words, start, end, scheme=scheme))
            )
        elif start or end:
            raise Wrong("There is a date, but no treatment.", self.of_role.get("treatment.start", ""))
        return found + [one for each in _SORTS for one in self._of_sort(row, each)]

    def _of_sort(self, row: Row, sort: str) -> list[Fact]:
        start, end = self._day(row, f"{sort}.start"), self._day(row, f"{sort}.end")
        if start is None and end is None:
            return []
        role = f"{sort}.end" if end else f"{sort}.start"
        return [self._at(role, lambda: facts.treatment(sort, "", "", start, end))]

    def _status(self, row: Row) -> list[Fact]:
        written, day = self._cell(row, "status.value"), self._day(row, "status.date")
        return [self._at("status.value", lambda: facts.status(written, day))] if written else []

    def _death(self, row: Row) -> list[Fact]:
        day = self._day(row, "death.date")
        written = self._cell(row, "death.died")
        role = "death.died" if written else "death.date"
        found = self._at(role, lambda: facts.death(written, day))
        return [found] if found else []

    def _long(self, row: Row) -> list[Fact]:
        kind = self._cell(row, "fact.kind").casefold()
        if not kind:
            return []
        name, value = self._cell(row, "fact.name"), self._cell(row, "fact.value")
        start, end = self._day(row, "fact.start"), self._day(row, "fact.end")
        match kind:
            case "condition":
                scheme = self.mapping.condition_codes
                return [self._at("fact.value", lambda: facts.condition(value, "", start, scheme=scheme))]
            case "stage":
                canonical = {one.casefold(): one for one in STAGES}.get(name.casefold())
                if canonical is None:
                    raise Wrong("A stage is T, N, M or group.", self.of_role.get("fact.name", ""))
                return [self._at("fact.value", lambda: facts.stage(canonical, value, start))]
            case "treatment":
                scheme = self.mapping.treatment_codes
                role = "fact.name" if name else "fact.value"
                return [self._at(role, lambda: facts.treatment(name, value, "", start, end, scheme=scheme))]
            case "status":
                return [self._at("fact.value", lambda: facts.status(value, start))]
            case "death":
                found = self._at("fact.value", lambda: facts.death(value or "yes", start))
                return [found] if found else []
        known = "condition, stage, treatment, status or death"
        raise Wrong(f"This kind of fact isn't known. It is {known}.", self.of_role["fact.kind"])
