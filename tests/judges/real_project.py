"""A project with real images, read and released: whatever series, whatever marks on them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.uid import generate_uid

from accounts import permissions
from accounts.models import Organisation
from annotations.cohort import releases, writer
from annotations.cohort.images import StoredSeries
from annotations.cohort.releases import Choice
from annotations.exchange.source import SourceFrame
from annotations.measures import masks
from annotations.models import (
    Case,
    CaseStudy,
    Edit,
    ImportedSegment,
    LabelSchema,
    Read,
    Release,
    ReleaseCase,
    Review,
    Submission,
)
from annotations.reading.journal.answers import answer_id
from atlas.archive.sources import Source
from atlas.archive.storage import storage
from atlas.archive.uploads import import_paths
from atlas.models import Dataset, Project, Series, Study
from tests.cast import person

NAMES = UUID("0c9e3b52-6f0e-4a3b-9a55-d7d3b4e7f2aa")

type Voxels = NDArray[np.bool_]


def label(key: str, name: str, kinds: Iterable[str] = ("segment",), code: str = "") -> dict[str, Any]:
    coded = {"value": code, "scheme": "SCT", "meaning": name} if code else None
    return {
        "key": key,
        "name": name,
        "color": "#f5a742",
        "kinds": list(kinds),
        "code": coded,
        "required": False,
    }


class RealProject:
    """Needs a database and storage of its own."""

    def __init__(self, *labels: dict[str, Any]) -> None:
        self.organisation = Organisation.objects.create(name="Nordhain", slug="nordhain", country="DE")
        self.dataset = Dataset.objects.create(
            organisation=self.organisation, name="All", slug="all", deidentification="already_done"
        )
        self.lead, self.reader = person("lead"), person("reader")
        self.project = Project.objects.create(
            organisation=self.organisation, name="Real images", slug="real-images", created_by=self.lead
        )
        permissions.grant(user=self.lead, role="lead", scope=self.project)
        self.schema = LabelSchema.objects.create(
            project=self.project, version=1, labels=list(labels), created_by=self.lead
        )

    def take_in(self, *files: Path) -> None:
        upload = import_paths(self.dataset, [_nameless(path) for path in files])
        assert list(upload.findings.values_list("reason", flat=True)) == []

    def read_of(self, number: int, study: Study) -> "RealRead":
        """A new case of one study, and one reader's read of it."""
        case = Case.objects.create(project=self.project, subject=study.subject, number=number)
        CaseStudy.objects.create(case=case, study=study, position=1)
        return RealRead(self, Read.objects.create(case=case, reader=self.reader, schema=self.schema))

    def release(self, folder: Path, *formats: str, parts: Mapping[int, str] | None = None) -> Release:
        """Frozen, written, and laid out in a folder as a scientist has it after a download."""
        choice = Choice(title="Real images", licence="CC BY 3.0", formats=formats)
        release = releases.freeze(by=self.lead, project=self.project, choice=choice)
        for number, part in (parts or {}).items():
            ReleaseCase.objects.filter(release=release, number=number).update(part=part)
        for case_id in release.release_cases.values_list("case", flat=True):
            writer.write_case(release.pk, case_id)
        writer.finish(release.pk)
        release.refresh_from_db()
        assert (release.problem, release.state) == ("", Release.State.READY)
        for file in release.files.all():
            target = folder / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            with storage().open(file.object_key) as stream:
                target.write_bytes(stream.read())
        return release


@dataclass
class RealRead:
    project: RealProject
    read: Read
    edits: int = 0

    def take_over(self, label_key: str, segment: ImportedSegment, state: str = "present") -> UUID:
        """A segment that came with the images, as it came."""
        identity = self._mark(label_key, segment.series, state, f"imported {segment.public_id}")
        for plane in segment.planes.all():
            self._edit(
                identity,
                sop_instance_uid=plane.sop_instance_uid,
                frame_number=plane.frame_number,
                runs=bytes(plane.runs),
                rows=plane.rows,
                columns=plane.columns,
            )
        return identity

    def segment(
        self, label_key: str, series: Series, planes: Mapping[int, Voxels], state: str = "present"
    ) -> UUID:
        """`planes`: bool[rows, columns] by slice, counted from 0 in display order; none for an empty one."""
        identity = self._mark(label_key, series, state, f"{label_key} {self.edits}")
        frames = StoredSeries(series).source.frames
        for index, plane in planes.items():
            self._edit(
                identity,
                sop_instance_uid=frames[index].key.sop_instance_uid,
                frame_number=frames[index].key.frame_number,
                runs=masks.encode(plane),
                rows=plane.shape[0],
                columns=plane.shape[1],
            )
        return identity

    def figure(self, label_key: str, series: Series, kind: str, index: int, points_image: list) -> UUID:
        """On one slice; points are (column, row) in pixels, the first centre at (0.5, 0.5)."""
        source = StoredSeries(series).source
        frame = source.frames[index]
        place: dict[str, Any] = {"sop": frame.key.sop_instance_uid, "frame": frame.key.frame_number}
        if frame.has_place:
            place["points_patient_mm"] = [patient_point(frame, *point) for point in points_image]
            place["frame_of_reference"] = source.frame_of_reference_uid
        else:
            place["points_image"] = points_image
        return self._mark(label_key, series, "present", f"{kind} {self.edits}", kind=kind, **place)

    def state_label(self, label_key: str, state: str) -> None:
        """Said of the case as a whole."""
        value = {"of": "label", "id": label_key, "answer": "state", "value": state}
        self._edit(answer_id(of="label", about=label_key, answer="state"), value=value)

    def accept(self) -> None:
        submission = Submission.objects.create(
            read=self.read, round=1, edit_number=self.edits, by=self.read.reader
        )
        Review.objects.create(submission=submission, verdict="accept", by=self.project.lead)
        Read.objects.filter(pk=self.read.pk).update(state=Read.State.ACCEPTED, last_edit_number=self.edits)

    def _mark(self, label_key: str, series: Series, state: str, name: str, **more: Any) -> UUID:
        identity = uuid5(NAMES, f"{self.read.case.number} {name}")
        value = {
            "kind": "segment",
            "label": label_key,
            "series": series.public_id,
            "state": state,
            "note": "",
            "origin": {"from": "reader"},
        }
        self._edit(identity, value=value | more)
        return identity

    def _edit(self, identity: UUID, **fields: Any) -> None:
        self.edits += 1
        Edit.objects.create(
            read=self.read,
            number=self.edits,
            edit_id=uuid5(NAMES, f"edit {self.read.pk} {self.edits}"),
            group=identity,
            by=self.read.reader,
            annotation_id=identity,
            version=1,
            drawn_at=datetime.now(tz=UTC),
            **fields,
        )


def _nameless(path: Path) -> Source:
    """Names and days of birth stand in some of the samples, and would be refused. Others lost their frame of
    reference when they were made anonymous; their positions are real, so they get one."""
    file = pydicom.dcmread(path)
    if "ImagePositionPatient" in file and not file.get("FrameOfReferenceUID"):
        file.FrameOfReferenceUID = generate_uid(entropy_srcs=[str(file.SeriesInstanceUID)])
    for element in file:
        if element.VR == "PN" or element.keyword == "PatientBirthDate":
            element.value = ""
    stream = BytesIO()
    file.save_as(stream)
    return Source(path.name, lambda: BytesIO(stream.getvalue()))


def patient_point(frame: SourceFrame, column: float, row: float) -> list[float]:
    """By hand, PS3.3 C.7.6.2.1.1."""
    along_row, down_column = np.reshape(frame.orientation, (2, 3))
    x = (column - 0.5) * (frame.column_mm or 0) * along_row
    y = (row - 0.5) * (frame.row_mm or 0) * down_column
    return (np.array(frame.position) + x + y).tolist()


def by_position(folder: Path, pattern: str = "*.dcm") -> list[pydicom.Dataset]:
    """The images of a folder, read by pydicom alone, along the normal of their planes."""
    images = [pydicom.dcmread(path) for path in sorted(folder.glob(pattern)) if path.is_file()]
    directions = np.array(images[0].ImageOrientationPatient, dtype=float).reshape(2, 3)
    normal = np.cross(*directions)
    return sorted(images, key=lambda image: float(np.array(image.ImagePositionPatient, dtype=float) @ normal))
