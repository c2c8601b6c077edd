"""The cases of the demo: the five volumes that pyradiomics publishes with its source, as DICOM."""

import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from annotations.demo.people import Hospital
from annotations.exchange.codes import Code
from annotations.exchange.seg_frames import Segment
from annotations.exchange.volumes import ConvertedSeries, Volume, VolumeIdentity
from annotations.models import ImportedSegment
from atlas import datasets
from atlas.archive.received import REFUSED, Outcome
from atlas.archive.sources import Source
from atlas.archive.uploads import import_paths
from atlas.models import Dataset, Project, Series, Study

LICENCE = "Package licence BSD-3-Clause (pyradiomics 3.0.1); images' own not stated"
DESCRIPTION = (
    "Published as test data with the source of pyradiomics 3.0.1 (package licence BSD-3-Clause, © 2017 "
    "Harvard Medical School). Where the images come from is not stated there. Converted from volume files to "
    "DICOM; geometry and values kept, nothing known or added about the patients."
)
ORIGIN = "Converted from a volume file of the pyradiomics 3.0.1 source archive; geometry and values kept"
FOLDER = "pyradiomics-3.0.1/data"
SEGMENT = Segment("Tumour", Code("108369006", "SCT", "Neoplasm"), {}, algorithm="MANUAL")


@dataclass(frozen=True)
class DemoCase:
    """`name` is that of the volume file and becomes the subject's pseudonym."""

    name: str
    dataset: str
    modality: str
    description: str
    window: tuple[float, float] | None = None

    @property
    def identity(self) -> VolumeIdentity:
        return VolumeIdentity(
            name=f"pyradiomics-3.0.1 {self.name}",
            patient_id=self.name,
            modality=self.modality,
            description=self.description,
            origin=ORIGIN,
            labels_description="Label map of pyradiomics 3.0.1",
            window=self.window,
        )

    @property
    def series_uid(self) -> str:
        return self.identity.uid("series")

    @property
    def study_uid(self) -> str:
        return self.identity.uid("study")


ORGANS = {"Brain MR": "brain", "Breast MR": "breast", "Lung CT": "lung"}
LUNG_WINDOW = (-600.0, 1500.0)
CASES = (
    DemoCase("brain1", "Brain MR", "MR", "Brain MR"),
    DemoCase("brain2", "Brain MR", "MR", "Brain MR"),
    DemoCase("breast1", "Breast MR", "MR", "Breast MR"),
    DemoCase("lung1", "Lung CT", "CT", "Chest CT", LUNG_WINDOW),
    DemoCase("lung2", "Lung CT", "CT", "Chest CT", LUNG_WINDOW),
)


class DemoImagesRefused(Exception):
    """The archive took a demo image not in; the text is its reason."""


def take_in(hospital: Hospital, project: Project, archive: Path, say: Callable[[str], None]) -> list[Study]:
    """The studies of the cases, with datasets that the project may choose from, in the order of CASES."""
    kept = {name: _dataset(hospital, project, name) for name in ORGANS}
    for case in CASES:
        if not _is_there(hospital, case):
            say(f"  {case.name}: {case.description}, as DICOM …")
            with tempfile.TemporaryDirectory() as folder:
                import_paths(kept[case.dataset], _files(case, archive, Path(folder)), on_file=_must_be_taken)
    return [
        Study.objects.get(organisation=hospital.organisation, study_instance_uid=case.study_uid)
        for case in CASES
    ]


def _dataset(hospital: Hospital, project: Project, name: str) -> Dataset:
    manager = hospital.people["manager"]
    dataset = Dataset.objects.filter(organisation=hospital.organisation, name=name).first()
    dataset = dataset or datasets.create_dataset(
        by=manager,
        organisation=hospital.organisation,
        name=name,
        organ=ORGANS[name],
        description=DESCRIPTION,
        licence=LICENCE,
        deidentification=Dataset.Deidentification.ALREADY_DONE,
    )
    datasets.grant_dataset(by=manager, dataset=dataset, project_slug=project.slug)
    return dataset


def _is_there(hospital: Hospital, case: DemoCase) -> bool:
    series = Series.objects.filter(
        organisation=hospital.organisation, series_instance_uid=case.series_uid, state=Series.State.READY
    )
    return ImportedSegment.objects.filter(series__in=series).exists()


def _files(case: DemoCase, archive: Path, folder: Path) -> Iterator[Source]:
    """The case's image, slice by slice, then its label map as DICOM Segmentation."""
    image, _ = _extract(archive, f"{case.name}_image.nrrd", folder)
    labels, written_at = _extract(archive, f"{case.name}_label.nrrd", folder)
    converted = ConvertedSeries.of(Volume.from_nrrd(image), case.identity)
    for name, content in converted.files():
        yield _source(f"{case.name}/{name}", content)
    segmentation = converted.segmentation(Volume.from_nrrd(labels), {1: SEGMENT}, at=written_at)
    yield _source(f"{case.name}/segmentation.dcm", segmentation)


def _source(name: str, content: bytes) -> Source:
    return Source(name, lambda: BytesIO(content))


def _extract(archive: Path, name: str, folder: Path) -> tuple[Path, datetime]:
    """A file of the archive, by itself, and when it was written there."""
    with tarfile.open(archive) as packed:
        member = packed.getmember(f"{FOLDER}/{name}")
        stream = packed.extractfile(member)
        if stream is None:
            raise FileNotFoundError(f"{name} is not a file in {archive.name}.")
        (folder / name).write_bytes(stream.read())
    return folder / name, datetime.fromtimestamp(member.mtime, tz=UTC)


def _must_be_taken(outcome: Outcome) -> None:
    if outcome.status == REFUSED:
        raise DemoImagesRefused(f"{outcome.name}: {outcome.reason}")
