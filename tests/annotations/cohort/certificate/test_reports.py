"""Structured reports, read back by highdicom: numbers, units, codes and coordinates; any damage is found."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from uuid import UUID

import numpy as np
import pydicom
import pytest

from annotations.cohort.certificate import reports
from annotations.cohort.certificate.findings import Differs, Findings
from annotations.cohort.formats.plan import Report
from annotations.exchange.marks import Mark
from annotations.exchange.objects import ObjectIdentity, reference
from annotations.exchange.sr_shapes_writer import Figure
from annotations.exchange.sr_writer import Group, SegmentReference, write_sr
from annotations.measures.figures import POINTS_LEAST_AND_MOST, angle_deg, figure
from tests.annotations.cohort.certificate.marks import TUMOUR, a_series, marks_on, stored
from tests.annotations.exchange.makers import header, sop_classes

SOURCE = a_series()
IDENTITY = ObjectIdentity(("release", 1), datetime(2026, 11, 22, tzinfo=UTC), "Release 1")
SEG = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.3.77", "1.2.3.78")

ON_IMAGE = {  # column and row, from the corner of the image
    "length": [(2.5, 3), (9, 8.25)],
    "bidirectional": [(3, 8), (8, 8), (5, 3), (5, 14)],  # the second axis is the longer one
    "ellipse": [(3, 8), (8, 8), (5.5, 2), (5.5, 14)],
    "circle": [(15, 10), (19, 12)],
    "rectangle": [(2, 2), (9, 2), (9, 7), (2, 7)],
    "polygon": [(2, 2), (9, 3), (7, 9)],
    "freehand": [(2, 2), (9, 3), (7, 9), (4, 8)],
    "spline": [(2, 2), (9, 3), (12, 11), (3, 9)],
    "livewire": [(2, 2), (9, 3), (7, 9), (5, 5)],
    "angle": [(2, 2), (9, 3), (7, 9)],
    "cobb": [(2, 2), (9, 3), (7, 9), (12, 18)],
    "arrow": [(2, 2), (9, 3)],
    "point": [(4, 4)],
}


def in_patient(points: list[tuple[float, float]]) -> list[list[float]]:
    frame = SOURCE.frames[2]
    along_row, down_column, _ = frame.axes
    return [
        (
            np.array(frame.position)
            + (column - 0.5) * frame.column_mm * along_row
            + (row - 0.5) * frame.row_mm * down_column
        ).tolist()
        for column, row in points
    ]


def a_figure(kind: str, *, flat: bool = False, number: int = 50) -> Mark:
    frame = SOURCE.frames[2]
    value: dict[str, Any] = {"kind": kind, "label": "tumour", "state": "present"}
    value |= {"sop": frame.key.sop_instance_uid, "frame": 1}
    if kind == "box":
        corner, one, other = in_patient([(2, 2), (9, 2), (2, 8)])
        fourth = (np.array(corner) + frame.axes[2] * 7).tolist()
        points = value["points_patient_mm"] = [corner, one, other, fourth]
    elif flat:
        points = value["points_image"] = [list(point) for point in ON_IMAGE[kind]]
    else:
        points = value["points_patient_mm"] = in_patient(ON_IMAGE[kind])
    numbers = figure(kind, points, *(("px", "px2") if flat else ("mm", "mm2")))
    if kind in ("angle", "cobb"):
        numbers["angle_deg"] = angle_deg(kind, points)
    return Mark(identity=UUID(int=number), value=value, label=TUMOUR, source=SOURCE, numbers=numbers)


def with_numbers(mark: Mark) -> Mark:
    numbers = {"voxels": 143, "slices": 3, "volume_ml": 0.13242579545515315, "longest_3d_mm": 9.081018608}
    return replace(mark, numbers=numbers | {"long_axis_mm": 8.399793710266938})


SEGMENTS = [with_numbers(mark) for mark in marks_on(SOURCE)]
EVERYTHING = [*SEGMENTS, *(a_figure(kind, number=60 + n) for n, kind in enumerate([*ON_IMAGE, "box"]))]


def group_of(mark: Mark, segment: int | None) -> Group:
    points = mark.value.get("points_patient_mm") or mark.value.get("points_image")
    shape = None
    if points:
        classes = sop_classes(SOURCE)
        shape = Figure(
            kind=mark.kind,
            points=np.array(points, dtype=float),
            image=reference(classes, mark.value["sop"]),
            frame_of_reference_uid=SOURCE.frame_of_reference_uid,
            normal=SOURCE.frames[2].axes[2],
        )
    return Group(
        identity=mark.identity,
        label="Tumour",
        meaning=mark.meaning,
        state=mark.state,
        numbers=mark.numbers,
        figure=shape,
        segment=SegmentReference(*SEG, segment) if segment else None,
        drawn_on=[SOURCE.frames[2].key],
        estimated=mark.estimated,
    )


def a_report(marks: list[Mark]) -> bytes:
    segments = [mark.identity for mark in marks if mark.becomes_mask]
    return write_sr(
        source=SOURCE,
        header=header(SOURCE),
        sop_classes=sop_classes(SOURCE),
        groups=[
            group_of(mark, segments.index(mark.identity) + 1 if mark.becomes_mask else None) for mark in marks
        ],
        evaluations=[],
        observer="reader-1",
        identity=IDENTITY,
    )


def check(content: bytes, marks: list[Mark]) -> Findings:
    findings = Findings()
    reports.report(Report(stored(SOURCE), marks), BytesIO(content), findings)
    return findings


def test_a_report_of_every_kind_of_mark_is_as_it_must_be() -> None:
    assert {mark.kind for mark in EVERYTHING} == {*POINTS_LEAST_AND_MOST, "segment"}
    found = check(a_report(EVERYTHING), EVERYTHING)
    assert found.numbers_compared == sum(len(mark.numbers) for mark in EVERYTHING) > 40
    assert found.coordinates_compared > 3 * 40


@pytest.mark.parametrize("kind", ON_IMAGE)
def test_figures_on_images_without_a_place_are_as_they_must_be(kind: str) -> None:
    mark = a_figure(kind, flat=True)
    assert check(a_report([mark]), [mark]).coordinates_compared >= 2


def test_an_estimate_is_said_to_be_one() -> None:
    mark = a_figure("length", flat=True)
    guessed = replace(mark, estimated=True)
    assert check(a_report([guessed]), [guessed]).numbers_compared == 1
    for written, accepted in ((mark, guessed), (guessed, mark)):
        with pytest.raises(Differs, match="estimate"):
            check(a_report([written]), [accepted])


def changed(content: bytes, change: Callable[[list[pydicom.Dataset]], object]) -> bytes:
    """`change` gets the groups of measurements."""
    dataset = pydicom.dcmread(BytesIO(content))
    [measurements] = [
        item for item in dataset.ContentSequence if item.ConceptNameCodeSequence[0].CodeValue == "126010"
    ]
    change(measurements.ContentSequence)
    stream = BytesIO()
    dataset.save_as(stream)
    return stream.getvalue()


def number_of(group: pydicom.Dataset, at: int = 0) -> pydicom.Dataset:
    return [item for item in group.ContentSequence if item.ValueType == "NUM"][at]


def measured(groups, by: float, *, both: bool = True) -> None:
    value = number_of(groups[0], 2).MeasuredValueSequence[0]
    if both:
        value.FloatingPointValue += by
    value.NumericValue = pydicom.valuerep.DS(float(value.NumericValue) + by, auto_format=True)


def unit(groups, code: str) -> None:
    number_of(groups[0], 2).MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue = code


def concept(groups) -> None:
    number_of(groups[0], 4).ConceptNameCodeSequence[0].CodeValue = "103340004"


def derivation(groups) -> None:
    del number_of(groups[0], 3).ContentSequence


def shape_of(group: pydicom.Dataset) -> pydicom.Dataset:
    for item in group.ContentSequence:
        for one in (item, *item.get("ContentSequence", ())):
            if one.ValueType in ("SCOORD", "SCOORD3D"):
                return one
    raise AssertionError("no shape")


def without_number(groups) -> None:
    group = groups[0]
    group.ContentSequence = [item for item in group.ContentSequence if item is not number_of(group)]


def swapped(groups) -> None:
    groups[0], groups[1] = groups[1], groups[0]


def item_of(group: pydicom.Dataset, code: str) -> pydicom.Dataset:
    return next(one for one in group.ContentSequence if one.ConceptNameCodeSequence[0].CodeValue == code)


def finding(groups) -> None:
    item_of(groups[0], "121071").ConceptCodeSequence[0].CodeValue = "52988006"


def state(groups) -> None:
    item_of(groups[0], "state").ConceptCodeSequence[0].CodeValue = "272519000"


def segment(groups) -> None:
    item_of(groups[0], "121191").ReferencedSOPSequence[0].ReferencedSegmentNumber = 2


NUMBER_DAMAGE = {
    "off by a thousandth": lambda g: measured(g, 1e-3),
    "off by a millionth": lambda g: measured(g, 1e-6),
    "only as decimal string": lambda g: measured(g, 1e-3, both=False),
    "negative": lambda g: measured(g, -0.2648),
    "wrong unit": lambda g: unit(g, "mm"),
    "unit of a thousand": lambda g: unit(g, "L"),
    "wrong concept": concept,
    "no derivation": derivation,
    "a number missing": without_number,
    "groups swapped": swapped,
    "a group missing": lambda g: g.pop(),
    "another finding": finding,
    "another state": state,
    "another segment": segment,
}


@pytest.mark.parametrize("damage", NUMBER_DAMAGE.values(), ids=NUMBER_DAMAGE.keys())
def test_every_damage_to_a_number_is_found(damage: Callable) -> None:
    with pytest.raises(Differs):
        check(changed(a_report(SEGMENTS), damage), SEGMENTS)


def moved(groups, by: np.ndarray, point: int | None = None) -> None:
    shape = shape_of(groups[0])
    points = np.array(shape.GraphicData, dtype=float).reshape(-1, len(by))
    points[slice(None) if point is None else point] += by
    shape.GraphicData = points.ravel().tolist()


def turned_around(groups) -> None:
    shape = shape_of(groups[0])
    shape.GraphicData = np.array(shape.GraphicData).reshape(-1, 3)[::-1].ravel().tolist()


def space(groups) -> None:
    shape_of(groups[0]).ReferencedFrameOfReferenceUID = "1.2.3.4"


@pytest.mark.parametrize("kind", [*ON_IMAGE, "box"])
@pytest.mark.parametrize("point", [None, 0, -1])
def test_a_point_that_moved_is_found_in_every_figure(kind: str, point: int | None) -> None:
    mark = a_figure(kind)
    content = changed(a_report([mark]), lambda g: moved(g, np.array([0, 0.01, 0]), point))
    with pytest.raises(Differs):
        check(content, [mark])


@pytest.mark.parametrize("kind", ON_IMAGE)
def test_half_a_pixel_is_found_in_figures_on_images(kind: str) -> None:
    mark = a_figure(kind, flat=True)
    content = changed(a_report([mark]), lambda g: moved(g, np.array([0.5, 0.5])))
    with pytest.raises(Differs):
        check(content, [mark])


@pytest.mark.parametrize("kind", ["polygon", "length", "angle", "spline"])
def test_points_in_another_order_or_space_are_found(kind: str) -> None:
    mark = a_figure(kind)
    for damage in (turned_around, space):
        with pytest.raises(Differs):
            check(changed(a_report([mark]), damage), [mark])


def test_another_image_is_found() -> None:
    mark = a_figure("polygon", flat=True)

    def elsewhere(groups) -> None:
        shape_of(groups[0]).ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID = "1.2.3.9.1"

    with pytest.raises(Differs, match="another image"):
        check(changed(a_report([mark]), elsewhere), [mark])


def test_what_is_no_report_is_refused() -> None:
    with pytest.raises(Differs, match="highdicom can't open it"):
        check(a_report(SEGMENTS)[:2000], SEGMENTS)


def test_the_sentence_says_which_number() -> None:
    content = changed(a_report(SEGMENTS), NUMBER_DAMAGE["off by a thousandth"])
    with pytest.raises(
        Differs, match=r"group 1 \(Tumour, segment\) says volume_ml 0\.1334257.* instead of 0\.1324"
    ):
        check(content, SEGMENTS)
