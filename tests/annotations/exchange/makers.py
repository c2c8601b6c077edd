"""Small image series for exchange tests: any orientation, single-frame or multi-frame."""

from collections.abc import Sequence

import numpy as np
from pydicom import Dataset
from pydicom.uid import CTImageStorage

from annotations.exchange.source import FrameKey, SourceFrame, SourceSeries

FRAME_OF_REFERENCE = "1.2.826.0.1.3680043.2.1125.7"


def oblique(degrees: float = 25.0) -> tuple[float, ...]:
    """ImageOrientationPatient turned about two axes."""
    a, b = np.radians(degrees), np.radians(degrees / 2)
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    turned = about_z @ about_x
    return (*map(float, turned[:, 0]), *map(float, turned[:, 1]))


def series(
    *,
    orientation: Sequence[float] = (1, 0, 0, 0, 1, 0),
    slices: int = 6,
    rows: int = 20,
    columns: int = 30,
    row_mm: float = 0.7,
    column_mm: float = 0.9,
    step_mm: float = 2.5,
    multi_frame: bool = False,
    step: Sequence[float] | None = None,
    uid: str = "1.2.3",
    intercept: float | None = -1024.0,
    slope: float | None = 1.0,
) -> SourceSeries:
    """A regular series; `step_mm` < 0 runs against the normal."""
    directions = np.array(orientation, dtype=float).reshape(2, 3)
    onward = np.array(step) if step is not None else np.cross(*directions) * step_mm
    origin = np.array([-12.5, 30.25, 101.0])
    frames = []
    for index in range(slices):
        x, y, z = (origin + onward * index).tolist()
        frames.append(
            SourceFrame(
                key=FrameKey(f"{uid}.5", index + 1) if multi_frame else FrameKey(f"{uid}.9.{index + 1}", 1),
                rows=rows,
                columns=columns,
                position=(x, y, z),
                orientation=tuple(map(float, orientation)),
                row_mm=row_mm,
                column_mm=column_mm,
                slope=slope,
                intercept=intercept,
            )
        )
    return SourceSeries(
        series_instance_uid=uid,
        study_instance_uid="1.2.2",
        frame_of_reference_uid=FRAME_OF_REFERENCE,
        modality="CT",
        description="Chest",
        units="HU",
        photometric="MONOCHROME2",
        frames=tuple(frames),
    )


def header(source: SourceSeries) -> Dataset:
    """What a stored image of the series says about patient and study."""
    dataset = Dataset()
    dataset.PatientID, dataset.PatientName, dataset.PatientBirthDate, dataset.PatientSex = (
        "N-0217",
        "N-0217",
        "",
        "F",
    )
    dataset.StudyInstanceUID, dataset.StudyDate, dataset.StudyTime = (
        source.study_instance_uid,
        "19600413",
        "101500",
    )
    dataset.StudyID, dataset.AccessionNumber, dataset.ReferringPhysicianName = "1", "", ""
    dataset.SliceThickness, dataset.BodyPartExamined = "2.5", "CHEST"
    return dataset


def sop_classes(source: SourceSeries) -> dict[str, str]:
    return {frame.key.sop_instance_uid: str(CTImageStorage) for frame in source.frames}
