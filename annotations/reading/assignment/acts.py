"""What can be done to many cases at once, each act with its way back.

An act gets its parameters as they lie in the database (ids, numbers, words), checks them when it begins, does
some of the cases, and says what was there before. `back` undoes such lines, and leaves what has moved on.
"""

import datetime
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from accounts.models import User
from annotations.models import Case, Read
from annotations.reading import machine, purposes
from annotations.reading.assignment import giving, handing, judges
from annotations.reading.assignment.rules import possible_readers, standing_of, without_own
from annotations.reading.locks import locked
from annotations.reading.projects import untouched_reads
from atlas.models import Project

PRIORITY_MAX = 9
WAYS: dict[str, Callable[..., giving.Assigned]] = {
    "each": giving.assign,
    "share": giving.assign_balanced,
    "design": giving.assign_balanced,
    "specialty": giving.assign_by_specialty,
}

type Params = dict[str, Any]
type LeftOut = list[tuple[int, str]]
type Before = list[list[Any]]


@dataclass(frozen=True)
class Done:
    """`before`: a line for each thing that changed, for the way back. `changed`: how many those are."""

    before: Before
    left_out: LeftOut
    facts: dict[str, int]


class Act(Protocol):
    def check(self, by: User, project: Project, params: Params) -> Params:
        """What is kept of the parameters. Raises ValidationError by field."""
        ...

    def do(self, by: User, project: Project, params: Params, cases: list[Case]) -> Done: ...

    def back(self, by: User, project: Project, lines: Before) -> LeftOut: ...


class Assign:
    def check(self, by: User, project: Project, params: Params) -> Params:
        way, each = params.get("way", "each"), params.get("readers_per_case")
        if way not in WAYS:
            raise ValidationError({"way": "Say how the cases are shared out."})
        readers = _people(project, params.get("readers", []))
        if way == "share" and not (each and 1 <= each <= len(readers)):
            raise ValidationError(
                {"readers_per_case": f"Between 1 and {len(readers)}, the number of readers you chose."}
            )
        giving.check_due(params.get("due"))
        giving.schema_of(project)
        return {
            "way": way,
            "readers": [reader.public_id for reader in readers],
            "readers_per_case": each if way == "share" else None,
            "due": _day(params.get("due")),
        }

    def do(self, by: User, project: Project, params: Params, cases: list[Case]) -> Done:
        due = datetime.date.fromisoformat(params["due"]) if params["due"] else None
        common: dict[str, Any] = {
            "by": by,
            "project": project,
            "cases": cases,
            "readers": _people(project, params["readers"]),
            "due": due,
        }
        if params["way"] != "each":
            common["readers_per_case"] = params["readers_per_case"]
        done = WAYS[params["way"]](**common)
        facts = {
            "made": done.made,
            "there": done.there,
            "not_blind": done.not_blind,
            "short": done.short,
            "own": done.own,
        }
        return Done([[public_id] for public_id in done.reads], list(done.left_out), facts)

    def back(self, by: User, project: Project, lines: Before) -> LeftOut:
        reads = _reads(project, [line[0] for line in lines])
        left_out = _without_opened(reads)
        giving.take_back(by, project, reads)
        return left_out


class Adjudicators:
    """Cases that wait for a decision go to some people, or to all who may judge, evenly."""

    def check(self, by: User, project: Project, params: Params) -> Params:
        wanted = set(params.get("adjudicators") or [])
        known = {person.public_id for person in judges.possible_adjudicators(project)}
        if not known:
            raise ValidationError({"adjudicators": "Nobody judges in this project: add a reviewer first."})
        if wanted - known:
            raise ValidationError({"adjudicators": "One of the chosen does not judge in this project."})
        return {"adjudicators": sorted(wanted)}

    def do(self, by: User, project: Project, params: Params, cases: list[Case]) -> Done:
        people = judges.possible_adjudicators(project)
        wanted = params["adjudicators"]
        chosen = [person for person in people if not wanted or person.public_id in wanted]
        made, left_out = judges.assign(by=by, project=project, cases=cases, people=chosen)
        return Done([[read.public_id] for read in made], left_out, {"made": len(made)})

    def back(self, by: User, project: Project, lines: Before) -> LeftOut:
        reads = _reads(project, [line[0] for line in lines])
        left_out = _without_opened(reads)
        giving.take_back(by, project, reads)
        return left_out


class Unassign:
    """Unopened reads of some people, or of all, are taken back."""

    def check(self, by: User, project: Project, params: Params) -> Params:
        people = _people(project, params["readers"]) if params.get("readers") else []
        return {"readers": [person.public_id for person in people]}

    def do(self, by: User, project: Project, params: Params, cases: list[Case]) -> Done:
        cases, own = without_own(by, project, cases)
        wanted = _open_reads(project, cases)
        if params["readers"]:
            wanted = wanted.filter(reader__public_id__in=params["readers"])
        reads = list(wanted)
        left_out = _without_opened(reads) + _told(own)
        before = [[read.case.number, read.reader.public_id, _day(read.due), read.place] for read in reads]
        giving.take_back(by, project, reads)
        return Done(before, left_out, {"taken_back": len(before), "opened": len(left_out) - len(own)})

    def back(self, by: User, project: Project, lines: Before) -> LeftOut:
        """Given out again, but for who would not be blind any more, or has left."""
        people = {one.public_id: one for one in possible_readers(project)}
        cases = {case.number: case for case in project.cases.filter(number__in=[line[0] for line in lines])}
        standing = standing_of(project, list(cases.values()))
        schema = giving.schema_of(project)
        left_out: LeftOut = []
        for number, reader_id, due, place in lines:
            case, reader = cases.get(number), people.get(reader_id)
            if case is None or reader is None:
                left_out.append((number, "Its reader is no reader of this project any more."))
            elif not standing.may_read(case, reader):
                left_out.append((number, giving.NOT_BLIND.format(name=reader.display_name)))
            else:
                day = datetime.date.fromisoformat(due) if due else None
                made = giving.write_reads(by, project, schema, [(case, reader)], day)[0]
                Read.objects.filter(pk=made.pk).update(place=place)
        return left_out


class Reassign:
    """Open reads of one person go to another, with their marks."""

    def check(self, by: User, project: Project, params: Params) -> Params:
        to = _people(project, [params.get("to", "")], "to")[0]
        if not params.get("from"):
            raise ValidationError({"from": "Choose whose reads are handed over."})
        if params["from"] == to.public_id:
            raise ValidationError({"to": "Choose two different people."})
        return {"from": params["from"], "to": to.public_id}

    def do(self, by: User, project: Project, params: Params, cases: list[Case]) -> Done:
        cases, own = without_own(by, project, cases)
        to = _people(project, [params["to"]], "to")[0]
        reads = _open_reads(project, cases).filter(reader__public_id=params["from"])
        lines = [[read.public_id, read.reader.public_id] for read in reads]
        left_out = self._hand_over(by, project, [(read, to) for read in reads])
        stayed = {number for number, _ in left_out}
        before = [line for line, read in zip(lines, reads, strict=True) if read.case.number not in stayed]
        return Done(before, left_out + _told(own), {"handed_over": len(before)})

    def back(self, by: User, project: Project, lines: Before) -> LeftOut:
        """To whom they were with, unless both have worked on it meanwhile."""
        people = {
            one.public_id: one for one in User.objects.filter(public_id__in=[line[1] for line in lines])
        }
        found = {read.public_id: read for read in _reads(project, [line[0] for line in lines])}
        left_out: LeftOut = []
        for read_id, before_id in lines:
            read, before = found.get(read_id), people.get(before_id)
            if read is None or before is None:
                continue
            why = handing.why_not(project, read, before, is_return=True)
            if why:
                left_out.append((read.case.number, why))
            else:
                handing.move(by, project, read, before)
        return left_out

    def _hand_over(self, by: User, project: Project, pairs: Sequence[tuple[Read, User]]) -> LeftOut:
        left_out: LeftOut = []
        for read, to in pairs:
            why = handing.why_not(project, read, to)
            if why:
                left_out.append((read.case.number, why))
            else:
                handing.move(by, project, read, to)
        return left_out


class Priority:
    def check(self, by: User, project: Project, params: Params) -> Params:
        priority = params.get("priority")
        if priority is None or not -PRIORITY_MAX <= priority <= PRIORITY_MAX:
            raise ValidationError({"priority": f"From {-PRIORITY_MAX} to {PRIORITY_MAX}; higher is earlier."})
        return {"priority": priority}

    def do(self, by: User, project: Project, params: Params, cases: list[Case]) -> Done:
        changed = [case for case in cases if case.priority != params["priority"]]
        before = [[case.number, case.priority] for case in changed]
        _cases(project, changed).update(priority=params["priority"])
        return Done(before, [], {"changed": len(before)})

    def back(self, by: User, project: Project, lines: Before) -> LeftOut:
        for priority in {line[1] for line in lines}:
            numbers = [line[0] for line in lines if line[1] == priority]
            Case.objects.filter(project=project, number__in=numbers).update(priority=priority)
        return []


class Due:
    def check(self, by: User, project: Project, params: Params) -> Params:
        giving.check_due(params.get("due"))
        return {"due": _day(params.get("due"))}

    def do(self, by: User, project: Project, params: Params, cases: list[Case]) -> Done:
        cases, own = without_own(by, project, cases)
        due = datetime.date.fromisoformat(params["due"]) if params["due"] else None
        reads = [read for read in _open_reads(project, cases) if read.due != due]
        before = [[read.public_id, _day(read.due)] for read in reads]
        Read.objects.filter(pk__in=[read.pk for read in reads]).update(due=due)
        return Done(before, _told(own), {"changed": len(before)})

    def back(self, by: User, project: Project, lines: Before) -> LeftOut:
        for due in {line[1] for line in lines}:
            ids = [line[0] for line in lines if line[1] == due]
            day = datetime.date.fromisoformat(due) if due else None
            Read.objects.filter(public_id__in=ids, case__project=project).update(due=day)
        return []


class Purpose:
    def check(self, by: User, project: Project, params: Params) -> Params:
        if params.get("purpose") not in Case.Purpose.values:
            raise ValidationError({"purpose": "To be read, hidden reference, or training."})
        return {"purpose": params["purpose"]}

    def do(self, by: User, project: Project, params: Params, cases: list[Case]) -> Done:
        left = purposes.set_purpose(by=by, project=project, cases=cases, purpose=params["purpose"])
        stayed = {case.number for case, _ in left}
        before = [
            [case.number, case.purpose]
            for case in cases
            if case.number not in stayed and case.purpose != params["purpose"]
        ]
        return Done(before, [(case.number, why) for case, why in left], {"changed": len(before)})

    def back(self, by: User, project: Project, lines: Before) -> LeftOut:
        left_out: LeftOut = []
        for purpose in sorted({line[1] for line in lines}):
            numbers = [line[0] for line in lines if line[1] == purpose]
            cases = list(project.cases.filter(number__in=numbers))
            left = purposes.set_purpose(by=by, project=project, cases=cases, purpose=purpose)
            left_out += [(case.number, why) for case, why in left]
        return left_out


ACTS: dict[str, Act] = {
    "assign": Assign(),
    "adjudicators": Adjudicators(),
    "unassign": Unassign(),
    "reassign": Reassign(),
    "priority": Priority(),
    "due": Due(),
    "purpose": Purpose(),
}


def _people(project: Project, ids: Collection[str], name: str = "readers") -> list[User]:
    """Readers of the project, in the order of their names. Raises ValidationError."""
    found = list(possible_readers(project).filter(public_id__in=ids))
    if not ids or not found:
        raise ValidationError({name: "Choose at least one reader."})
    if len(found) < len(set(ids)):
        raise ValidationError({name: "One of the chosen is not a reader of this project."})
    return found


def _cases(project: Project, cases: Collection[Case]) -> QuerySet[Case]:
    return Case.objects.filter(project=project, pk__in=[case.pk for case in cases])


def _open_reads(project: Project, cases: Collection[Case]) -> QuerySet[Read]:
    """Locked, with all that a line about one needs."""
    reads = Read.objects.filter(
        case__in=[case.pk for case in cases],
        case__project=project,
        kind=Read.Kind.READ,
        state__in=machine.OPEN,
    )
    return locked(reads).order_by("case__number", "pk")


def _reads(project: Project, ids: Collection[str]) -> list[Read]:
    reads = Read.objects.filter(public_id__in=ids, case__project=project)
    return list(locked(reads).order_by("case__number", "pk"))


def _without_opened(reads: list[Read]) -> LeftOut:
    """Takes those out of the list that their readers have opened; says which."""
    free = set(untouched_reads().filter(pk__in=[read.pk for read in reads]).values_list("pk", flat=True))
    left_out = [(read.case.number, giving.OPENED) for read in reads if read.pk not in free]
    reads[:] = [read for read in reads if read.pk in free]
    return left_out


def _told(own: Collection[Case]) -> LeftOut:
    return [(case.number, giving.YOU_READ_IT) for case in own]


def _day(day: datetime.date | None) -> str | None:
    return day.isoformat() if day else None
