"""Structure sets, read back by pydicom: regions enclose the voxels that were drawn, any damage is found."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from uuid import UUID

import numpy as np
import pydicom
import pytest

from annotations.cohort.certificate import contours, journal
from annotations.cohort.certificate.findings import Differs, Findings
from annotations.cohort.formats.plan import Contours as Expected
from annotations.exchange.marks import Mark
from annotations.exchange.objects import ObjectIdentity
from annotations.exchange.rtstruct_writer import Region, outline_of_figure, outlines_of_mask, write_rtstruct
from tests.annotations.cohort.certificate.marks import TUMOUR, a_series, marks_on, stored
from tests.annotations.exchange.makers import header, sop_classes

SOURCE = a_series()
IDENTITY = ObjectIdentity(("release", 1), datetime(2026, 11, 22, tzinfo=UTC), "Release 1")


def a_figure(kind: str, *points: tuple[float, float], source=SOURCE, number: int = 50) -> Mark:
    """Points are column and row, counted from the centre of the first pixel."""
    frame = source.frames[2]
    along_row, down_column, _ = frame.axes
    placed = [
        np.array(frame.position) + column * frame.column_mm * along_row + row * frame.row_mm * down_column
        for column, row in points
    ]
    value = {
        "kind": kind,
        "label": "tumour",
        "state": "present",
        "sop": frame.key.sop_instance_uid,
        "frame": frame.key.frame_number,
        "points_patient_mm": [point.tolist() for point in placed],
    }
    return Mark(identity=UUID(int=number), value=value, label=TUMOUR, source=source)


FIGURES = [
    a_figure("ellipse", (3, 8), (13, 8), (8, 5), (8, 11)),
    a_figure("circle", (15, 10), (19, 10)),
    a_figure("polygon", (2, 2), (9, 3), (7, 9)),
    a_figure("spline", (2, 2), (9, 3), (12, 11), (3, 9)),
]


def a_structure_set(marks, source=SOURCE) -> bytes:
    def outlines(mark: Mark):
        if mark.becomes_mask:
            return outlines_of_mask(source, mark.planes)
        frame = source.frames[2]
        points = outline_of_figure(mark.kind, mark.value["points_patient_mm"], normal=frame.axes[2])
        return {frame.key: [points]}

    return write_rtstruct(
        source=source,
        header=header(source),
        sop_classes=sop_classes(source),
        regions=[
            Region(f"Region {n}", mark.meaning, outlines(mark), identity=mark.identity)
            for n, mark in enumerate(marks, 1)
        ],
        identity=IDENTITY,
    )


def check(content: bytes, marks, source=SOURCE) -> Findings:
    findings = Findings()
    overlapping = journal.overlapping([mark for mark in marks if mark.becomes_mask])
    contours.contours(Expected(stored(source), marks), BytesIO(content), findings, overlapping=overlapping)
    return findings


@pytest.mark.parametrize("source", [SOURCE, a_series(multi_frame=True), a_series(step_mm=-2.5)])
def test_masks_come_back_from_their_outlines_with_holes_and_the_empty_one(source) -> None:
    marks = marks_on(source)
    found = check(a_structure_set(marks, source), marks, source)
    assert (found.regions_compared, found.voxels_within_tolerance) == (4, 0)
    assert found.largest_surface_distance_mm == 0
    assert (found.empty, found.empty_kept, found.overlapping, found.overlapping_kept) == (1, 1, 2, 2)


@pytest.mark.parametrize("figure", FIGURES, ids=lambda mark: mark.kind)
def test_figures_come_back_as_drawn_or_nearly(figure: Mark) -> None:
    found = check(a_structure_set([figure]), [figure])
    assert found.largest_surface_distance_mm == pytest.approx(0, abs=0.01)
    assert found.coordinates_compared >= 9


def changed(content: bytes, change: Callable[[pydicom.Dataset], object]) -> bytes:
    dataset = pydicom.dcmread(BytesIO(content))
    change(dataset)
    stream = BytesIO()
    dataset.save_as(stream)
    return stream.getvalue()


def drawn(dataset: pydicom.Dataset, region: int = 0) -> list[pydicom.Dataset]:
    return list(dataset.ROIContourSequence[region].ContourSequence)


def points(dataset: pydicom.Dataset, change: Callable[[np.ndarray], np.ndarray], region: int = 0) -> None:
    for contour in drawn(dataset, region):
        moved = change(np.array(contour.ContourData, dtype=float).reshape(-1, 3))
        contour.ContourData = [f"{value:.6f}" for value in moved.ravel()]


ALONG, DOWN, NORMAL = SOURCE.frames[0].axes


def images_shifted(dataset: pydicom.Dataset) -> None:
    """Outlines and the images they name go one slice on."""
    points(dataset, lambda p: p + NORMAL * 2.5)
    uids = [frame.key.sop_instance_uid for frame in SOURCE.frames]
    for contour in drawn(dataset):
        image = contour.ContourImageSequence[0]
        image.ReferencedSOPInstanceUID = uids[uids.index(image.ReferencedSOPInstanceUID) + 1]


def regions_swapped(dataset: pydicom.Dataset) -> None:
    one, other = dataset.ROIContourSequence[0], dataset.ROIContourSequence[1]
    one.ReferencedROINumber, other.ReferencedROINumber = 2, 1


def one_outline_less(dataset: pydicom.Dataset) -> None:
    del dataset.ROIContourSequence[0].ContourSequence[1]


def the_empty_one_missing(dataset: pydicom.Dataset) -> None:
    dataset.StructureSetROISequence.pop()


def hole_lost(dataset: pydicom.Dataset) -> None:
    """The largest outline of the second slice, without its way into the hole."""
    [contour] = [one for one in drawn(dataset) if one.NumberOfContourPoints > 10]
    frame = SOURCE.frames[2]
    corners = [(4.5, 2.5), (11.5, 2.5), (11.5, 8.5), (4.5, 8.5)]
    placed = [
        np.array(frame.position) + c * frame.column_mm * ALONG + r * frame.row_mm * DOWN for c, r in corners
    ]
    contour.ContourData = [f"{value:.6f}" for value in np.ravel(placed)]
    contour.NumberOfContourPoints = 4


def frame_of_reference(dataset: pydicom.Dataset) -> None:
    dataset.StructureSetROISequence[1].ReferencedFrameOfReferenceUID = "1.2.3.4"


def another_code(dataset: pydicom.Dataset) -> None:
    dataset.RTROIObservationsSequence[0].RTROIIdentificationCodeSequence[0].CodeValue = "52988006"


def mirrored(p: np.ndarray) -> np.ndarray:
    origin = np.array(SOURCE.frames[0].position)
    across = (p - origin) @ ALONG
    return p + np.outer(29 * 0.9 - 2 * across, ALONG)


DAMAGE = {
    "columns flipped": lambda d: points(d, mirrored),
    "one voxel along a row": lambda d: points(d, lambda p: p + ALONG * 0.9),
    "one voxel down a column": lambda d: points(d, lambda p: p + DOWN * 0.7),
    "one slice on": images_shifted,
    "off its image": lambda d: points(d, lambda p: p + NORMAL * 0.5),
    "larger": lambda d: points(d, lambda p: (p - p.mean(axis=0)) * 1.3 + p.mean(axis=0)),
    "regions swapped": regions_swapped,
    "an outline missing": one_outline_less,
    "the empty one missing": the_empty_one_missing,
    "a hole lost": hole_lost,
    "another frame of reference": frame_of_reference,
    "another meaning": another_code,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_every_damage_to_a_region_is_found(damage: Callable[[pydicom.Dataset], object]) -> None:
    marks = marks_on(SOURCE)
    with pytest.raises(Differs):
        check(changed(a_structure_set(marks), damage), marks)


@pytest.mark.parametrize("figure", FIGURES, ids=lambda mark: mark.kind)
@pytest.mark.parametrize(
    "change", [lambda p: p + ALONG * 0.4, lambda p: (p - p.mean(axis=0)) * 1.2 + p.mean(axis=0)]
)
def test_a_figure_that_moved_or_grew_is_found(figure: Mark, change: Callable) -> None:
    content = changed(a_structure_set([figure]), lambda d: points(d, change))
    with pytest.raises(Differs, match="mm from what was drawn"):
        check(content, [figure])


def test_a_point_off_by_a_thousandth_of_what_is_drawn_is_found() -> None:
    figure = FIGURES[2]
    content = changed(a_structure_set([figure]), lambda d: points(d, lambda p: p + np.array([0.0015, 0, 0])))
    with pytest.raises(Differs):
        check(content, [figure])


def test_the_sentence_says_where() -> None:
    marks = marks_on(SOURCE)
    content = changed(a_structure_set(marks), DAMAGE["one voxel down a column"])
    with pytest.raises(Differs, match=r"region 1 .*slice 2, row 4, column 6: surfaces lie 0.700 mm apart"):
        check(content, marks)
