"""COCO's way to write what is on one image: compressed run lengths, polygons, boxes, areas.

Coordinates are columns and rows in pixels, the first pixel from 0 to 1, so that its centre is (0.5, 0.5) as
in DICOM's SCOORD. Run lengths go down the columns, and begin with zeros.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotations.exchange.derived import to_image
from annotations.exchange.marks import Mark
from annotations.exchange.outlines import ellipse_outline
from annotations.exchange.source import ExchangeError, SourceFrame
from annotations.measures import figures

CIRCLE_POINTS = 90
DIGITS = 3  # of a pixel: far finer than anybody draws

type Plane = NDArray[np.bool_]
type Points = NDArray[np.float64]


def outline_of_plane(plane: Plane) -> dict[str, Any]:
    """The fields of an annotation whose pixels are a mask, bool[rows, columns], with at least one pixel."""
    rows, columns = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
    if not rows.size:
        raise ExchangeError("a mask without a pixel has no box")
    left, top = int(columns[0]), int(rows[0])
    return {
        "segmentation": {"size": list(plane.shape), "counts": compressed(run_lengths(plane))},
        "bbox": [left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1],
        "area": int(plane.sum()),
    }


def outline_of_points(points: Points) -> dict[str, Any]:
    """The fields of an annotation that is a closed line, float[n, 2] as (column, row)."""
    around = np.round(np.asarray(points, dtype=np.float64), DIGITS)
    low, high = around.min(axis=0), around.max(axis=0)
    after = np.roll(around, -1, axis=0)
    area = abs(float((around[:, 0] * after[:, 1] - around[:, 1] * after[:, 0]).sum())) / 2
    return {
        "segmentation": [around.ravel().tolist()],
        "bbox": np.round([*low, *(high - low)], DIGITS).tolist(),
        "area": round(area, DIGITS),
    }


def run_lengths(plane: Plane) -> NDArray[np.int64]:
    """Of runs down the columns of a mask, bool[rows, columns]; the first is of zeros, and may be empty."""
    flat = np.asarray(plane, dtype=np.bool_).ravel(order="F")
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    lengths = np.diff(np.concatenate(([0], changes, [flat.size])))
    return np.concatenate(([0], lengths)) if flat[0] else lengths


def compressed(lengths: ArrayLike) -> str:
    """COCO's text for run lengths: from the fourth on the difference to the run two before, in groups of five
    bits, lowest first; a sixth bit says that more follow, and 48 makes a letter of it."""
    counts = np.asarray(lengths, dtype=np.int64)
    told = counts.copy()
    told[3:] -= counts[1:-2]
    letters = bytearray()
    for number in told.tolist():
        while True:
            bits, number = number & 0x1F, number >> 5
            is_last = number == (-1 if bits & 0x10 else 0)
            letters.append(48 + (bits if is_last else bits | 0x20))
            if is_last:
                break
    return letters.decode("ascii")


def closed_line(mark: Mark, frame: SourceFrame) -> Points:
    """The outline of a region on the image that it was drawn on, float[n, 2] as (column, row)."""
    in_patient = mark.value.get("points_patient_mm")
    points = np.asarray(in_patient or mark.value["points_image"], dtype=np.float64)
    if mark.kind == "circle":
        points = _circle(points, frame)
    elif mark.kind == "ellipse":
        points = ellipse_outline(points)
    elif mark.kind == "spline":
        points = figures.curve_through(points)
    return to_image(frame, points) if in_patient else points


def _circle(points: Points, frame: SourceFrame) -> Points:
    """Its rim, on the plane of the image, from its centre and a point on it."""
    centre, rim = points
    if points.shape[1] == 3:
        along_row, down_column, _ = frame.axes
    else:
        along_row, down_column = np.eye(2)
    angle = np.linspace(0, 2 * np.pi, CIRCLE_POINTS, endpoint=False)[:, None]
    radius = float(np.linalg.norm(rim - centre))
    return centre + radius * (np.cos(angle) * along_row + np.sin(angle) * down_column)
