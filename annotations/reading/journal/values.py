"""What a mark may say: its label and kind, its place, its points. Pure but for what `Scope` has loaded."""

import math
from typing import Any

import numpy as np

from annotations.measures import masks
from annotations.measures.figures import IN_PATIENT_ONLY, POINTS_LEAST_AND_MOST, check_figure
from annotations.measures.geometry import GeometryError
from annotations.reading.frames import Frames
from annotations.reading.journal.scope import Scope
from annotations.reading.journal.sent import NUMBER_MAX, UID_LENGTH_MAX, PlaneValue, Refused

KINDS = ("segment", *POINTS_LEAST_AND_MOST)
STATES = ("present", "absent", "indeterminate", "not_assessed")
COORDINATE_MAX = 100_000.0  # mm or pixels: further out than any image reaches
NOTE_LENGTH_MAX = 4000

_COMMON = {"kind", "label", "series", "state", "note", "origin", "color_index", "locked"}
_PLACED = {"sop", "frame", "frame_of_reference", "points_patient_mm", "points_image", "plane"}
OFF_PLANE_MM = 0.1  # what rounding may move a point off the cut it was drawn on
UNIT_OFF = 1e-3  # by what the length of a direction, or the angle of two, may be off


def check_annotation(value: dict[str, Any], scope: Scope, *, keeps_label: bool = False) -> None:
    """Raises Refused, with the first thing that is wrong.

    `keeps_label`: the mark was of this kind under this label before, so both may stay, used or not.
    """
    kind = value.get("kind")
    if kind not in KINDS:
        raise Refused(f"A mark is one of {', '.join(KINDS)}.")
    allowed = _COMMON | (_PLACED if kind != "segment" else set())
    unknown = sorted(set(value) - allowed)
    if unknown:
        raise Refused(f"A {kind} has no place for {', '.join(unknown)[:80]}.")
    _check_label(value, kind, scope, keeps_label)
    if value.get("state") not in STATES:
        raise Refused(f"A mark's state is one of {', '.join(STATES)}.")
    _check_words(value, scope)
    if value.get("series") not in scope.series:
        raise Refused("The series of this mark is not in the case. Reload the page.")
    if kind != "segment":
        _check_place(value, kind, scope)


def check_plane(
    plane: PlaneValue, sop_instance_uid: str, frame_number: int, segment: dict[str, Any] | None, scope: Scope
) -> PlaneValue | None:
    """The voxels of a segment on one frame; None where no voxel is set. Raises Refused.

    `segment` is the annotation's present value, None where it is deleted (an undo brings its slices back
    before itself).
    """
    image = scope.image(sop_instance_uid, frame_number)
    if segment is not None and segment["kind"] != "segment":
        raise Refused("Only a segment has mask slices.")
    if segment is not None and segment["series"] != image.series:
        raise Refused("This slice belongs to another series than its segment.")
    size = image.frames.size(sop_instance_uid, frame_number) if image.frames else None
    if size is not None and size != (plane.rows, plane.columns):
        raise Refused(
            f"The mask slice has {plane.rows} × {plane.columns} pixels, its image {size[0]} × {size[1]}."
        )
    try:
        masks.validate(plane.runs, plane.rows, plane.columns)
    except masks.MaskError as error:
        raise Refused(str(error)) from None
    return plane if masks.voxel_count(plane.runs) else None


def _check_label(value: dict[str, Any], kind: str, scope: Scope, keeps_label: bool) -> None:
    key = value.get("label")
    label = scope.labels.get(key) if isinstance(key, str) else None
    if label is None:
        raise Refused(f"This read's labels have no {str(key)[:60]!r}.")
    if keeps_label:
        return
    if label.get("retired"):
        raise Refused(f"The label {label['name']} is no longer used for new marks.")
    if kind not in label["kinds"]:
        kinds = ", ".join(label["kinds"])
        raise Refused(f"The label {label['name']} is not for marks of kind {kind}, only {kinds}.")


def _check_words(value: dict[str, Any], scope: Scope) -> None:
    note = value.get("note", "")
    if not isinstance(note, str) or len(note) > NOTE_LENGTH_MAX:
        raise Refused(f"A note is a text of at most {NOTE_LENGTH_MAX} characters.")
    color_index = value.get("color_index")
    if color_index is not None and (type(color_index) is not int or not 0 <= color_index <= NUMBER_MAX):
        raise Refused("`color_index` is a whole number.")
    if not isinstance(value.get("locked", False), bool):
        raise Refused("`locked` is true or false.")
    origin = value.get("origin")
    if not isinstance(origin, dict) or set(origin) - {"from", "imported"}:
        raise Refused('The origin of a mark is {"from": "reader"} or {"from": "imported", "imported": id}.')
    if origin.get("from") == "imported":
        if origin.get("imported") not in scope.imported:
            raise Refused("The imported segment that this mark comes from is not in the case.")
        came_as = scope.imported[origin["imported"]]
        if value.get("kind") == "segment" and came_as not in ("segment", "polygon", "ellipse"):
            raise Refused(f"This came with the images as a {came_as}: it can't be copied as a segment.")
    elif origin.get("imported") is not None or (
        origin.get("from") != "reader"
        and not (scope.is_adjudication and origin.get("from") == "adjudication")
    ):
        raise Refused('The origin of a mark is {"from": "reader"} or {"from": "imported", "imported": id}.')


def _check_place(value: dict[str, Any], kind: str, scope: Scope) -> None:
    reference = value.get("frame_of_reference")
    if reference is not None and (not isinstance(reference, str) or len(reference) > UID_LENGTH_MAX):
        raise Refused("`frame_of_reference` is a DICOM UID or null.")
    frames = _frames_under(value, kind, scope)
    in_patient, on_image = value.get("points_patient_mm"), value.get("points_image")
    if (in_patient is None) == (on_image is None):
        raise Refused("A mark has either points in the patient or points on the image.")
    if frames and frames.in_patient != (in_patient is not None):
        raise Refused(
            "This image has a position in the patient: its marks are kept in millimetres there."
            if frames.in_patient
            else "This image has no position in the patient: its marks are kept as column and row."
        )
    if in_patient is None and kind in IN_PATIENT_ONLY:
        raise Refused(f"A {kind} needs images with a position in the patient.")
    points: Any = on_image if in_patient is None else in_patient
    _check_points(points, kind, 2 if in_patient is None else 3)
    try:
        check_figure(kind, points)
    except GeometryError as error:
        raise Refused(str(error)) from None
    if value.get("plane") is not None:
        _check_cut(value["plane"], points, kind)


def _frames_under(value: dict[str, Any], kind: str, scope: Scope) -> Frames | None:
    """What is known of the images that a mark was drawn on: one of them, or a cut through all of a series."""
    if value.get("plane") is not None:
        if "sop" in value or "frame" in value or value.get("points_image") is not None:
            raise Refused("A mark on a cut lies on no image: it has no `sop` and `frame`.")
        frames = scope.frames_of_series.get(value["series"])
        if frames and not frames.in_patient:
            raise Refused("These images have no position in the patient, so nothing can be cut through them.")
        return frames
    sop, frame = value.get("sop"), value.get("frame")
    if not isinstance(sop, str) or type(frame) is not int:
        raise Refused(f"A {kind} names the image it was drawn on: `sop` and `frame`.")
    image = scope.image(sop, frame)
    if image.series != value["series"]:
        raise Refused("The image of this mark belongs to another series than the mark.")
    return image.frames


def _check_cut(plane: Any, points: list[list[float]], kind: str) -> None:
    """A cut is a point and two unit vectors at a right angle; what is drawn on it lies on it."""
    names = {"origin", "row", "column"}
    if not isinstance(plane, dict) or set(plane) != names:
        raise Refused("A cut has an `origin`, and its directions `row` and `column`.")
    for part in plane.values():
        if not isinstance(part, list) or len(part) != 3 or not all(map(_is_coordinate, part)):
            raise Refused(f"The parts of a cut are 3 numbers each, none beyond ±{COORDINATE_MAX:.0f}.")
    origin, row, column = (np.array(plane[name], dtype=np.float64) for name in ("origin", "row", "column"))
    if max(abs(row @ row - 1), abs(column @ column - 1), abs(row @ column)) > UNIT_OFF:
        raise Refused("The directions of a cut are unit vectors at a right angle to each other.")
    off = np.abs((np.array(points, dtype=np.float64) - origin) @ np.cross(row, column)).max()
    if kind != "box" and off > OFF_PLANE_MM:
        raise Refused("The points of this mark don't lie on the cut that it was drawn on.")


def _check_points(points: Any, kind: str, dimensions: int) -> None:
    least, most = POINTS_LEAST_AND_MOST[kind]
    if not isinstance(points, list) or not least <= len(points) <= most:
        count = str(least) if least == most else f"{least} to {most}"
        raise Refused(f"A {kind} has {count} points.")
    for point in points:
        if not isinstance(point, list) or len(point) != dimensions or not all(map(_is_coordinate, point)):
            raise Refused(f"A point is {dimensions} numbers, none beyond ±{COORDINATE_MAX:.0f}.")


def _is_coordinate(number: Any) -> bool:
    return type(number) in (int, float) and math.isfinite(number) and abs(number) <= COORDINATE_MAX
