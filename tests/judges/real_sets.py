"""Data sets for nnU-Net, MONAI and COCO out of real series of many kinds, with marks that are hard to keep.

What must be in them is kept beside, taken from the journal's masks and from what pydicom reads of the images.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from django.db import transaction
from django.test import override_settings
from numpy.typing import NDArray
from pydicom import Dataset as Header

from annotations.cohort.images import StoredSeries
from annotations.measures import masks
from annotations.models import Edit, ImportedSegment
from atlas.models import Series, Study
from tests.judges.real_project import RealProject, RealRead, by_position, label

LABELS = (
    label("mass", "Mass", ("segment", "polygon", "ellipse"), "4147007"),
    label("oedema", "Oedema", ("segment",), "79654002"),
    label("node", "Lymph node"),
    label("dot", "Single voxel"),
)
NUMBERS = {"mass": 1, "oedema": 2, "node": 3, "dot": 4}
PARTS = {1: "train", 2: "validation", 3: "train", 4: "train", 5: "test", 8: "train"}

VOLUMES = {
    3: ("mr_brain1_pyradiomics/converted_dicom/image", "*.dcm"),  # slices 6.5 mm apart, against the normal
    4: ("mr_longitudinal_crc_06489/study_1959-12-09", "*.dcm"),  # oblique
    5: ("odd_mixed/dicom2nifti/non_square_pixels_mr", "*.dcm"),
}
EMPTY = 8  # read as showing nothing
VOLUMES[EMPTY] = ("mr_longitudinal_crc_06489/study_1960-04-13", "*.dcm")
NO_VOLUMES = {
    6: ("mr_breast_dce_ucsf08/image", "*.dcm"),  # three phases at each place
    7: ("odd_mixed/dicom2nifti/gantry_tilt_ct", "*.dcm"),
}


@dataclass
class Expected:
    """One series: its masks in the order of drawing, (label, bool[slices, rows, columns]), and its images.

    `images` are pydicom's, along the normal; empty where only the pixels are looked at.
    """

    number: int
    name: str
    shape: tuple[int, int, int]
    marks: list[tuple[str, NDArray[np.bool_]]]
    images: list[Header] = field(default_factory=list)

    @property
    def label_map(self) -> NDArray[np.uint8]:
        """By hand: label by label in the schema's order, the later over the earlier."""
        found = np.zeros(self.shape, dtype=np.uint8)
        for key, number in NUMBERS.items():
            for own, voxels in self.marks:
                if own == key:
                    found[voxels] = number
        return found


@dataclass
class RealSets:
    folder: Path
    series: Mapping[str, Expected]
    """By modality and number of the case, such as CT 1."""


def made(folder: Path, objects: Path, data: Path) -> RealSets:
    """Releases real series into a folder; nothing stays in the database."""
    with override_settings(OBJECTS_DIR=objects), transaction.atomic():
        found = _made(folder, data)
        transaction.set_rollback(True)
    return found


def _made(folder: Path, data: Path) -> RealSets:
    project = RealProject(*LABELS)
    series: dict[str, Expected] = {}
    _chest(project, data / "ct_chest_lidc_0314", series)
    _sarcoma(project, data / "petct_mr_sts_001", series)
    for number, (where, pattern) in (VOLUMES | NO_VOLUMES).items():
        files = [path for path in sorted((data / where).glob(pattern)) if path.is_file()]
        known = set(Study.objects.values_list("pk", flat=True))
        project.take_in(*files)
        study = Study.objects.exclude(pk__in=known).get()
        read = project.read_of(number, study)
        one = Series.objects.get(study=study)
        if number == EMPTY:
            for each in LABELS:
                read.state_label(each["key"], "absent")
        else:
            _draw(read, one)
        series[f"{one.modality} {number}"] = _expected(
            read, one, number, by_position(data / where, pattern) if number in VOLUMES else []
        )
        read.accept()
    project.release(folder, "nifti", "nnunet", "monai", "coco", parts=PARTS | dict.fromkeys((6, 7), "train"))
    return RealSets(folder, series)


def _chest(project: RealProject, data: Path, series: dict[str, Expected]) -> None:
    """Outlines of readers that overlap, one voxel in the last corner, and a node that isn't there."""
    project.take_in(*sorted((data / "image").glob("*.dcm")), data / "seg_readers.dcm")
    study = Study.objects.get(series__modality="CT")
    read, one = project.read_of(1, study), Series.objects.get(study=study, modality="CT")
    segments = ImportedSegment.objects.order_by("segment_number")
    read.take_over("oedema", segments[1])
    read.take_over("mass", segments[0])
    frames = StoredSeries(one).source.frames
    corner = np.zeros((frames[0].rows, frames[0].columns), dtype=bool)
    corner[-1, -1] = True
    read.segment("dot", one, {len(frames) - 1: corner})
    read.segment("node", one, {}, state="absent")
    series["CT 1"] = _expected(read, one, 1, by_position(data / "image"))
    read.accept()


def _sarcoma(project: RealProject, data: Path, series: dict[str, Expected]) -> None:
    """The tumour on CT, MR and PET of one study, its oedema on the PET."""
    folders = {"CT": "CT_cropped", "MR": "MR_T1_cropped", "PT": "PET"}
    known = set(Study.objects.values_list("pk", flat=True))
    for name in folders.values():
        project.take_in(*sorted((data / name).glob("*.dcm")), *(data / f"{name}_rtstruct").glob("*.dcm"))
    study = Study.objects.exclude(pk__in=known).get()
    read = project.read_of(2, study)
    for modality, name in folders.items():
        one = Series.objects.get(study=study, modality=modality)
        for segment in ImportedSegment.objects.filter(series=one).order_by("segment_number"):
            read.take_over("oedema" if "edema" in segment.label.lower() else "mass", segment)
        series[f"{modality} 2"] = _expected(read, one, 2, by_position(data / name))
    read.accept()


def _draw(read: RealRead, one: Series) -> None:
    """Two that overlap, and an empty one."""
    frames = StoredSeries(one).source.frames
    middle = len(frames) // 2
    mass, oedema = {}, {}
    for index in range(max(0, middle - 1), min(len(frames), middle + 2)):
        plane = np.zeros((frames[index].rows, frames[index].columns), dtype=bool)
        plane[9 : 25 + index % 5, 12:31] = True
        mass[index], oedema[index] = plane, np.roll(plane, 7, axis=1)
    read.segment("oedema", one, oedema)
    read.segment("mass", one, mass)
    read.segment("node", one, {}, state="absent")
    read.figure("mass", one, "polygon", 0, [[40.0, 10.0], [60.0, 10.0], [60.0, 22.0], [40.0, 22.0]])


def _expected(read: RealRead, one: Series, number: int, images: list[Header]) -> Expected:
    """From the journal's rows."""
    frames = StoredSeries(one).source.frames
    places = {frame.key: index for index, frame in enumerate(frames)}
    shape = (len(frames), frames[0].rows, frames[0].columns)
    marks: dict[object, tuple[str, NDArray[np.bool_]]] = {}
    for edit in Edit.objects.filter(read=read.read).order_by("number"):
        value = edit.value or {}
        if value.get("series") == one.public_id and value["kind"] == "segment":
            marks[edit.annotation_id] = (value["label"], np.zeros(shape, dtype=bool))
        elif edit.runs is not None and edit.annotation_id in marks:
            index = places[edit.sop_instance_uid, edit.frame_number]
            plane = masks.decode(bytes(edit.runs), edit.rows, edit.columns)
            marks[edit.annotation_id][1][index] = plane
    name = f"{number:04d}_{one.modality}_{one.public_id}"
    return Expected(number, name, shape, list(marks.values()), images)
