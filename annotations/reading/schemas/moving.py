"""Open reads follow a new version: what they hold is mapped by edits of their own group, and nothing is lost.

A read moves under the lock of its journal. What was handed in stays at the version it was read under, and so
does an adjudication. A read that holds something nobody decided about stays where it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit
from accounts.models import User
from annotations.models import Annotation, Edit, LabelSchema, Read
from annotations.reading.broadcasts import tell_read
from annotations.reading.journal.answers import annotation_of, is_answer
from annotations.reading.journal.mapping import Mapper, Undecided, group_of_change, mapper_to
from atlas.models import Project

audit.register("read.labels_moved")

MOVE_READS = "move_reads"  # the job in annotations.tasks


def open_reads(project: Project) -> QuerySet[Read]:
    """Reads that their readers may still change."""
    return Read.objects.filter(case__project=project, kind=Read.Kind.READ, state__in=Read.EDITABLE)


def behind(schema: LabelSchema) -> QuerySet[Read]:
    """Open reads that follow an earlier version."""
    return open_reads(schema.project).filter(schema__version__lt=schema.version)


def move_reads(schema_id: int, by_id: int) -> tuple[int, int]:
    """Move all open reads of the project to this version, one transaction a read. Returns how many moved, and
    how many stay for want of a decision. Running it twice changes nothing."""
    schema = LabelSchema.objects.select_related("project").get(pk=schema_id)
    by = User.objects.get(pk=by_id)
    mapper = mapper_to(schema)
    done = [
        _move(pk, schema, mapper, by) for pk in behind(schema).order_by("pk").values_list("pk", flat=True)
    ]
    return done.count(True), done.count(False)


@dataclass(frozen=True)
class _Step:
    """A new value of one object; None: nothing."""

    identity: UUID
    value: dict[str, Any] | None


@transaction.atomic
def _move(read_id: int, schema: LabelSchema, mapper: Mapper, by: User) -> bool | None:
    """None: it needs no move any more."""
    read = Read.objects.select_for_update().get(pk=read_id)  # joined to nothing that may change meanwhile
    if read.state not in Read.EDITABLE or read.schema.version >= schema.version:
        return None
    rows = {row.annotation_id: row for row in Annotation.objects.filter(read=read).order_by("pk")}
    try:
        steps = list(_steps(rows, mapper))
    except Undecided:
        return False
    number = _write(read, schema, rows, steps, by)
    Read.objects.filter(pk=read.pk).update(schema=schema, last_edit_number=number)
    audit.record(by, "read.labels_moved", read, version=schema.version, edits=len(steps))
    tell_read(read, {"type": "schema", "version": schema.version})
    return True


def _steps(rows: dict[UUID, Annotation], mapper: Mapper) -> Iterator[_Step]:
    """Raises Undecided."""
    values = {identity: row.value for identity, row in rows.items() if row.value is not None}
    left_out = set()
    for identity, value in values.items():
        if is_answer(value):
            continue
        mapped = mapper.mark(value)
        if mapped is None:
            left_out.add(identity)
        if mapped != value:
            yield _Step(identity, mapped)
    taken = set(values)
    for identity, value in values.items():
        if not is_answer(value):
            continue
        # What was answered about a mark goes with it.
        found = None if annotation_of(value) in left_out else mapper.answer(value)
        if found == (identity, value):
            continue
        if found is None or found[0] != identity:
            yield _Step(identity, None)
        # Where the other question has an answer already, that one stands.
        if found is not None and (found[0] == identity or found[0] not in taken):
            taken.add(found[0])
            yield _Step(*found)


def _write(
    read: Read, schema: LabelSchema, rows: dict[UUID, Annotation], steps: list[_Step], by: User
) -> int:
    """Append the edits and bring the projection up to date: three statements, however many marks."""
    group, now = group_of_change(read, schema.version), timezone.now()
    edits, changed, new = [], [], []
    for number, step in enumerate(steps, start=read.last_edit_number + 1):
        row = rows.get(step.identity)
        if row is None:
            row = Annotation(read=read, annotation_id=step.identity, schema=schema, version=0)
            new.append(row)
        else:
            changed.append(row)
        row.version += 1
        row.value = step.value
        edits.append(
            Edit(
                read=read,
                number=number,
                edit_id=uuid4(),
                group=group,
                by=by,
                annotation_id=step.identity,
                version=row.version,
                value=step.value,
                drawn_at=now,
            )
        )
    Edit.objects.bulk_create(edits)
    # A mark keeps the version it was made under: `schema` stays.
    Annotation.objects.bulk_update(changed, ["version", "value"])
    Annotation.objects.bulk_create(new)
    return read.last_edit_number + len(edits)
