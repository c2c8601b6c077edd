"""Reads a sent file row by row: each row's facts are kept, or the row is refused with a reason."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from itertools import batched

from django.utils import timezone

from atlas.clinical import fhir, headings, mapping
from atlas.clinical.dates import MONTH, YEAR, Day
from atlas.clinical.errors import NotTaken, Wrong
from atlas.clinical.facts import Fact
from atlas.clinical.people import Known, People
from atlas.clinical.tables import Table

ROWS_AT_ONCE = 1000
FINDINGS_MAX = 1000
NOBODY = "No subject of this dataset has images under this Patient ID."
SEVERAL = "Its identifiers belong to several subjects of this dataset."

type Finding = dict[str, int | str]
"""{row, column, sentence}; row 0 is the file."""


@dataclass
class Line:
    """A row on its way: the names its person may have, and its facts or what is wrong with it."""

    number: int
    names: tuple[tuple[str, str], ...] = ()
    facts: list[Fact] = field(default_factory=list)
    problem: Wrong | None = None
    column: str = ""
    """Where the person is named."""


@dataclass
class Report:
    taken: int = 0
    refused: int = 0
    findings: list[Finding] = field(default_factory=list)

    def refuse(self, line: Line, error: Wrong) -> None:
        self.refused += 1
        self.note(line.number, error.column, error.sentence)

    def note(self, row: int, column: str, sentence: str) -> None:
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append({"row": row, "column": column[:200], "sentence": sentence})


type Keep = Callable[[list[tuple[int, Fact]]], None]
"""Takes (primary key of a subject, fact with its dates moved)."""


class File:
    """A table with its mapping, or a bundle."""

    def __init__(self, kind: str, content: bytes, how: dict, people: People) -> None:
        """Raises NotTaken."""
        self.people = people
        if kind == "csv":
            self.table = Table(content)
            self.columns = headings.kept(self.table.columns)
            if not people.are_named:
                require_nobody_named(self.table, self.columns)
            self.mapping = mapping.read(headings.by_kept(how, self.table.columns), self.columns)
            self.total = self.table.count()
            self.bundle = None
        else:
            self.bundle = fhir.read(content)
            self.total = len(self.bundle.resources)
            self.issuer = str(how.get("issuer", ""))
            if not people.are_named:
                require_nobody_told(self.bundle)

    def lines(self) -> Iterator[Line]:
        if self.bundle is None:
            return self._rows()
        return self._resources(self.bundle)

    def _rows(self) -> Iterator[Line]:
        reader = mapping.Reader(self.mapping, self.columns)
        column = self.mapping.columns["subject"]
        for row in self.table.rows():
            line = Line(row.line, column=column)
            try:
                line.facts = reader.facts(row)
                line.names = (reader.person(row),)
            except Wrong as error:
                line.problem = error
            yield line

    def _resources(self, bundle: fhir.Bundle) -> Iterator[Line]:
        for entry in bundle.entries():
            line = Line(entry.line, problem=entry.problem, column="subject")
            if entry.person is None:
                line.problem = line.problem or Wrong(
                    "The bundle doesn't hold the patient it refers to.", "subject"
                )
            else:
                issuers = ("", self.issuer) if self.issuer else ("",)
                line.names = tuple((one, issuer) for issuer in issuers for one in entry.person.identifiers)
            line.facts = [entry.fact] if entry.fact else []
            yield line

    def left_out(self) -> str:
        """What the bundle holds beside facts, in a sentence."""
        if self.bundle is None or not self.bundle.left:
            return ""
        kinds: Counter[str] = Counter()
        for kind, count in self.bundle.left.items():
            kinds[kind if _is_fhir(kind) else "unknown"] += count
        told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(8))
        return f"Left aside, since they hold no fact that is kept here: {told}."


def read_through(file: File, keep: Keep, *, each: Callable[[Report], None] = lambda _: None) -> Report:
    """Every row once, so many at a time; `keep` is given what is right. Raises NotTaken."""
    report = Report()
    for lines in batched(file.lines(), ROWS_AT_ONCE):
        keep(list(_right(lines, file.people, report)))
        each(report)
    if sentence := file.left_out():
        report.note(0, "", sentence)
    return report


def _right(lines: Iterable[Line], people: People, report: Report) -> Iterator[tuple[int, Fact]]:
    known = people.find(name for line in lines for name in line.names)
    for line in lines:
        try:
            found = _whose(line, known)
            moved = [_moved(fact, found, people) for fact in line.facts]
        except Wrong as error:
            report.refuse(line, error)
            continue
        report.taken += 1
        yield from ((found.subject_id, fact) for fact in moved)


def _whose(line: Line, known: dict[tuple[str, str], Known]) -> Known:
    if line.problem is not None:
        raise line.problem
    found = {known[name].subject_id: known[name] for name in reversed(line.names) if name in known}
    if not found:
        raise Wrong(NOBODY, line.column)
    if len(found) > 1:
        raise Wrong(SEVERAL, line.column)
    return next(iter(found.values()))


def _moved(fact: Fact, found: Known, people: People) -> Fact:
    if people.are_named:  # dates that were moved elsewhere may lie anywhere
        today = timezone.localdate()
        for day in (fact.starts, fact.ends):
            if day is not None and _is_to_come(day, today):
                raise Wrong("A date lies in the future.")
    return fact.moved(found.shift_days)


def _is_to_come(told: Day, today: date) -> bool:
    if told.precision == YEAR:
        return told.day.year > today.year
    if told.precision == MONTH:
        return (told.day.year, told.day.month) > (today.year, today.month)
    return told.day > today


def require_nobody_named(table: Table, called: Sequence[str]) -> None:
    """`called`: by what names its columns may be told. Raises NotTaken."""
    naming = [place for place, column in enumerate(table.columns) if headings.names_somebody(column)]
    if not naming:
        return
    for row in table.rows():
        for place in naming:
            if row.cells and row.cells[place]:
                raise NotTaken(
                    f"The table is not de-identified: column “{called[place]}” says who people are (row "
                    f"{row.line}). Remove it, and use the pseudonyms of the images."
                )


def require_nobody_told(bundle: fhir.Bundle) -> None:
    for person in bundle.everyone:
        if person.identifies:
            elements = ", ".join(f"Patient.{name}" for name in person.identifies)
            raise NotTaken(f"The bundle is not de-identified: it holds {elements}. Remove these.")


def _is_fhir(kind: str) -> bool:
    from fhir.resources.R4B import get_fhir_model_class

    with suppress(Exception):  # whatever a name that nobody knows leads to
        return get_fhir_model_class(kind) is not None
    return False
