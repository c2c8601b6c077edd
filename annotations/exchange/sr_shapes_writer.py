"""Shapes of marks as reports hold them (PS3.3 C.18.6, C.18.9): in patient millimetres, else on an image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sequence import Sequence as DicomSequence

from annotations.exchange import sr_items
from annotations.exchange.codes import Code
from annotations.measures.figures import curve_through

IMAGE_REGION = Code("111030", "DCM", "Image Region")
PATH = Code("121055", "DCM", "Path")
_POLYGONS = ("polygon", "freehand", "livewire", "rectangle")

type Points = NDArray[np.float64]


@dataclass(frozen=True)
class Figure:
    """A drawn figure, as annotations.measures.figures has it. `points`: float[n, 3] patient mm with the frame
    of reference, or float[n, 2] column and row. `image` refers to the frame it was drawn on, if to one;
    `normal` is the direction across it."""

    kind: str
    points: Points
    image: Dataset | None
    frame_of_reference_uid: str = ""
    normal: Points | None = None

    @property
    def in_patient(self) -> bool:
        return self.points.shape[1] == 3


def region(figure: Figure) -> Dataset | None:
    """What the measurement group of a figure is about, if it is one shape: an area, a point, an arrow."""
    points = figure.points
    if figure.kind in _POLYGONS or figure.kind == "spline":
        ring = curve_through(points) if figure.kind == "spline" else points
        return _item(figure, IMAGE_REGION, *_closed(ring, figure.in_patient), sr_items.CONTAINS)
    if figure.kind == "ellipse":
        return _item(figure, IMAGE_REGION, "ELLIPSE", _major_first(points), sr_items.CONTAINS)
    if figure.kind == "circle" and not figure.in_patient:
        return _item(figure, IMAGE_REGION, "CIRCLE", points, sr_items.CONTAINS)
    if figure.kind == "circle":
        center, arm = points[0], points[1] - points[0]
        normal = np.array((0.0, 0.0, 1.0)) if figure.normal is None else figure.normal
        across = np.cross(normal, arm)
        ends = np.array([center - arm, center + arm, center - across, center + across])
        return _item(figure, IMAGE_REGION, "ELLIPSE", ends, sr_items.CONTAINS)
    if figure.kind == "point":
        return _item(figure, IMAGE_REGION, "POINT", points[:1], sr_items.CONTAINS)
    if figure.kind == "arrow":
        return _item(figure, IMAGE_REGION, "POLYLINE", points, sr_items.CONTAINS)
    return None


def paths(figure: Figure, measurement: str) -> list[Dataset]:
    """What a number of a figure that is no region was measured along, by the number's name."""
    points = figure.points
    pieces: Sequence[Points] = ()
    if figure.kind in ("length", "angle"):
        pieces = (points,)
    elif figure.kind == "cobb":
        pieces = (points[:2], points[2:])
    elif figure.kind == "bidirectional":
        lengths = [float(np.linalg.norm(points[at + 1] - points[at])) for at in (0, 2)]
        longer = 0 if lengths[0] >= lengths[1] else 2
        at = longer if measurement.startswith("long") else 2 - longer
        pieces = (points[at : at + 2],)
    elif figure.kind == "box":
        edge = {"width_mm": 1, "height_mm": 2, "depth_mm": 3}.get(measurement)
        pieces = (points[[0, edge]],) if edge else (points[[1, 0, 2]], points[[0, 3]])
    return [_item(figure, PATH, "POLYLINE", piece, sr_items.INFERRED_FROM) for piece in pieces]


def _item(figure: Figure, name: Code, kind: str, points: Points, relation: str) -> Dataset:
    found = sr_items.shape(
        name, kind, points, frame_of_reference_uid=figure.frame_of_reference_uid, relation=relation
    )
    if not figure.in_patient and figure.image is not None:
        image = sr_items.image(None, figure.image, relation=sr_items.SELECTED_FROM)
        found.ContentSequence = DicomSequence([image])
    return found


def _closed(ring: Points, in_patient: bool) -> tuple[str, Points]:
    """Polygons are of the patient only; on an image a closed line is one that ends where it began."""
    return "POLYGON" if in_patient else "POLYLINE", np.concatenate((ring, ring[:1]))


def _major_first(points: Points) -> Points:
    first, second = (float(np.linalg.norm(points[at + 1] - points[at])) for at in (0, 2))
    return points if first >= second else points[[2, 3, 0, 1]]
