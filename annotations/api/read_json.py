"""The JSON of a read and of its marks; `shapes` describes it."""

import base64
from collections.abc import Iterable
from typing import Any

from django.db.models import Prefetch
from django.urls import reverse

from accounts.models import User
from annotations.api.adjudication_json import adjudication_json
from annotations.api.hanging_json import hanging_json
from annotations.api.imported_json import imported_json
from annotations.api.review_json import review_json
from annotations.api.schema_json import schema_json
from annotations.models import Case, Read, ReadingDesign
from annotations.reading import leases, policies
from annotations.reading.designs import design_of
from annotations.reading.journal import Gesture, Line, State
from annotations.reading.measurements import Measurement
from annotations.reading.reads import next_read
from annotations.reading.shown import shown_series
from atlas.models import Series, Study

CASE_READERS = (policies.Capacity.READER, policies.Capacity.FELLOW)


def read_json(user: User, read: Read, rights: policies.Rights) -> dict[str, Any]:
    """What the reading room needs to begin. The same number of queries for any number of studies."""
    studies = _studies(read)
    project, subject = read.case.project, read.case.subject
    design = design_of(project)
    # Of a hidden reference nobody is told; a training case says so, for its reader has something to learn.
    is_training = rights.capacity is policies.Capacity.READER and read.case.purpose == Case.Purpose.TRAINING
    withheld = policies.are_proposals_withheld(read, rights.capacity)
    ages = [study.age_years for study in studies if study.age_years is not None]
    return {
        "id": read.public_id,
        "kind": read.kind,
        "state": read.state,
        "round": read.round,
        "you": {
            "id": user.public_id,
            "name": user.display_name,
            "initials": user.initials,
            "capacity": rights.capacity,
            "may_edit": rights.may_edit,
            "may_submit": rights.may_submit,
            "may_judge": rights.may_judge,
        },
        "reader": {"name": read.reader.display_name, "initials": read.reader.initials},
        "project": {
            "slug": project.slug,
            "name": project.name,
            "url": reverse("project", args=[project.slug]),
        },
        "case": {"number": read.case.number, "title": read.case.title},
        "subject": {
            "pseudonym": subject.pseudonym,
            "sex": subject.sex or None,
            "age_years": ages[0] if ages else None,
        },
        "schema": schema_json(read),
        "studies": studies_json(studies),
        "hanging": hanging_json(read, studies),
        "is_blind": design.blind,
        "is_training": is_training,
        "lease": _lease_json(read, rights),
        "proposals": {
            "shown": design.proposals,
            "withheld": withheld and design.proposals != ReadingDesign.Proposals.BEFORE,
            "unaided_number": read.unaided_edit_number,
        },
        "imported": [] if withheld else imported_json(read),
        **review_json(user, read),
        **_fellows_json(user, read, rights, design),
        "adjudication": _adjudication_json(read, rights),
        "worklist_url": reverse("worklist"),
        "next": _next_json(next_read(user, after=read)),
    }


def _lease_json(read: Read, rights: policies.Rights) -> dict[str, Any] | None:
    """Of a case taken from the queue, for its reader."""
    if read.lease_until is None or not rights.may_edit:
        return None
    return {"until": read.lease_until, "ran_out": leases.has_run_out(read)}


def _adjudication_json(read: Read, rights: policies.Rights) -> dict[str, Any] | None:
    """Under way only its adjudicator sees it; of a read there is none."""
    seen = read.kind == Read.Kind.ADJUDICATION and rights.may_see_marks
    return adjudication_json(read, rights) if seen else None


def row_json(user: User, read: Read, led: set[int], reviewed: set[int], read_too: set[int]) -> dict[str, Any]:
    """One line of a list. Primary keys: of the projects that the user leads, and those that they review in;
    of the cases that they read themselves now."""
    capacity = policies.Capacity.REVIEWER
    if read.reader_id == user.pk:
        capacity = policies.Capacity.READER
    elif read.case_id in read_too or read.case.project_id not in reviewed:
        capacity = policies.Capacity.FELLOW
    elif read.case.project_id in led:
        capacity = policies.Capacity.LEAD
    return {
        "id": read.public_id,
        "url": reverse("read", args=[read.public_id]),
        "state": read.state,
        "round": read.round,
        "capacity": capacity,
        "project": read.case.project.slug,
        "case": read.case.number,
        "reader": read.reader.display_name,
        "due": read.due,
        "changed_at": read.changed_at,
    }


def _fellows_json(user: User, read: Read, rights: policies.Rights, design: ReadingDesign) -> dict[str, Any]:
    """Where readers work in the open: the reads of this case that this reader may go to and fro between."""
    reads = policies.own_reads(user) | policies.reads_of_fellows(user)
    open_to = () if design.blind or rights.capacity not in CASE_READERS else reads.filter(case=read.case_id)
    listed = open_to and open_to.filter(kind=Read.Kind.READ).select_related("reader").order_by("pk")
    found: dict[str, Any] = {
        "fellows": [
            {
                "read": one.public_id,
                "url": reverse("read", args=[one.public_id]),
                "name": one.reader.display_name,
                "is_yours": one.reader_id == user.pk,
            }
            for one in listed
        ]
    }
    if rights.capacity is policies.Capacity.FELLOW:
        found["review"] = None  # what a reviewer wrote is for the read's reader
    return found


# Images -----------------------------------------------------------------------------------------


def _studies(read: Read) -> list[Study]:
    """In the order of the case, each with the series that can be shown."""
    shown = shown_series()
    studies = Study.objects.filter(case_studies__case=read.case_id).order_by("case_studies__position")
    return list(studies.prefetch_related(Prefetch("series", queryset=shown, to_attr="shown_series")))


def studies_json(studies: list[Study]) -> list[dict[str, Any]]:
    dates = [study.date for study in studies if study.date]
    first = min(dates) if dates else None
    return [
        {
            "id": study.public_id,
            "uid": study.study_instance_uid,
            "date": study.date,
            "description": study.description,
            "days_from_first": (study.date - first).days if study.date and first else None,
            "series": [_series_json(series) for series in study.shown_series],  # type: ignore[attr-defined]
        }
        for study in studies
    ]


def _series_json(series: Series) -> dict[str, Any]:
    return {
        "id": series.public_id,
        "uid": series.series_instance_uid,
        "number": series.number,
        "modality": series.modality,
        "description": series.description,
        "images": series.frame_count,
        "generation": series.generation,
        "thumbnail": f"/thumbnails/{series.public_id}/{series.generation}",
        "manifest": manifest_url(series.public_id),
        "findings": series.findings,
    }


def manifest_url(series_id: str) -> str:
    return f"/api/v1/series/{series_id}/manifest/"


def _next_json(read: Read | None) -> dict[str, Any] | None:
    if read is None:
        return None
    series = shown_series().filter(study__case_studies__case=read.case_id)
    in_order = series.order_by("study__case_studies__position", "number", "id")
    return {
        "read": read.public_id,
        "url": reverse("read", args=[read.public_id]),
        "series": [manifest_url(public_id) for public_id in in_order.values_list("public_id", flat=True)],
    }


# Marks ------------------------------------------------------------------------------------------


def state_json(state: State) -> dict[str, Any]:
    return {
        "number": state.number,
        "annotations": [
            {"id": str(mark.annotation_id), "version": mark.version, "value": mark.value}
            for mark in state.annotations
        ],
        "planes": [
            {
                "annotation": str(plane.annotation_id),
                "sop": plane.sop_instance_uid,
                "frame": plane.frame_number,
                "version": plane.version,
                "rle": base64.b64encode(plane.runs).decode(),
                "rows": plane.rows,
                "columns": plane.columns,
            }
            for plane in state.planes
        ],
        "answers": [
            {"id": str(answer.identity), "version": answer.version, "value": answer.value}
            for answer in state.answers
        ],
    }


def gestures_json(listed: Iterable[Line], more: bool) -> dict[str, Any]:
    return {
        "more": more,
        "groups": [
            {
                "group": str(line.group),
                "inverts": str(line.inverts) if line.inverts else None,
                "labels_version": line.labels_version,
                "number": line.number,
                "at": line.at.isoformat(),
                "changes": [
                    {
                        "annotation": str(change.annotation_id),
                        "what": change.what,
                        "value": change.value,
                        "slices": change.slices,
                    }
                    for change in line.changes
                ],
            }
            for line in listed
        ],
    }


def history_json(gestures: Iterable[Gesture], number: int) -> dict[str, Any]:
    return {
        "number": number,
        "groups": [
            {
                "group": str(gesture.group),
                "inverts": str(gesture.inverts) if gesture.inverts else None,
                "labels_version": gesture.labels_version,
                "at": gesture.at.isoformat(),
                "edits": [
                    {
                        "number": edit.number,
                        "object": _object_json(edit),
                        "version": edit.version,
                        "before": edit.before,
                        "after": edit.after,
                    }
                    for edit in gesture.edits
                ],
            }
            for gesture in gestures
        ],
    }


def _object_json(edit: Any) -> dict[str, Any]:
    target: dict[str, Any] = {"annotation": str(edit.annotation_id)}
    if edit.frame_number:
        target |= {"sop": edit.sop_instance_uid, "frame": edit.frame_number}
    return target


def measurement_json(found: Measurement) -> dict[str, Any]:
    return {
        "annotation": found.annotation,
        "kind": found.kind,
        "label": found.label,
        "series": found.series,
        "estimated": found.estimated,
        "problem": found.problem,
        **found.numbers,
    }
