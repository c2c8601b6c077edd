"""A project whose images were taken in as any others: a breast MR with its label map, read and accepted."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from django.test import override_settings

from accounts import permissions
from accounts.models import Organisation, User
from annotations.exchange.codes import Code
from annotations.exchange.seg_frames import Segment
from annotations.exchange.volumes import ConvertedSeries, Volume, VolumeIdentity
from annotations.measures import masks
from annotations.models import Case, CaseStudy, Edit, LabelSchema, Read, Review, Submission
from atlas.archive.sources import Source
from atlas.archive.uploads import import_paths
from atlas.models import Dataset, Project, Series, Study
from tests.cast import person

LABELS = [
    {
        "key": "tumour",
        "name": "Tumour",
        "color": "#f5a742",
        "kinds": ["segment", "length"],
        "code": {"value": "108369006", "scheme": "SCT", "meaning": "Neoplasm"},
        "required": False,
    },
    {
        "key": "node",
        "name": "Lymph node",
        "color": "#f27cc0",
        "kinds": ["segment"],
        "code": None,
        "required": False,
    },
]
ROLES = {
    "lead": "lead",
    "reader": "reader",
    "other_reader": "reader",
    "reviewer": "reviewer",
    "scientist": "scientist",
}
OUTLINE, SECOND, NODE, LENGTH = (UUID(int=number) for number in (1, 2, 3, 4))


@dataclass(frozen=True)
class Breast:
    """A breast MR with its label map, and as files."""

    volume: Volume
    labels: Volume
    converted: ConvertedSeries
    files: list[tuple[str, bytes]]


@dataclass
class Cohort:
    project: Project
    people: dict[str, User]
    schema: LabelSchema
    case: Case
    series: Series
    volume: Volume
    labels: Volume
    converted: ConvertedSeries

    def again(self) -> "Cohort":
        """With rows of its own, as they are in the database now."""
        people = {name: User.objects.get(pk=one.pk) for name, one in self.people.items()}
        rows = {name: getattr(self, name) for name in ("project", "schema", "case", "series")}
        found = {name: type(row).objects.get(pk=row.pk) for name, row in rows.items()}
        return replace(self, people=people, **found)

    def read(self, reader: str = "reader", case: Case | None = None) -> Read:
        return Read.objects.create(case=case or self.case, reader=self.people[reader], schema=self.schema)

    def accept(self, read: Read) -> Submission:
        number = read.edits.count()
        submission = Submission.objects.create(read=read, round=1, edit_number=number, by=read.reader)
        Review.objects.create(submission=submission, verdict="accept", by=self.people["reviewer"])
        read.state, read.last_edit_number = Read.State.ACCEPTED, number
        read.save()
        return submission

    def draw(self, read: Read) -> dict[UUID, np.ndarray]:
        """Two overlapping outlines, a node that was looked for and isn't there, a length."""
        tumour = self.labels.values > 0
        second = np.roll(tumour, 2, axis=2)
        assert (tumour & second).any()
        self.mark(read, OUTLINE, self.segment("tumour"))
        self.mark(read, SECOND, self.segment("tumour"))
        self.mark(read, NODE, self.segment("node", state="absent"))
        frame = self.converted.source.frames[3]
        points = [list(frame.position), [frame.position[0] + 3, frame.position[1] + 4, frame.position[2]]]
        length = self.segment("tumour") | {
            "kind": "length",
            "sop": frame.key.sop_instance_uid,
            "frame": 1,
            "frame_of_reference": self.converted.source.frame_of_reference_uid,
            "points_patient_mm": points,
        }
        self.mark(read, LENGTH, length)
        for identity, voxels in ((OUTLINE, tumour), (SECOND, second)):
            for index in np.flatnonzero(voxels.any(axis=(1, 2))):
                self.plane(read, identity, int(index), voxels[index])
        return {OUTLINE: tumour, SECOND: second}

    def segment(self, label: str, state: str = "present") -> dict:
        return {
            "kind": "segment",
            "label": label,
            "series": self.series.public_id,
            "state": state,
            "note": "",
            "origin": {"from": "reader"},
        }

    def mark(self, read: Read, identity: UUID, value: dict | None) -> None:
        self._edit(read, annotation_id=identity, value=value)

    def plane(self, read: Read, identity: UUID, index: int, voxels: np.ndarray) -> None:
        key = self.converted.source.frames[index].key
        self._edit(
            read,
            annotation_id=identity,
            sop_instance_uid=key.sop_instance_uid,
            frame_number=1,
            runs=masks.encode(voxels),
            rows=voxels.shape[0],
            columns=voxels.shape[1],
        )

    def _edit(self, read: Read, **fields) -> None:
        number = read.edits.count() + 1
        Edit.objects.create(
            read=read,
            number=number,
            edit_id=UUID(int=number),
            group=UUID(int=number),
            by=read.reader,
            version=1,
            drawn_at=datetime.now(tz=UTC),
            **fields,
        )


@pytest.fixture
def objects(settings, tmp_path: Path) -> Path:
    """Storage of its own."""
    settings.OBJECTS_DIR = tmp_path / "objects"
    return settings.OBJECTS_DIR


class Shared:
    """What all tests of a module begin with: rows, and files that each test has a copy of."""

    def __init__(self, rows: Callable[[], AbstractContextManager[None]], folder: Path) -> None:
        self.rows, self.folder = rows, folder

    @contextmanager
    def made(self) -> Iterator[None]:
        """For fixtures of a module, while they write."""
        with self.rows(), override_settings(OBJECTS_DIR=self.folder):
            yield


@pytest.fixture(scope="module")
def shared(module_rows: Callable, tmp_path_factory: pytest.TempPathFactory) -> Shared:
    return Shared(module_rows, tmp_path_factory.mktemp("objects"))


@pytest.fixture(scope="module")
def shared_cohort(shared: Shared, breast: Breast) -> Cohort:
    with shared.made():
        return made(breast)


@pytest.fixture
def cohort(shared: Shared, shared_cohort: Cohort, db, objects: Path) -> Cohort:
    shutil.copytree(shared.folder, objects)
    return shared_cohort.again()


@pytest.fixture
def committed_cohort(transactional_db, objects: Path, breast: Breast) -> Cohort:
    """For tests that commit."""
    return made(breast)


@pytest.fixture(scope="session")
def breast(pyradiomics_data: Path) -> Breast:
    volume = Volume.from_nrrd(pyradiomics_data / "breast1_image.nrrd")
    labels = Volume.from_nrrd(pyradiomics_data / "breast1_label.nrrd")
    converted = ConvertedSeries.of(
        volume, VolumeIdentity("breast1", "N-0001", "MR", "Breast MR", "Converted")
    )
    segmentation = converted.segmentation(
        labels, {1: Segment("Tumour", Code("108369006", "SCT", "Neoplasm"), {})}, at=datetime(2020, 10, 11)
    )
    return Breast(volume, labels, converted, [*converted.files(), ("seg.dcm", segmentation)])


def made(breast: Breast) -> Cohort:
    people = {name: person(name) for name in (*ROLES, "stranger")}
    organisation = Organisation.objects.create(name="Nordhain", slug="nordhain", country="DE")
    dataset = Dataset.objects.create(
        organisation=organisation, name="Breast MR", slug="breast-mr", deidentification="already_done"
    )
    project = Project.objects.create(
        organisation=organisation, name="Respond", slug="respond", created_by=people["lead"]
    )
    for name, role in ROLES.items():
        permissions.grant(user=people[name], role=role, scope=project)
    schema = LabelSchema.objects.create(project=project, version=1, labels=LABELS, created_by=people["lead"])

    sources = [Source(name, lambda c=content: BytesIO(c)) for name, content in breast.files]
    upload = import_paths(dataset, sources)
    assert (upload.stored, upload.refused) == (22, 0)

    study = Study.objects.get(organisation=organisation)
    case = Case.objects.create(project=project, subject=study.subject, number=1)
    CaseStudy.objects.create(case=case, study=study, position=1)
    series = Series.objects.get(study=study, modality="MR")
    return Cohort(project, people, schema, case, series, breast.volume, breast.labels, breast.converted)


@pytest.fixture
def tumour(cohort: Cohort) -> np.ndarray:
    """The voxels of the tumour, bool[slices, rows, columns]."""
    return cohort.labels.values > 0


@pytest.fixture
def second(cohort: Cohort) -> Cohort:
    """The same project with a second subject's case, which nobody has read yet."""
    converted = ConvertedSeries.of(
        cohort.volume, VolumeIdentity("breast2", "N-0002", "MR", "Breast MR", "Converted")
    )
    sources = [Source(name, lambda c=file: BytesIO(c)) for name, file in converted.files()]
    import_paths(Dataset.objects.get(slug="breast-mr"), sources)
    study = Study.objects.get(subject__pseudonym="N-0002")
    case = Case.objects.create(project=cohort.project, subject=study.subject, number=2)
    CaseStudy.objects.create(case=case, study=study, position=1)
    here = {"case": case, "converted": converted, "series": Series.objects.get(study=study)}
    return Cohort(**vars(cohort) | here)


@pytest.fixture
def two_cases(cohort: Cohort, second: Cohort) -> Case:
    """Both cases read and accepted; the second."""
    for each in (cohort, second):
        read = each.read()
        each.draw(read)
        each.accept(read)
    return second.case
