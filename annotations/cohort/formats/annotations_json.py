"""Every mark of a read as JSON, complete: also what could not be written otherwise, and why.

cases/0314/<reader>/annotations.json
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from annotations.cohort.formats.nifti import image_path
from annotations.cohort.formats.originals import originals_path
from annotations.cohort.formats.places import Places, places_of
from annotations.cohort.formats.plan import Format, PlannedFile
from annotations.cohort.formats.rtstruct import why_none
from annotations.cohort.images import StoredSeries
from annotations.cohort.material import CaseMaterial, ReadMaterial, accepted_at, reader_identifier
from annotations.exchange.nifti import NiftiWriter
from annotations.exchange.tables import as_json, mark_as_json
from annotations.models import Read, ReferenceStandard
from annotations.reading.adjudication.telling import decisions_of
from annotations.reading.proposals import proposals

COORDINATES = (
    "points_patient_mm: patient millimetres, LPS. points_image: (column, row) in pixels, the centre of the "
    "first pixel is (0.5, 0.5). Frames count from 1."
)


class AnnotationsJson(Format):
    key, title, holds = "json", "Annotations", "JSON, every mark of a read in millimetres"

    def of_case(self, case: CaseMaterial) -> Iterator[PlannedFile]:
        places = case.once(places_of)
        for read in case.reads:
            content = as_json(_document(case, read, places))
            yield PlannedFile(
                f"{read.folder}/annotations.json",
                lambda stream, content=content: stream.write(content),  # type: ignore[misc]
                read=read.pinned,
            )


def _document(case: CaseMaterial, read: ReadMaterial, places: Places) -> dict[str, Any]:
    of, project, submission = read.submission.read, case.release.project, read.submission
    return {
        "format": "atlas annotations",
        "version": 1,
        "coordinates": COORDINATES,
        "release": {"project": project.slug, "number": case.release.number},
        "case": {
            "number": case.case.number,
            "subject": case.case.subject.pseudonym,
            "sex": case.case.subject.sex,
        },
        "read": {
            "reader": read.reader,
            "is_reference": read.pinned.is_reference,
            "round": submission.round,
            "edit_number": read.state.number,
            "submitted_at": submission.at.isoformat(),
            "accepted_at": accepted_at(submission).isoformat(),
        },
        **_reference(case, read),
        "schema": {
            "version": of.schema.version,
            "labels": of.schema.labels,
            "questions": of.schema.questions,
        },
        "series": [_series_facts(case, read, stored) for stored in case.stored.values()],
        "answers": read.answers,
        "proposals": [
            {
                "imported": one.imported,
                "kind": one.kind,
                "name": one.name,
                "origin": one.origin,
                "verdict": one.verdict,
                "at": one.at,
                "annotations": [
                    {"id": str(identity), "changed": is_changed}
                    for identity, is_changed in one.annotations.items()
                ],
            }
            for one in proposals(of, read.state)
        ],
        "annotations": [
            mark_as_json(mark, files=places.get((read.pinned.pk, str(mark.identity)), {}))
            for mark in read.marks
        ],
    }


def _series_facts(case: CaseMaterial, read: ReadMaterial, stored: StoredSeries) -> dict[str, Any]:
    nifti = case.nifti(stored)
    written = isinstance(nifti, NiftiWriter)
    return {
        "study_instance_uid": stored.series.study.study_instance_uid,
        "series_instance_uid": stored.series.series_instance_uid,
        "modality": stored.series.modality,
        "description": stored.series.description,
        "units": stored.source.units,
        "image": image_path(case, stored) if written and case.writes("nifti") else None,
        "no_nifti_because": "" if written else str(nifti),
        **({"original": originals_path(case, stored)} if case.writes("originals") else {}),
        **({"no_rtstruct_because": why_none(read, stored)} if case.writes("rtstruct") else {}),
    }


def _reference(case: CaseMaterial, read: ReadMaterial) -> dict[str, Any]:
    """How this reference standard came about, if it is one: from which reads, lesion by lesion."""
    standard = ReferenceStandard.objects.filter(case=case.case, submission=read.submission).first()
    if standard is None:
        return {}
    found: dict[str, Any] = {"how": standard.how}
    if read.submission.read.kind == Read.Kind.ADJUDICATION:
        identify = partial(reader_identifier, case.release)
        found |= decisions_of(read.submission.read, identify)
    return {"reference_standard": found}
