"""Planes in patient space: order, gaps, tilt. Millimetres, LPS; never the instance number."""

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from atlas.dicom import values

type Position = tuple[float, float, float]
type Orientation = tuple[float, float, float, float, float, float]

SAME_DIRECTION = 1e-3  # of a direction cosine: scanners round them; beyond it planes are not parallel
EQUAL_DIRECTION = 1e-5  # below this, one common value describes both
UNIT_TOLERANCE = 0.01  # of length and right angle of the direction cosines
SAME_POSITION_MM = 0.01
UNEVEN = 0.1  # of the slice distance
TILT_DEGREES = 0.3


@dataclass(frozen=True, slots=True)
class Spacing:
    """Distances between the centres of neighbouring rows (vertical) and columns (horizontal).

    source: "pixel" in the patient, "estimated" in the patient by a projection's own estimate of how much it
    magnifies (for a mammogram without one: that at the detector, which the breast lies on), "imager" at the
    detector (magnified), "none" not known.
    """

    row_mm: float | None
    column_mm: float | None
    source: str


LETTERS = re.compile(r"[APRLHF]{1,3}")
FLAT_IMAGE, CENTIMETRES = 1, 3  # of an ultrasound region: its format, its units
MAGNIFIED_VIEW = {"R-102D6", "399163009"}  # a mammogram taken away from the detector, to enlarge a part
MAGNIFIED_MAX = 4.0  # of a projection: a larger factor is a wrong one
NO_SPACING = Spacing(None, None, "none")
PROJECTIONS = {"CR", "DX", "MG", "XA", "RF", "RG", "PX", "IO", "RTIMAGE"}


def spacing_of(dataset: Dataset, measures: Dataset | None, modality: str) -> Spacing:
    """`measures` is the item of Pixel Measures Sequence of a multi-frame functional group, if any."""
    pixel = _spacing(measures, "PixelSpacing") or _spacing(dataset, "PixelSpacing")
    imager = _spacing(dataset, "ImagerPixelSpacing")
    if pixel:
        # A projection's Pixel Spacing is in the patient only where someone calibrated it (PS3.3 10.7.1.3).
        calibrated = bool(values.text(dataset, "PixelSpacingCalibrationType"))
        if modality in PROJECTIONS and not calibrated and (imager is None or imager == pixel):
            return Spacing(*pixel, "imager")
        return Spacing(*pixel, "pixel")
    if imager is None:
        return _of_ultrasound(dataset)
    magnified = _magnified(dataset, modality)
    if magnified and 1 <= magnified <= MAGNIFIED_MAX:
        return Spacing(imager[0] / magnified, imager[1] / magnified, "estimated")
    return Spacing(*imager, "imager")


def _magnified(dataset: Dataset, modality: str) -> float | None:
    """How much larger a projection is at the detector than in the patient, as far as the file tells."""
    told = values.number(dataset, "EstimatedRadiographicMagnificationFactor")
    if told or modality != "MG":
        return told
    to_detector = values.number(dataset, "DistanceSourceToDetector")
    to_patient = values.number(dataset, "DistanceSourceToPatient")
    if to_detector and to_patient and to_patient > 0:
        return to_detector / to_patient
    view = values.item(dataset, "ViewCodeSequence")
    changes = {values.text(one, "CodeValue") for one in values.items(view, "ViewModifierCodeSequence")}
    return None if changes & MAGNIFIED_VIEW else 1.0


def _of_ultrasound(dataset: Dataset) -> Spacing:
    """Of the regions of an ultrasound image in centimetres (PS3.3 C.8.5.5), if they agree."""
    found = set()
    for region in values.items(dataset, "SequenceOfUltrasoundRegions"):
        units = {values.integer(region, f"PhysicalUnits{axis}Direction") for axis in "XY"}
        if values.integer(region, "RegionSpatialFormat") != FLAT_IMAGE or units != {CENTIMETRES}:
            continue
        column, row = (abs(values.number(region, f"PhysicalDelta{axis}") or 0) * 10 for axis in "XY")
        found.add((round(row, 6), round(column, 6)))
    if len(found) != 1 or not min(min(found)):
        return NO_SPACING
    return Spacing(*found.pop(), "pixel")


def _spacing(dataset: Dataset | None, keyword: str) -> tuple[float, float] | None:
    found = values.numbers(dataset, keyword, 2)
    return (found[0], found[1]) if found and min(found) > 0 else None


def orientation_of(*datasets: Dataset | None) -> Orientation | None:
    """Image Orientation (Patient) of the first data set that has one, if its vectors are unit and square."""
    for dataset in datasets:
        found = values.numbers(dataset, "ImageOrientationPatient", 6)
        if found:
            row, column = np.array(found[:3]), np.array(found[3:])
            lengths = np.linalg.norm(row), np.linalg.norm(column)
            square = abs(float(row @ column)) < UNIT_TOLERANCE
            unit = all(abs(length - 1) < UNIT_TOLERANCE for length in lengths)
            return found if square and unit else None  # type: ignore[return-value]
    return None


def letters_of(dataset: Dataset) -> tuple[str, str] | None:
    """Patient Orientation (0020,0020): the way that rows and columns run, as on a radiograph, ("L", "F")."""
    written = values.text(dataset, "PatientOrientation").upper().split("\\")
    right = len(written) == 2 and all(LETTERS.fullmatch(word) for word in written)
    return (written[0], written[1]) if right else None


def position_of(*datasets: Dataset | None) -> Position | None:
    for dataset in datasets:
        found = values.numbers(dataset, "ImagePositionPatient", 3)
        if found:
            return found  # type: ignore[return-value]
    return None


def normal_of(orientation: Orientation) -> np.ndarray:
    """(3,) unit vector: row direction × column direction."""
    normal = np.cross(orientation[:3], orientation[3:])
    return normal / np.linalg.norm(normal)


def common[T](found: list[T]) -> T:
    """The most frequent value; the first one among equals."""
    return Counter(found).most_common(1)[0][0]


def parallel(a: Orientation, b: Orientation, tolerance: float = SAME_DIRECTION) -> bool:
    return max(abs(x - y) for x, y in zip(a, b, strict=True)) <= tolerance


@dataclass(frozen=True, slots=True)
class Stack:
    """What a list of parallel planes, sorted along their normal, amounts to.

    `step_mm` is the usual distance of neighbours, None for fewer than two places. `gaps` are
    (index of the frame before the gap, number of planes that are missing there). `worst_step_mm` is the
    distance furthest from the usual one. `tilt_degrees` is the angle between the way from plane to plane
    and their normal.
    """

    step_mm: float | None
    places: int
    copies: tuple[int, int]
    gaps: list[tuple[int, int]]
    uneven: bool
    worst_step_mm: float | None
    tilt_degrees: float


def survey(positions: list[Position], orientation: Orientation) -> Stack:
    """Look at planes whose positions are sorted along the normal; positions may repeat."""
    points = np.array(positions, dtype=float)
    along = points @ normal_of(orientation)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(along) > SAME_POSITION_MM) + 1])
    sizes = np.diff(np.append(starts, len(along)))
    copies = int(sizes.min()), int(sizes.max())
    if len(starts) < 2:
        return Stack(None, len(starts), copies, [], False, None, 0.0)
    steps = np.diff(along[starts])
    usual = float(np.median(steps))
    multiples = np.rint(steps / usual).astype(int)
    is_gap = (multiples >= 2) & (np.abs(steps / usual - multiples) < UNEVEN * multiples)
    odd = (np.abs(steps - usual) > UNEVEN * usual) & ~is_gap
    gaps = [(int(starts[at + 1]) - 1, int(multiples[at]) - 1) for at in np.flatnonzero(is_gap)]
    worst = float(steps[np.argmax(np.abs(steps - usual) * ~is_gap)])
    return Stack(usual, len(starts), copies, gaps, bool(odd.any()), worst, _tilt(points[starts], orientation))


def _tilt(points: np.ndarray, orientation: Orientation) -> float:
    """Degrees between the line from the first to the last plane's corner and the normal."""
    way = points[-1] - points[0]
    along = abs(float(way @ normal_of(orientation)))
    across = float(np.linalg.norm(way - (way @ normal_of(orientation)) * normal_of(orientation)))
    return float(np.degrees(np.arctan2(across, along)))
