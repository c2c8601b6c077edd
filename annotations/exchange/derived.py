"""What derived objects (SEG, RTSTRUCT, SR, PR) hold, once read: segments, shapes and numbers on images.

Shapes lie on one frame. Their points are patient millimetres (LPS) where the frame has a place in the
patient, else column and row as in SCOORD (the centre of the top left pixel is 0.5, 0.5).
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from annotations.exchange.codes import Code
from annotations.exchange.source import FrameKey, SourceFrame, SourceSeries

LENGTH, BIDIRECTIONAL, ELLIPSE, POLYGON, POINT = "length", "bidirectional", "ellipse", "polygon", "point"
LINE = "line"  # an open line: to be looked at only
REGIONS = (ELLIPSE, POLYGON)  # kinds that enclose pixels
POINTS_MAX = 10_000  # of one shape


@dataclass(frozen=True)
class ReadSegment:
    """One segment, on the frames of one image series; `planes` is empty where there is nothing."""

    number: int
    label: str
    category: Code | None
    meaning: Code | None
    planes: dict[FrameKey, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadShape:
    """One shape on one frame: exactly one of the two lists of points is there."""

    source: SourceSeries
    key: FrameKey
    kind: str
    points_patient_mm: tuple[tuple[float, float, float], ...] | None
    points_image: tuple[tuple[float, float], ...] | None
    label: str = ""
    meaning: Code | None = None

    def as_place(self) -> dict[str, Any]:
        """The fields that a mark of the journal has, too."""
        in_patient = self.points_patient_mm is not None
        place: dict[str, Any] = {"sop": self.key.sop_instance_uid, "frame": self.key.frame_number}
        place["frame_of_reference"] = self.source.frame_of_reference_uid or None if in_patient else None
        if self.points_patient_mm is not None:
            place["points_patient_mm"] = [list(point) for point in self.points_patient_mm]
        else:
            place["points_image"] = [list(point) for point in self.points_image or ()]
        return place


@dataclass(frozen=True)
class ReadNumber:
    """One measured value with its unit as the report gives it (UCUM), and its derivation, such as mean."""

    name: str
    value: float
    unit: str
    derivation: str = ""
    code: Code | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "derivation": self.derivation,
            "code": self.code.as_json() if self.code else None,
        }


def first(item: Dataset | None, keyword: str) -> Dataset | None:
    """The first item of a sequence; None where there is none, or something else stands in its place."""
    value = item.get(keyword) if item is not None else None
    if value is None or isinstance(value, str | bytes):
        return None
    try:
        found = value[0]
    except (IndexError, TypeError, KeyError):
        return None
    return found if isinstance(found, Dataset) else None


def items(item: Dataset | None, keyword: str) -> list[Dataset]:
    """The items of a sequence, none where it is missing or is no sequence."""
    value = item.get(keyword) if item is not None else None
    if value is None or isinstance(value, str | bytes | int | float):
        return []
    try:
        return [one for one in value if isinstance(one, Dataset)]
    except TypeError:
        return []


def code_of(item: Dataset | None, keyword: str) -> Code | None:
    found = first(item, keyword)
    return Code.from_dicom(found) if found is not None else None


def shape_on(
    source: SourceSeries, frame: SourceFrame, kind: str, points_image: NDArray[np.float64], **more: Any
) -> ReadShape:
    """A shape from its columns and rows on a frame, float[n, 2]; in the patient if the frame has a place."""
    if not frame.has_place:
        flat = tuple((float(column), float(row)) for column, row in points_image)
        return ReadShape(source, frame.key, kind, None, flat, **more)
    along_row, down_column, _ = frame.axes
    index = np.asarray(points_image, dtype=np.float64) - 0.5
    placed = np.array(frame.position) + (
        index[:, :1] * (frame.column_mm or 0) * along_row + index[:, 1:] * (frame.row_mm or 0) * down_column
    )
    return ReadShape(source, frame.key, kind, tuple(map(_three, placed.tolist())), None, **more)


def _three(point: list[float]) -> tuple[float, float, float]:
    x, y, z = point
    return x, y, z


def to_image(frame: SourceFrame, points_patient_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Column and row (SCOORD) of points on the plane of a frame, float[n, 3] to float[n, 2]."""
    along_row, down_column, _ = frame.axes
    relative = np.asarray(points_patient_mm, dtype=np.float64) - np.array(frame.position)
    columns = relative @ along_row / (frame.column_mm or 1.0)
    rows = relative @ down_column / (frame.row_mm or 1.0)
    return np.column_stack((columns, rows)) + 0.5
