"""Lines of the audit trail as people read them: names instead of keys, in as many queries for any number."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from accounts.models import AuditRecord, User
from accounts.roles import BY_KEY
from annotations.models import AdjudicatedLesion, Case, Comment, IncidentalFinding, Read, Submission
from annotations.reading.review import REASONS
from annotations.reading.trail.sentences import SENTENCES, TAKES, Kind, sentence
from atlas.models import Project, Series

PEOPLE = ("person", "reader", "adjudicator", "to", "before")
NODE_ITSELF = "Atlas"
_OF_A_READ: dict[str, Any] = {
    "comment": Comment,
    "incidentalfinding": IncidentalFinding,
    "adjudicatedlesion": AdjudicatedLesion,
    "submission": Submission,
}


@dataclass(frozen=True)
class Line:
    """One line: who did what, when, and to whose read of which case."""

    at: datetime
    who: str
    initials: str
    verb: str
    kind: Kind
    what: str
    case: int | None
    read: Read | None

    @property
    def read_of(self) -> str:
        return self.read.reader.display_name if self.read else ""


def lines_of(records: Iterable[AuditRecord], project: Project) -> list[Line]:
    """In the order of the records, which the caller has narrowed to what may be seen."""
    known = _Known(list(records), project)
    return [known.line(record) for record in known.records]


class _Known:
    """What the records point to, fetched at once."""

    def __init__(self, records: list[AuditRecord], project: Project) -> None:
        self.records = records
        read_of = {name: self._reads_of(name) for name in _OF_A_READ}
        wanted = set(self._ids("read")) | {read for found in read_of.values() for read in found.values()}
        reads = Read.objects.filter(pk__in=wanted).select_related("reader", "case")
        self.read_of = read_of
        self.reads = {read.pk: read for read in reads}
        named = {record.facts.get("case") for record in records} | set(self._ids("case"))
        cases = Case.objects.filter(pk__in=[pk for pk in named if isinstance(pk, int)], project=project)
        self.cases = dict(cases.values_list("pk", "number"))
        people = {record.facts.get(name) for record in records for name in PEOPLE}
        found = User.objects.filter(pk__in=[pk for pk in people if isinstance(pk, int)])
        self.people = {person.pk: person.display_name for person in found}
        series = Series.objects.filter(
            pk__in=self._ids("series"), study__case_studies__case__project=project
        ).values_list("pk", "study__case_studies__case__number", "study__case_studies__case__project")
        self.case_of_series = {pk: number for pk, number, of in series if of == project.pk}

    def _ids(self, name: str) -> list[int]:
        return [
            record.object_id
            for record in self.records
            if record.object_type == name and record.object_id is not None
        ]

    def _reads_of(self, name: str) -> dict[int, int]:
        ids = self._ids(name)
        if not ids:
            return {}
        return dict(_OF_A_READ[name].objects.filter(pk__in=ids).values_list("pk", "read"))

    def line(self, record: AuditRecord) -> Line:
        read = self._read(record)
        who = record.actor
        return Line(
            at=record.at,
            who=who.display_name if who else NODE_ITSELF,
            initials=who.initials if who else "",
            verb=record.verb,
            kind=SENTENCES[record.verb][0] if record.verb in SENTENCES else Kind.NODE,
            what=sentence(record.verb, self._facts(record)),
            case=read.case.number if read else self._case(record),
            read=read,
        )

    def _read(self, record: AuditRecord) -> Read | None:
        if record.object_type in self.read_of:
            return self.reads.get(self.read_of[record.object_type].get(record.object_id or 0, 0))
        return self.reads.get(record.object_id or 0) if record.object_type == "read" else None

    def _case(self, record: AuditRecord) -> int | None:
        if record.object_type == "series":
            return self.case_of_series.get(record.object_id or 0)
        own = record.object_id if record.object_type == "case" else record.facts.get("case")
        return self.cases.get(own) if isinstance(own, int) else None

    def _facts(self, record: AuditRecord) -> dict[str, object]:
        facts: dict[str, object] = dict(record.facts)
        for name in PEOPLE:
            if isinstance(facts.get(name), int):
                facts[name] = self.people.get(int(str(facts[name])), "?")
        if "role" in facts:
            facts["role"] = _role(record.object_type, str(facts["role"]))
        keys = str(facts.get("reasons", "")).split(",")
        told = [gettext(REASONS[key]) for key in keys if key in REASONS]
        facts["reasons"] = "; ".join(told) or gettext("see the comments")
        if facts.get("take") in TAKES:
            facts["take"] = gettext(TAKES[str(facts["take"])])
        if "purpose" in facts:
            facts["purpose"] = gettext(str(Case.Purpose(str(facts["purpose"])).label))
        facts["facts"] = "; ".join(
            f"{name.replace('_', ' ')}: {value}" for name, value in sorted(record.facts.items())
        )
        return facts


def _role(scope: str, key: str) -> str:
    role = BY_KEY.get((scope, key))
    return gettext(role.title) if role else key
