"""Structured reports, read back by highdicom: every number with its concept and unit, every coordinate.

What numbers are called in reports stands here a second time, on purpose: a wrong code in the writer's table
must not be found right by that table.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

import highdicom as hd
import numpy as np
from numpy.typing import NDArray

from annotations.cohort.certificate import shapes
from annotations.cohort.certificate.findings import Differs, Findings
from annotations.cohort.formats.plan import Report
from annotations.exchange.marks import Mark

READ_BY = ("highdicom", "pydicom")
NUMBER_SHARE = 1e-9
"""By how much of itself a number may differ: decimal strings have 16 characters."""

_GROUP, _TRACKING_UID, _FINDING = "125007", "112040", "121071"  # DCM
_DERIVATION, _METHOD, _SEGMENT = "121401", "370129005", "121191"  # DCM, SCT, DCM
_STATE = ("state", "99ATLAS")
_ESTIMATED = ("414135002", "SCT")
_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"

_STATES = {
    "present": ("52101004", "SCT"),
    "absent": ("272519000", "SCT"),
    "indeterminate": ("82334004", "SCT"),
    "not_assessed": ("not_assessed", "99ATLAS"),
}
_CONCEPTS = {
    "length": ("410668003", "SCT"),
    "long_axis": ("103339001", "SCT"),
    "short_axis": ("103340004", "SCT"),
    "longest_3d": ("81827009", "SCT"),
    "diameter": ("81827009", "SCT"),
    "width": ("103355008", "SCT"),
    "height": ("121207", "DCM"),
    "depth": ("131197000", "SCT"),
    "area": ("42798000", "SCT"),
    "perimeter": ("131191004", "SCT"),
    "angle": ("1483009", "SCT"),
    "volume": ("118565006", "SCT"),
    "voxels": ("voxels", "99ATLAS"),
    "slices": ("slices", "99ATLAS"),
}
_UNITS = {
    "mm": "mm",
    "mm2": "mm2",
    "ml": "mL",
    "deg": "deg",
    "px": "{pixels}",
    "px2": "{pixels2}",
    "voxels": "{voxels}",
    "slices": "{slices}",
}
_DERIVATIONS = {"longest_3d": ("56851009", "SCT")}  # the largest of its kind

type Coded = tuple[str, str]
type Meant = tuple[Coded, str, Coded | None]
"""Concept, UCUM unit and derivation."""


def report(expected: Report, file: BinaryIO, findings: Findings) -> None:
    """One group for each mark, in their order. Raises Differs."""
    try:
        document = hd.sr.srread(file)
        groups = list(_groups(document.content))
    except Exception as error:  # whatever a damaged file makes of a reader
        raise Differs(f"highdicom can't open it ({type(error).__name__}: {error})") from error
    if len(groups) != len(expected.marks):
        raise Differs(f"it holds {len(groups)} groups of measurements, and {len(expected.marks)} marks")
    segments = [mark.identity for mark in expected.marks if mark.becomes_mask]
    for number, (group, mark) in enumerate(zip(groups, expected.marks, strict=True), start=1):
        name = f"group {number} ({mark.label['name']}, {mark.kind})"
        try:
            items = list(group.ContentSequence)
            _require_mark(items, mark, name)
            _require_numbers(items, mark, name, findings)
            shapes.require_drawn(_shapes(items), mark, name, findings)
            if mark.identity in segments:
                _require_segment(items, segments.index(mark.identity) + 1, name)
        except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
            raise Differs(f"{name} can't be made out ({type(error).__name__}: {error})") from error


def _groups(content: Any) -> Iterator[Any]:
    """Groups of measurements wherever they lie; they don't lie in each other."""
    for item in content:
        if _coded(item.name)[0] == _GROUP:
            yield item
        elif item.ValueType == "CONTAINER":
            yield from _groups(item.get("ContentSequence") or [])


def _coded(concept: Any) -> Coded:
    return str(concept.value), str(concept.scheme_designator)


def _values(items: list[Any], concept: str) -> list[Any]:
    return [item.value for item in items if _coded(item.name)[0] == concept]


def _require_mark(items: list[Any], mark: Mark, name: str) -> None:
    if _values(items, _TRACKING_UID) != [f"2.25.{mark.identity.int}"]:
        raise Differs(f"{name} is of another mark than the one accepted in its place")
    if [_coded(one) for one in _values(items, _FINDING)] != [(mark.meaning.value, mark.meaning.scheme)]:
        raise Differs(f"{name} means something else than “{mark.meaning.meaning}”")
    if [_coded(one) for one in _values(items, _STATE[0])] != [_STATES[mark.state]]:
        raise Differs(f"{name} does not say that it is {mark.state}")


# Numbers ----------------------------------------------------------------------------------------


def _require_numbers(items: list[Any], mark: Mark, name: str, findings: Findings) -> None:
    found: dict[Meant, Any] = {}
    for item in items:
        if item.ValueType == "NUM":
            meant = _found_meaning(item)
            if meant in found:
                raise Differs(f"{name} gives {item.name.meaning} twice")
            found[meant] = item
    wanted = {_meaning_of(each): (each, value) for each, value in mark.numbers.items()}
    if missing := [each for meant, (each, _) in wanted.items() if meant not in found]:
        raise Differs(f"{name} has no {missing[0]} with its concept, unit and derivation")
    if extra := [item.name.meaning for meant, item in found.items() if meant not in wanted]:
        raise Differs(f"{name} gives {extra[0]} with a concept or unit that was not measured")
    for meant, (each, value) in wanted.items():
        item = found[meant]
        measured = item.MeasuredValueSequence[0]
        told = [float(measured.NumericValue), float(measured.get("FloatingPointValue", value)), item.value]
        for one in told:
            if not abs(float(one) - value) <= NUMBER_SHARE * max(1.0, abs(value)):
                raise Differs(f"{name} says {each} {float(one)!r} instead of {value!r}")
        if (_ESTIMATED in _children(item, _METHOD)) != mark.estimated:
            raise Differs(f"{name} does not say rightly whether {each} is an estimate")
        findings.numbers_compared += 1


def _found_meaning(item: Any) -> Meant:
    derivation = _children(item, _DERIVATION)
    return _coded(item.name), str(item.unit.value), derivation[0] if derivation else None


def _children(item: Any, concept: str) -> list[Coded]:
    children = item.get("ContentSequence") or []
    return [_coded(child.value) for child in children if _coded(child.name)[0] == concept]


def _meaning_of(number: str) -> Meant:
    """Of a measurement, whose unit is the end of its name."""
    stem, _, ending = number.rpartition("_")
    stem = stem or number
    if stem in _CONCEPTS and ending in _UNITS:
        return _CONCEPTS[stem], _UNITS[ending], _DERIVATIONS.get(stem)
    return (number, "99ATLAS"), "1", None


# Segments and shapes ----------------------------------------------------------------------------


def _require_segment(items: list[Any], number: int, name: str) -> None:
    """Where the group points into a binary segmentation, which holds the marks in the same order."""
    for item in items:
        if _coded(item.name)[0] != _SEGMENT:
            continue
        reference = item.ReferencedSOPSequence[0]
        said = int(np.ravel(reference.ReferencedSegmentNumber)[0])
        if str(reference.ReferencedSOPClassUID) == _SEGMENTATION and said != number:
            raise Differs(f"{name} points to segment {said} instead of {number}")


def _shapes(items: list[Any]) -> list[shapes.Shape]:
    """Of the group, and those along which its numbers were measured, each once."""
    found: list[shapes.Shape] = []
    for item in items:
        here = [item] if item.ValueType in ("SCOORD", "SCOORD3D") else []
        if item.ValueType == "NUM":
            children = item.get("ContentSequence") or []
            here = [child for child in children if child.ValueType in ("SCOORD", "SCOORD3D")]
        for each in here:
            shape = _shape(each)
            if not any(shape.is_same(other) for other in found):
                found.append(shape)
    return found


def _shape(item: Any) -> shapes.Shape:
    points: NDArray[np.float64] = np.asarray(item.value, dtype=np.float64)
    image = ("", 1)
    for child in item.get("ContentSequence") or []:
        if child.ValueType == "IMAGE":
            reference = child.ReferencedSOPSequence[0]
            number = reference.get("ReferencedFrameNumber")
            frame = int(np.ravel(number)[0]) if number not in (None, "") else 1
            image = (str(reference.ReferencedSOPInstanceUID), frame)
    return shapes.Shape(
        str(item.GraphicType),
        np.atleast_2d(points),
        str(item.get("ReferencedFrameOfReferenceUID") or ""),
        image,
    )
