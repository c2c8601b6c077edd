"""What a case is for: to be read, to test its readers without their knowing, or to train them.

A hidden reference and a training case have a truth to compare reads with: the reference standard of the case,
or what came with its images, which then becomes its reference standard.
"""

import base64
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import batched
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from accounts import audit, permissions
from accounts.models import User
from annotations.models import (
    Case,
    ImportedMark,
    ImportedSegment,
    Read,
    ReferenceStandard,
    Submission,
)
from annotations.reading import following, journal, machine, policies
from annotations.reading.journal.appending import EDITS_MAX
from annotations.reading.proposals import label_of
from annotations.reading.schemas import current_schema
from atlas.models import Project

audit.register("case.purpose_set", "case.reference_taken_over")

NO_TRUTH = "It has no reference standard, and nothing came with its images that the labels know."
READS_IT = "You read this case yourself."
HAS_A_READ = "What came with its images would be taken over in your name, but you have read this case."


@transaction.atomic
def set_purpose(
    *, by: User, project: Project, cases: Collection[Case], purpose: str
) -> list[tuple[Case, str]]:
    """Set what these cases are for. Returns those that were left out, each with the reason.

    Readers hear nothing of it. Raises ValidationError for a purpose that is none, or a case of elsewhere.
    """
    permissions.require(by, "manage_project", project)
    if purpose not in Case.Purpose.values:
        raise ValidationError({"purpose": "To be read, hidden reference, or training."})
    if any(case.project_id != project.pk for case in cases):
        raise ValidationError({"cases": "A chosen case belongs to another project."})
    wanted = Case.objects.select_for_update(of=("self",)).filter(pk__in=[case.pk for case in cases])
    own = set(policies.cases_being_read_by(by).filter(project=project).values_list("pk", flat=True))
    left_out: list[tuple[Case, str]] = []
    for case in wanted.select_related("project").order_by("number"):
        why = READS_IT if case.pk in own else _why_not(by, case, purpose)
        if why:
            left_out.append((case, why))
        elif case.purpose != purpose:
            case.purpose = purpose
            # What is known already needs nobody to settle it.
            case.needs_adjudication &= purpose == Case.Purpose.ORDINARY
            case.save(update_fields=["purpose", "needs_adjudication"])
            audit.record(by, "case.purpose_set", case, purpose=purpose)
            following.compare_soon(case)
    return left_out


def count_by_purpose(user: User, project: Project) -> Counter[str]:
    """How many cases serve which purpose, leaving out those that this person is reading themselves."""
    own = policies.cases_being_read_by(user).filter(project=project).values("pk")
    cases = Case.objects.filter(project=project).exclude(pk__in=own).order_by()
    return Counter(dict(cases.values_list("purpose").annotate(n=Count("pk"))))


def _why_not(by: User, case: Case, purpose: str) -> str:
    """Empty where the case may serve this purpose; then it has a reference standard if it needs one."""
    if purpose == Case.Purpose.ORDINARY or ReferenceStandard.objects.filter(case=case).exists():
        return ""
    try:
        with transaction.atomic():  # what was begun of a reference that can't be taken over doesn't stay
            _take_over(by, case)
    except ValidationError as refusal:
        return refusal.messages[0]
    return ""


# What came with the images becomes the reference standard ----------------------------------------


def _take_over(by: User, case: Case) -> None:
    """As an adjudication by this person, that nobody has to draw. Raises ValidationError."""
    schema = current_schema(case.project)
    edits = list(_edits(case, schema.labels)) if schema else []
    if not edits or schema is None:
        raise ValidationError(NO_TRUTH)
    if Read.objects.filter(case=case, reader=by).exists():
        raise ValidationError(HAS_A_READ)
    judged = Read.objects.filter(case=case, kind=Read.Kind.ADJUDICATION)
    if judged.exclude(state=Read.State.SET_ASIDE).exists():
        raise ValidationError("This case is being adjudicated.")
    read = Read.objects.create(
        case=case, reader=by, kind=Read.Kind.ADJUDICATION, schema=schema, assigned_by=by
    )
    for batch in batched(edits, EDITS_MAX):
        results, _ = journal.append(user=by, read_id=read.public_id, edits=list(batch))
        refused = next((one["reason"] for one in results if one["status"] != "applied"), None)
        if refused:
            raise ValidationError(f"What came with its images can't be taken over: {refused}")
    read.refresh_from_db()
    number = read.last_edit_number
    submission = Submission.objects.create(read=read, round=1, edit_number=number, by=by)
    machine.move(read, "submit")
    audit.record(by, "case.reference_taken_over", case, read=read.pk, edit_number=number)
    following.followed(submission)


def _edits(case: Case, labels: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """One mark for each segment and shape whose label the schema knows, as the reading room would send it."""
    kinds = {label["key"]: set(label["kinds"]) for label in labels}
    for segment in policies.segments_offered(case.pk).select_related("series").order_by("pk"):
        key = label_of(labels, segment.label, segment.type_code)
        if key is None or "segment" not in kinds[key]:
            continue
        annotation, group = str(uuid4()), str(uuid4())
        value = _value(segment, "segment", key)
        yield _edit(annotation, group, value)
        for plane in segment.planes.order_by("pk").iterator(chunk_size=200):
            rle = base64.b64encode(bytes(plane.runs)).decode()
            voxels = {"rle": rle, "rows": plane.rows, "columns": plane.columns}
            yield _edit(annotation, group, voxels, sop=plane.sop_instance_uid, frame=plane.frame_number)
    here = ImportedMark.objects.filter(series__study__case_studies__case=case)
    marks: QuerySet[ImportedMark] = here.select_related("series")
    for mark in marks.order_by("derived", "number"):
        key = label_of(labels, mark.label, mark.type_code)
        if key is not None and mark.kind in kinds[key]:
            yield _edit(str(uuid4()), str(uuid4()), _value(mark, mark.kind, key) | mark.place)


def _value(imported: ImportedSegment | ImportedMark, kind: str, label: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "label": label,
        "series": imported.series.public_id,
        "state": "present",
        "note": "",
        "origin": {"from": "imported", "imported": imported.public_id},
    }


def _edit(annotation: str, group: str, value: dict[str, Any], **place: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "group": group,
        "inverts": None,
        "at": timezone.now().isoformat(),
        "object": {"annotation": annotation} | place,
        "seen": 0,
        "value": value,
    }
