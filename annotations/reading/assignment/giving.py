"""Handing cases out: to each of some readers, evenly, or to those who read such cases best."""

import datetime
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit, permissions, revocation
from accounts.models import User
from annotations.models import Case, LabelSchema, Read, ReadingDesign
from annotations.reading.assignment import specialties
from annotations.reading.assignment.rules import (
    YOU_READ_IT,
    Standing,
    open_reads_by_reader,
    possible_readers,
    standing_of,
    without_own,
)
from annotations.reading.broadcasts import announce_cases, announce_worklists
from annotations.reading.designs import design_of, readers_wanted
from annotations.reading.projects import untouched_reads
from annotations.reading.schemas import current_schema
from atlas.models import Project

audit.register("reads.assigned", "read.unassigned")

PLACES = 2**31 - 1
NOT_BLIND = "{name} has judged it, or has seen another reader's marks."
TOO_FEW = "Too few readers could take it."
OPENED = "Opened by its reader: set it aside, or hand it over."


@dataclass(frozen=True)
class Assigned:
    """`there`: reads that existed before. `not_blind`: pairs left out because the person judged the case, or
    saw another's marks. `short`: cases that got fewer readers than asked for. `own`: cases that the lead
    reads. `reads`: public ids of those made. `left_out`: number of the case, and why."""

    made: int
    there: int = 0
    not_blind: int = 0
    short: int = 0
    own: int = 0
    reads: tuple[str, ...] = ()
    left_out: tuple[tuple[int, str], ...] = ()


@transaction.atomic
def assign(
    *,
    by: User,
    project: Project,
    cases: Collection[Case],
    readers: Sequence[User],
    due: datetime.date | None = None,
) -> Assigned:
    """Each of these readers reads each of these cases.

    Who has a read on a case already keeps it. Who judged a case, or saw someone else's marks on it, doesn't
    read it. Raises ValidationError where there are no labels, no cases or no readers, or a reader isn't one.
    """
    schema = _checked(by, project, cases, readers, due)
    giving = _Giving(by, project, cases)
    for case in giving.cases:
        for reader in readers:
            giving.give(case, reader)
    return giving.write(schema, due)


@transaction.atomic
def assign_balanced(
    *,
    by: User,
    project: Project,
    cases: Collection[Case],
    readers: Sequence[User],
    readers_per_case: int | None = None,
    due: datetime.date | None = None,
) -> Assigned:
    """Fill each case up to so many readers, always with those who have the fewest open reads; without a
    number up to as many as the project's design wants.

    Readers a case has already count. Raises ValidationError as `assign`.
    """
    schema = _checked(by, project, cases, readers, due)
    if readers_per_case is not None and not 1 <= readers_per_case <= len(readers):
        raise ValidationError(
            {"readers_per_case": f"Between 1 and {len(readers)}, the number of readers you chose."}
        )
    giving = _Giving(by, project, cases)
    giving.fill(readers, _wanted(project, readers_per_case), lambda case: [readers])
    return giving.write(schema, due)


@transaction.atomic
def assign_by_specialty(
    *,
    by: User,
    project: Project,
    cases: Collection[Case],
    readers: Sequence[User],
    readers_per_case: int | None = None,
    due: datetime.date | None = None,
) -> Assigned:
    """As `assign_balanced`, among those whose specialty a case is; where they are too few, among those
    without any specialty. Nobody gets a case that isn't theirs."""
    schema = _checked(by, project, cases, readers, due)
    giving = _Giving(by, project, cases)
    fit = specialties.Fit(project, giving.cases, readers)
    giving.fill(readers, _wanted(project, readers_per_case), lambda case: [fit.best(case), fit.without()])
    return giving.write(schema, due)


@transaction.atomic
def unassign(*, by: User, project: Project, read_id: str) -> None:
    """Take a read back, by its public id. Raises ValidationError once its reader has opened it."""
    permissions.require(by, "manage_project", project)
    read = (
        Read.objects.select_for_update(of=("self",))
        .select_related("case")
        .filter(public_id=read_id, case__project=project)
        .first()
    )
    if read is None:
        return  # taken back before: sending the form twice changes nothing
    if not untouched_reads().filter(pk=read.pk).exists():
        raise ValidationError(
            f"Case {read.case.number} was opened by its reader meanwhile; what they drew stays with them."
        )
    take_back(by, project, [read])


def take_back(by: User, project: Project, reads: Iterable[Read]) -> None:
    """Untouched reads, locked by the caller, with their cases."""
    numbers, people = [], set()
    for read in reads:
        audit.record(by, "read.unassigned", read, reader=read.reader_id, case=read.case_id)
        numbers.append(read.case.number)
        people.add(read.reader_id)
        read.delete()
    if numbers:
        announce_cases(project, numbers)
        announce_worklists(project, people)
        revocation.announce()


def write_reads(
    by: User,
    project: Project,
    schema: LabelSchema,
    wanted: Sequence[tuple[Case, User]],
    due: datetime.date | None,
    lease_until: datetime.datetime | None = None,
) -> list[Read]:
    """A read for each pair that `Standing.may_read`, each at a random place of its reader's own order."""
    made = Read.objects.bulk_create(
        [
            Read(
                case=case,
                reader=reader,
                schema=schema,
                due=due,
                assigned_by=by,
                lease_until=lease_until,
                place=secrets.randbelow(PLACES) + 1,
            )
            for case, reader in wanted
        ],
        batch_size=2000,
    )
    if made:
        announce_cases(project, sorted({case.number for case, _ in wanted}))
        announce_worklists(project, {reader.pk for _, reader in wanted})
    return made


class _Giving:
    """Pairs of case and reader, collected and written at once."""

    def __init__(self, by: User, project: Project, cases: Collection[Case]) -> None:
        self.by, self.project = by, project
        self.cases, own = without_own(by, project, sorted(cases, key=lambda case: case.number))
        self.standing: Standing = standing_of(project, self.cases)
        self.wanted: list[tuple[Case, User]] = []
        self.there = self.not_blind = self.short = 0
        self.own = len(own)
        self.left_out = [(case.number, YOU_READ_IT) for case in own]

    def give(self, case: Case, reader: User) -> bool:
        """Whether the reader gets the case."""
        if self.standing.is_there(case, reader):
            self.there += 1
        elif self.standing.is_barred(case, reader):
            self.not_blind += 1
            self.left_out.append((case.number, NOT_BLIND.format(name=reader.display_name)))
        else:
            self.wanted.append((case, reader))
            return True
        return False

    def fill(
        self,
        readers: Sequence[User],
        wanted_for: Callable[[Case], int],
        tiers_of: Callable[[Case], Sequence[Sequence[User]]],
    ) -> None:
        """Fill each case from the first tier of readers, then from the next."""
        load: Counter[int] = open_reads_by_reader(self.project)
        for case in self.cases:
            self.there += self.standing.filled[case.pk]
            self.not_blind += sum(
                self.standing.is_barred(case, one) and not self.standing.is_there(case, one)
                for one in readers
            )
            missing = max(wanted_for(case) - self.standing.filled[case.pk], 0)
            chosen: list[User] = []
            for tier in tiers_of(case):
                free = [one for one in tier if one not in chosen and self.standing.may_read(case, one)]
                free.sort(key=lambda one: (load[one.pk], one.pk))
                chosen += free[: missing - len(chosen)]
            for reader in chosen:
                load[reader.pk] += 1
                self.wanted.append((case, reader))
            if len(chosen) < missing:
                self.short += 1
                self.left_out.append((case.number, TOO_FEW))

    def write(self, schema: LabelSchema, due: datetime.date | None) -> Assigned:
        made = write_reads(self.by, self.project, schema, self.wanted, due)
        if made:
            audit.record(self.by, "reads.assigned", self.project, reads=len(made))
        return Assigned(
            made=len(made),
            there=self.there,
            not_blind=self.not_blind,
            short=self.short,
            own=self.own,
            reads=tuple(read.public_id for read in made),
            left_out=tuple(self.left_out),
        )


def _wanted(project: Project, readers_per_case: int | None) -> Callable[[Case], int]:
    if readers_per_case is not None:
        return lambda case: readers_per_case
    design: ReadingDesign = design_of(project)
    return lambda case: readers_wanted(case, design)


def _checked(
    by: User,
    project: Project,
    cases: Collection[Case],
    readers: Sequence[User],
    due: datetime.date | None,
) -> LabelSchema:
    permissions.require(by, "manage_project", project)
    Project.objects.select_for_update().get(pk=project.pk)
    if not cases:
        raise ValidationError({"cases": "Choose at least one case."})
    if any(case.project_id != project.pk for case in cases):
        raise ValidationError({"cases": "A chosen case belongs to another project."})
    if not readers:
        raise ValidationError({"readers": "Choose at least one reader."})
    allowed = set(possible_readers(project).values_list("pk", flat=True))
    for reader in readers:
        if reader.pk not in allowed:
            raise ValidationError({"readers": f"{reader.display_name} is not a reader of this project."})
    check_due(due)
    return schema_of(project)


def check_due(due: datetime.date | None) -> None:
    if due is not None and due < datetime.datetime.now(tz=datetime.UTC).date():
        raise ValidationError({"due": "This day has passed."})


def schema_of(project: Project) -> LabelSchema:
    schema = current_schema(project)
    if schema is None:
        raise ValidationError("Write the labels first: a read without labels has nothing to mark.")
    return schema
