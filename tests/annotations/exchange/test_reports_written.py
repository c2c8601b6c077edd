"""Measurement reports: each mark comes back with its place, its numbers, its state and what was answered."""

from dataclasses import replace
from datetime import datetime
from io import BytesIO
from typing import Any
from uuid import UUID

import highdicom as hd
import numpy as np
import pydicom
import pytest

from annotations.exchange.codes import Code
from annotations.exchange.derived import to_image
from annotations.exchange.objects import ObjectIdentity, reference
from annotations.exchange.seg_frames import Segment
from annotations.exchange.seg_writer import write_seg
from annotations.exchange.source import ExchangeError, FrameKey, SourceSeries
from annotations.exchange.sr_numbers import QUANTITIES, quantity_of
from annotations.exchange.sr_reader import read_sr
from annotations.exchange.sr_shapes_writer import Figure
from annotations.exchange.sr_writer import STATES, Evaluation, Group, SegmentReference, write_sr
from annotations.exchange.tables import MEASUREMENTS
from annotations.measures import masks
from annotations.measures.figures import angle_deg, curve_through, figure
from tests.annotations.exchange import makers

NEOPLASM = Code("108369006", "SCT", "Neoplasm")
IDENTITY = ObjectIdentity(("project", 1, 314, "reader-1"), datetime(2026, 11, 22, 9, 30), "Release 1")
FLOAT32_MM = 2e-5  # coordinates of reports have 32 bits

# Kind, its points as (column, row), the kind that a reader makes of it
FIGURES: dict[str, tuple[list[tuple[float, float]], str]] = {
    "length": ([(10, 10), (25, 14)], "length"),
    "bidirectional": ([(10, 10), (14, 10), (12, 5), (12, 17)], "bidirectional"),
    "ellipse": ([(10, 10), (14, 10), (12, 4), (12, 16)], "ellipse"),
    "circle": ([(12, 10), (15, 10)], "ellipse"),
    "rectangle": ([(5, 5), (20, 5), (20, 15), (5, 15)], "polygon"),
    "polygon": ([(5, 5), (20, 5), (11, 15)], "polygon"),
    "freehand": ([(5, 5), (20, 5), (11, 15), (6, 9)], "polygon"),
    "livewire": ([(5, 5), (20, 5), (11, 15), (6, 9)], "polygon"),
    "spline": ([(5, 5), (20, 5), (11, 15), (4, 9)], "polygon"),
    "angle": ([(5, 5), (20, 5), (11, 15)], "line"),
    "cobb": ([(5, 5), (20, 5), (11, 15), (20, 12)], "length"),
    "arrow": ([(5, 5), (20, 5)], "length"),
    "point": ([(5.25, 5.5)], "point"),
}


def drawn(source: SourceSeries, kind: str, index: int = 2) -> tuple[Figure, dict[str, float]]:
    """A figure on a slice, in the patient where that has a place, and its numbers."""
    frame = source.frames[index]
    points = np.array(FIGURES[kind][0], dtype=float)
    image = reference(makers.sop_classes(source), frame.key.sop_instance_uid)
    if len(source.frames_of_instance[frame.key.sop_instance_uid]) > 1:
        image.ReferencedFrameNumber = frame.key.frame_number
    normal = None
    unit = ("px", "px2")
    if frame.has_place:
        along_row, down_column, normal = frame.axes
        columns, rows = (points[:, :1] - 0.5) * frame.column_mm, (points[:, 1:] - 0.5) * frame.row_mm
        points = np.array(frame.position) + columns * along_row + rows * down_column
        unit = ("mm", "mm2")
    try:
        numbers = figure(kind, points, *unit)
    except ValueError:
        numbers = {}
    if kind in ("angle", "cobb"):
        numbers = {"angle_deg": angle_deg(kind, points)}
    return Figure(kind, points, image, source.frame_of_reference_uid, normal), numbers


def group(source: SourceSeries, kind: str, number: int = 1, **more: Any) -> Group:
    shape, numbers = drawn(source, kind)
    key = source.frames[2].key
    values = {"label": kind, "meaning": NEOPLASM, "state": "present", "numbers": numbers} | more
    return Group(UUID(int=number), figure=shape, drawn_on=[key], **values)


def written(source: SourceSeries, groups: list[Group], evaluations: tuple[Evaluation, ...] = ()) -> bytes:
    return write_sr(
        source=source,
        header=makers.header(source),
        sop_classes=makers.sop_classes(source),
        groups=groups,
        evaluations=evaluations,
        observer="reader-1a2b3c4d",
        identity=IDENTITY,
    )


def read(raw: bytes) -> pydicom.Dataset:
    return pydicom.dcmread(BytesIO(raw))


SERIES = {
    "axial": lambda: makers.series(),
    "oblique": lambda: makers.series(orientation=makers.oblique()),
    "against the normal": lambda: makers.series(step_mm=-2.5),
    "tilted": lambda: makers.series(step=(0.0, 0.8, 2.5)),
    "multi-frame": lambda: makers.series(multi_frame=True),
    "without a place": lambda: placeless(),
}


def placeless() -> SourceSeries:
    plain = makers.series()
    nothing = {"position": None, "orientation": None, "row_mm": None, "column_mm": None}
    frames = tuple(replace(frame, **nothing) for frame in plain.frames)
    return replace(plain, frames=frames, frame_of_reference_uid="")


def on_image(source: SourceSeries, shape: Any) -> np.ndarray:
    if shape.points_image is not None:
        return np.array(shape.points_image)
    return to_image(source.frame_at[shape.key], np.array(shape.points_patient_mm))


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("kind", FIGURES)
def test_a_figure_comes_back_on_its_image_with_its_numbers(kind: str, name: str) -> None:
    source = SERIES[name]()
    mark = group(source, kind)
    (back,) = read_sr(read(written(source, [mark])), [source]).groups
    assert (back.label, back.finding, back.tracking_uid) == (kind, NEOPLASM, "2.25.1")
    assert {shape.kind for shape in back.shapes} == {FIGURES[kind][1]}
    assert {shape.key for shape in back.shapes} == {source.frames[2].key}
    wanted = np.array(FIGURES[kind][0], dtype=float)
    if kind == "spline":
        wanted = curve_through(wanted)
    found = np.concatenate([on_image(source, shape) for shape in back.shapes])
    if kind in ("ellipse", "circle"):
        np.testing.assert_allclose(found.mean(axis=0), (12, 10), atol=1e-4)
    elif kind == "bidirectional":
        ends = {tuple(point) for point in np.round(found, 3)}
        assert ends == {tuple(point) for point in wanted}
    else:
        np.testing.assert_allclose(found, wanted, atol=1e-4)
    said = {(one.code.value, one.unit, one.derivation): one.value for one in back.numbers}
    assert len(mark.numbers) > 0 or kind in ("arrow", "point")
    wanted_numbers = {}
    for each, value in mark.numbers.items():
        concept, unit, derivation = quantity_of(each)
        named = (concept.value, unit.value, derivation.meaning if derivation else "")
        wanted_numbers[named] = pytest.approx(value, rel=1e-12)
    assert said == wanted_numbers


def test_coordinates_are_as_near_as_32_bits_allow() -> None:
    source = makers.series()
    shape, _ = drawn(source, "polygon")
    groups = hd.sr.srread(BytesIO(written(source, [group(source, "polygon")]))).content
    (planar,) = groups.get_planar_roi_measurement_groups()
    np.testing.assert_allclose(planar.roi.value[:-1], shape.points, rtol=0, atol=FLOAT32_MM)
    assert planar.roi.frame_of_reference_uid == source.frame_of_reference_uid


def test_the_longer_axis_is_the_long_one_whichever_was_drawn_first() -> None:
    source = makers.series()
    dataset = hd.sr.srread(BytesIO(written(source, [group(source, "bidirectional")])))
    (measured,) = dataset.content.get_image_measurement_groups()
    lengths = {}
    for one in measured.get_measurements():
        (along,) = one.referenced_coordinates
        lengths[one.name.meaning] = (one.value, float(np.linalg.norm(np.diff(along.value, axis=0))))
    assert set(lengths) == {"Long Axis", "Short Axis"}
    assert lengths["Long Axis"][0] > lengths["Short Axis"][0]
    for value, drawn_mm in lengths.values():
        assert value == pytest.approx(drawn_mm, abs=1e-4)


def test_highdicom_finds_each_mark_in_the_template_that_fits_it() -> None:
    source = makers.series()
    groups = [group(source, kind, number) for number, kind in enumerate(FIGURES, start=1)]
    content = hd.sr.srread(BytesIO(written(source, groups))).content
    label = lambda one: one.tracking_identifier
    planar = {label(one) for one in content.get_planar_roi_measurement_groups()}
    assert planar == {
        "ellipse",
        "circle",
        "rectangle",
        "polygon",
        "freehand",
        "livewire",
        "spline",
        "arrow",
        "point",
    }
    assert {label(one) for one in content.get_image_measurement_groups()} == set(FIGURES) - planar
    for one in content.get_planar_roi_measurement_groups():
        assert one.finding_type.value == "108369006"
        assert one.finding_category.value == "49755003"


def test_a_mask_refers_to_its_segment() -> None:
    source = makers.series()
    plane = np.zeros((20, 30), dtype=bool)
    plane[3:6, 4:9] = True
    planes = {source.frames[1].key: masks.encode(plane)}
    segments = [Segment("Node", NEOPLASM, {}), Segment("Tumour", NEOPLASM, planes)]
    seg = read(
        write_seg(
            source=source,
            header=makers.header(source),
            sop_classes=makers.sop_classes(source),
            segments=segments,
            identity=IDENTITY,
        )
    )
    named = SegmentReference(seg.SOPClassUID, seg.SOPInstanceUID, seg.SeriesInstanceUID, 2)
    assert IDENTITY.instance_uid("seg", source) == seg.SOPInstanceUID
    assert IDENTITY.instance_uid("seg series", source) == seg.SeriesInstanceUID
    numbers = {"voxels": 15, "slices": 1, "volume_ml": 0.0234375, "longest_3d_mm": 6.5, "long_axis_mm": 6.5}
    mark = Group(UUID(int=7), "Tumour", NEOPLASM, "present", numbers, segment=named, drawn_on=list(planes))
    raw = written(source, [mark])
    (back,) = read_sr(read(raw), [source]).groups
    assert back.segments == ((seg.SOPInstanceUID, 2),)
    (volumetric,) = hd.sr.srread(BytesIO(raw)).content.get_volumetric_roi_measurement_groups()
    assert volumetric.referenced_segment.referenced_segment_numbers == [2]
    assert volumetric.referenced_segment.source_series_for_segmentation.value == source.series_instance_uid
    said = {(one.name, one.derivation): (one.value, one.unit) for one in back.numbers}
    assert said["Diameter", "Maximum"] == (6.5, "mm")
    assert said["Volume", ""] == (0.0234375, "mL")
    assert said["Voxels", ""] == (15, "{voxels}")
    evidence = read(raw).CurrentRequestedProcedureEvidenceSequence
    named_there = {
        one.ReferencedSOPInstanceUID
        for study in evidence
        for series in study.ReferencedSeriesSequence
        for one in series.ReferencedSOPSequence
    }
    assert named_there == {seg.SOPInstanceUID, source.frames[1].key.sop_instance_uid}


def test_a_mask_without_a_segmentation_names_its_images() -> None:
    source = makers.series()
    keys = [source.frames[index].key for index in (1, 2)]
    mark = Group(UUID(int=7), "Tumour", NEOPLASM, "present", {"voxels": 15}, drawn_on=keys)
    raw = written(source, [mark])
    (measured,) = hd.sr.srread(BytesIO(raw)).content.get_image_measurement_groups()
    uids = [one.referenced_sop_instance_uid for one in measured.source_images]
    assert uids == [key.sop_instance_uid for key in keys]
    (back,) = read_sr(read(raw), [source]).groups
    assert back.sources == (source,)


def test_a_mark_on_one_of_several_phases_comes_back_on_that() -> None:
    plain = makers.series(slices=3)
    again = tuple(replace(one, key=FrameKey(f"{one.key.sop_instance_uid}.7", 1)) for one in plain.frames)
    source = replace(plain, frames=(*again[:2], plain.frames[2], *plain.frames[:2], again[2]))
    (back,) = read_sr(read(written(source, [group(source, "polygon")])), [source]).groups
    assert [shape.key for shape in back.shapes] == [source.frames[2].key]


# What is said in words and terms ------------------------------------------------------------------


def content_of(raw: bytes) -> list[tuple[str, str, str]]:
    """(value type, concept, value) of everything in the document."""
    found = []

    def walk(item: pydicom.Dataset) -> None:
        for child in item.get("ContentSequence", ()):
            name = child.ConceptNameCodeSequence[0] if "ConceptNameCodeSequence" in child else None
            value = ""
            if "ConceptCodeSequence" in child:
                value = child.ConceptCodeSequence[0].CodeMeaning
            elif "TextValue" in child:
                value = child.TextValue
            elif "PersonName" in child:
                value = str(child.PersonName)
            found.append((child.ValueType, name.CodeMeaning if name is not None else "", value))
            walk(child)

    walk(read(raw))
    return found


@pytest.mark.parametrize("state", STATES)
def test_the_state_of_a_mark_is_an_evaluation(state: str) -> None:
    source = makers.series()
    said = content_of(written(source, [group(source, "point", state=state)]))
    assert ("CODE", "Is it in the case?", STATES[state].meaning) in said


def test_answers_notes_and_what_is_missing_are_told() -> None:
    source = makers.series()
    question = Code("margin", "99ATLAS", "How is the margin?")
    mark = group(
        source,
        "polygon",
        evaluations=[Evaluation(question, [Code("129741001", "SCT", "Spiculated"), "in part"])],
        comments=["Beside the vessel", "", "No millimetres here."],
        estimated=True,
    )
    about_case = Evaluation(Code("node", "99ATLAS", "Lymph node"), [STATES["absent"]])
    said = content_of(written(source, [mark], (about_case,)))
    assert ("CODE", "How is the margin?", "Spiculated") in said
    assert ("TEXT", "How is the margin?", "in part") in said
    assert ("TEXT", "Comment", "Beside the vessel") in said
    assert ("TEXT", "Comment", "No millimetres here.") in said
    assert ("CODE", "Measurement Method", "Estimated") in said
    assert said.index(("CONTAINER", "Qualitative Evaluations", "")) < said.index(
        ("CODE", "Lymph node", "Absent")
    )
    assert ("PNAME", "Person Observer Name", "reader-1a2b3c4d") in said
    assert ("CODE", "Procedure reported", "Computed tomography") in said


def test_answers_alone_are_a_report() -> None:
    source = makers.series()
    said = content_of(written(source, [], (Evaluation(Code("q", "99ATLAS", "Contrast?"), ["yes"]),)))
    assert ("TEXT", "Contrast?", "yes") in said
    assert "Imaging Measurements" not in [name for _, name, _ in said]


def test_every_measurement_of_the_tables_has_a_concept_and_no_two_the_same() -> None:
    assert set(MEASUREMENTS) <= set(QUANTITIES)
    meant = [(q.concept.value, q.concept.scheme, q.unit.value, q.derivation) for q in QUANTITIES.values()]
    assert len(set(meant)) == len(meant)


def test_the_same_marks_give_the_same_bytes() -> None:
    source = makers.series()
    groups = [group(source, kind, number) for number, kind in enumerate(FIGURES, start=1)]
    assert written(source, groups) == written(source, groups)


def test_a_mark_on_an_image_of_another_series_is_refused() -> None:
    source = makers.series()
    mark = replace(group(source, "point"), drawn_on=[FrameKey("1.2.3.999", 1)])
    with pytest.raises(ExchangeError, match=r"1\.2\.3\.999, which is not in series"):
        written(source, [mark])


def test_nothing_is_no_report() -> None:
    with pytest.raises(ExchangeError, match="needs a mark or an answer"):
        written(makers.series(), [])
