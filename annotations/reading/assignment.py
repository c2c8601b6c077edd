"""Assignment: who reads which case, by when."""

import datetime
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, QuerySet

from accounts import audit, permissions, revocation
from accounts.models import AuditRecord, User
from annotations.models import Case, LabelSchema, Read, Review
from annotations.reading.broadcasts import announce_cases
from annotations.reading.projects import untouched_reads
from annotations.reading.schemas import current_schema
from atlas.models import Project

audit.register("reads.assigned", "read.unassigned")

OPEN = (Read.State.ASSIGNED, Read.State.IN_PROGRESS, Read.State.RETURNED)


@dataclass(frozen=True)
class Assigned:
    """`there`: reads that existed before. `not_blind`: pairs left out because the person saw another's marks.
    `short`: cases that got fewer readers than asked for."""

    made: int
    there: int = 0
    not_blind: int = 0
    short: int = 0


def possible_readers(project: Project) -> QuerySet[User]:
    return permissions.holders_of("read_cases", project).order_by("last_name", "first_name", "username")


def open_reads_by_reader(project: Project) -> Counter[int]:
    """Reads that are not handed in, by the reader's primary key."""
    rows = (
        Read.objects.filter(case__project=project, state__in=OPEN)
        .values_list("reader")
        .annotate(n=Count("pk"))
    )
    return Counter(dict(rows))


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

    Who has a read on a case already keeps it. Who saw someone else's marks on a case doesn't read it.
    Raises ValidationError where there are no labels, no cases or no readers, or a reader isn't one.
    """
    schema = _checked(by, project, cases, readers, due)
    there, barred_from = _readers_of(cases), _not_blind_to(cases)
    wanted, known, barred = [], 0, 0
    for case in cases:
        for reader in readers:
            if reader.pk in there.get(case.pk, ()):
                known += 1
            elif reader.pk in barred_from.get(case.pk, ()):
                barred += 1
            else:
                wanted.append((case, reader))
    return Assigned(_write(by, project, schema, wanted, due), known, barred)


@transaction.atomic
def assign_balanced(
    *,
    by: User,
    project: Project,
    cases: Collection[Case],
    readers: Sequence[User],
    readers_per_case: int,
    due: datetime.date | None = None,
) -> Assigned:
    """Fill each case up to so many readers, always with those who have the fewest open reads.

    Readers a case has already count. Raises ValidationError as `assign`.
    """
    schema = _checked(by, project, cases, readers, due)
    if not 1 <= readers_per_case <= len(readers):
        raise ValidationError(
            {"readers_per_case": f"Between 1 and {len(readers)}, the number of readers you chose."}
        )
    there, barred_from = _readers_of(cases), _not_blind_to(cases)
    load = open_reads_by_reader(project)
    wanted: list[tuple[Case, User]] = []
    known, short, barred = 0, 0, 0
    for case in sorted(cases, key=lambda case: case.number):
        have = there.get(case.pk, set())
        known += len(have)
        missing = max(readers_per_case - len(have), 0)
        not_yet = [reader for reader in readers if reader.pk not in have]
        free = [reader for reader in not_yet if reader.pk not in barred_from.get(case.pk, ())]
        barred += len(not_yet) - len(free)
        chosen = sorted(free, key=lambda reader: (load[reader.pk], reader.pk))[:missing]
        for reader in chosen:
            load[reader.pk] += 1
            wanted.append((case, reader))
        short += len(chosen) < missing
    return Assigned(_write(by, project, schema, wanted, due), known, barred, short)


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
    audit.record(by, "read.unassigned", read, reader=read.reader_id, case=read.case_id)
    announce_cases(project, [read.case.number])
    read.delete()
    revocation.announce()


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
    if due is not None and due < datetime.datetime.now(tz=datetime.UTC).date():
        raise ValidationError({"due": "This day has passed."})
    schema = current_schema(project)
    if schema is None:
        raise ValidationError("Write the labels first: a read without labels has nothing to mark.")
    return schema


def _readers_of(cases: Collection[Case]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    pairs = Read.objects.filter(case__in=[case.pk for case in cases]).values_list("case_id", "reader_id")
    for case_id, reader_id in pairs:
        found.setdefault(case_id, set()).add(reader_id)
    return found


def _not_blind_to(cases: Collection[Case]) -> dict[int, set[int]]:
    """Who saw or judged someone else's marks on a case can't read it blind any more."""
    case_ids = [case.pk for case in cases]
    found: dict[int, set[int]] = {}
    judged = Review.objects.filter(submission__read__case__in=case_ids)
    for case_id, person in judged.values_list("submission__read__case_id", "by_id"):
        found.setdefault(case_id, set()).add(person)
    case_of_read = dict(Read.objects.filter(case__in=case_ids).values_list("pk", "case_id"))
    seen = AuditRecord.objects.filter(verb="read.marks_seen", object_type="read", object_id__in=case_of_read)
    for read_id, person in seen.order_by().values_list("object_id", "actor_id").distinct():
        if read_id is not None and person is not None:
            found.setdefault(case_of_read[read_id], set()).add(person)
    return found


def _write(
    by: User,
    project: Project,
    schema: LabelSchema,
    wanted: list[tuple[Case, User]],
    due: datetime.date | None,
) -> int:
    if not wanted:
        return 0
    Read.objects.bulk_create(
        [Read(case=case, reader=reader, schema=schema, due=due, assigned_by=by) for case, reader in wanted],
        batch_size=2000,
    )
    audit.record(by, "reads.assigned", project, reads=len(wanted))
    announce_cases(project, sorted({case.number for case, _ in wanted}))
    return len(wanted)
