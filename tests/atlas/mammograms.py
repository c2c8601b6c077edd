"""Mammograms made for tests: a breast against the chest wall, stored so that rows run to the nipple."""

from typing import Any

import numpy as np
from pydicom.uid import DigitalMammographyXRayImageStorageForPresentation, generate_uid

from tests.atlas.slices import header, part_10

ROWS, COLUMNS = 64, 48
DOWN = {("R", "CC"): "L", ("L", "CC"): "R"}  # towards the other breast; else to the feet


def breast() -> np.ndarray:
    """(rows, columns) int16: half an ellipse that rests on the left edge of the file, the chest wall."""
    row, column = np.mgrid[:ROWS, :COLUMNS]
    inside = ((row - ROWS / 2) / (ROWS / 2.4)) ** 2 + (column / (COLUMNS * 0.8)) ** 2 < 1
    return (inside * (600 + 4 * column + row)).astype(np.int16)


def mammogram(laterality: str, view: str, **more: Any) -> bytes:
    """A projection without position: rows run to the front, away from the chest wall, for either side."""
    facts: dict[str, Any] = {
        "SOPClassUID": DigitalMammographyXRayImageStorageForPresentation,
        "Modality": "MG",
        "BodyPartExamined": "BREAST",
        "SeriesDescription": f"{laterality} {view}",
        "StudyDescription": "Mammography",
        "ImageLaterality": laterality,
        "ViewPosition": view,
        "PatientOrientation": ["A", DOWN.get((laterality, view), "F")],
        "PixelSpacing": None,
        "ImagerPixelSpacing": [0.5, 0.5],
        "ImagePositionPatient": None,
        "ImageOrientationPatient": None,
        "FrameOfReferenceUID": None,
        "RescaleSlope": 1,
        "RescaleIntercept": 0,
        "WindowCenter": 500,
        "WindowWidth": 1000,
    }
    return part_10(header(**facts | more), breast())


FOUR_VIEWS = [("R", "CC"), ("L", "CC"), ("R", "MLO"), ("L", "MLO")]


def screening(**common: Any) -> list[bytes]:
    """The four views of one visit, a series each."""
    common = {"StudyInstanceUID": generate_uid()} | common
    return [
        mammogram(side, view, SeriesNumber=number, SeriesInstanceUID=generate_uid(), **common)
        for number, (side, view) in enumerate(FOUR_VIEWS, start=1)
    ]
