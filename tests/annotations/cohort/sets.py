"""Releases for tests of what trainers are given: several cases of one study, in chosen parts."""

import gzip
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

import nibabel as nib
import numpy as np

from annotations.cohort import releases, writer
from annotations.cohort.releases import Choice
from annotations.models import Case, CaseStudy, Read, Release, ReleaseCase, ReleaseFile
from annotations.reading.journal.answers import answer_id
from atlas.archive.storage import storage
from tests.annotations.cohort.conftest import Cohort

NAMES = UUID("5b3d3d0c-6c0e-4f0e-8f39-0d4a0a4c9a10")


def another_case(cohort: Cohort, number: int) -> Case:
    """Of the same subject and study."""
    case = Case.objects.create(project=cohort.project, subject=cohort.case.subject, number=number)
    CaseStudy.objects.create(case=case, study=cohort.case.studies.get(), position=1)
    return case


def outline(
    cohort: Cohort, read: Read, name: str, label: str, voxels: np.ndarray | None, state: str = "present"
) -> UUID:
    """A segment, bool[slices, rows, columns]; None for one without voxels."""
    identity = uuid5(NAMES, name)
    cohort.mark(read, identity, cohort.segment(label, state=state))
    if voxels is not None:
        for index in np.flatnonzero(voxels.any(axis=(1, 2))):
            cohort.plane(read, identity, int(index), voxels[index])
    return identity


def figure(cohort: Cohort, read: Read, name: str, label: str, kind: str, index: int, points: list) -> UUID:
    """On slice `index`; points are (column, row) in pixels."""
    frame = cohort.converted.source.frames[index]
    along_row, down_column, _ = frame.axes
    placed = [
        (
            np.array(frame.position)
            + (column - 0.5) * frame.column_mm * along_row
            + (row - 0.5) * frame.row_mm * down_column
        ).tolist()
        for column, row in points
    ]
    identity = uuid5(NAMES, name)
    value = cohort.segment(label) | {
        "kind": kind,
        "sop": frame.key.sop_instance_uid,
        "frame": 1,
        "frame_of_reference": cohort.converted.source.frame_of_reference_uid,
        "points_patient_mm": placed,
    }
    cohort.mark(read, identity, value)
    return identity


def state_label(cohort: Cohort, read: Read, label: str, state: str) -> None:
    """Said of the case as a whole."""
    value = {"of": "label", "id": label, "answer": "state", "value": state}
    cohort.mark(read, answer_id(of="label", about=label, answer="state"), value)


def require_labels(cohort: Cohort, *keys: str) -> None:
    labels = [label | {"required": label["key"] in keys} for label in cohort.schema.labels]
    type(cohort.schema).objects.filter(pk=cohort.schema.pk).update(labels=labels)
    cohort.schema.refresh_from_db()


def released(
    cohort: Cohort,
    *formats: str,
    parts: Mapping[int, str] | None = None,
    folds: Mapping[int, int] | None = None,
    sequestered: str = "nothing",
    content: Release.Content = Release.Content.BOTH,
) -> Release:
    """Frozen and written; `parts` and `folds` by number of case."""
    choice = Choice(title="First look", licence="CC BY 4.0", formats=formats, content=content)
    release = releases.freeze(by=cohort.people["lead"], project=cohort.project, choice=choice)
    Release.objects.filter(pk=release.pk).update(sequestered=sequestered)
    for number, part in (parts or {}).items():
        ReleaseCase.objects.filter(release=release, number=number).update(part=part)
    for number, fold in (folds or {}).items():
        ReleaseCase.objects.filter(release=release, number=number).update(part="train", fold=fold)
    for case_id in release.release_cases.values_list("case", flat=True):
        writer.write_case(release.pk, case_id)
    writer.finish(release.pk)
    release.refresh_from_db()
    assert (release.problem, release.state) == ("", Release.State.READY)
    return release


def paths(release: Release, start: str = "") -> list[str]:
    return sorted(release.files.filter(path__startswith=start).values_list("path", flat=True))


def content(release: Release, path: str) -> bytes:
    with storage().open(ReleaseFile.objects.get(release=release, path=path).object_key) as file:
        return file.read()


def document(release: Release, path: str) -> Any:
    return json.loads(content(release, path))


def volume(release: Release, path: str) -> nib.Nifti1Image:
    return nib.Nifti1Image.from_bytes(gzip.decompress(content(release, path)))
