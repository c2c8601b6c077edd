"""Measurement reports and presentation states: read from files that highdicom wrote, or hand-made ones."""

from io import BytesIO

import highdicom as hd
import numpy as np
import pytest
from highdicom.sr import (
    CodedConcept,
    Comprehensive3DSR,
    FindingSite,
    ImageRegion,
    ImageRegion3D,
    Measurement,
    MeasurementReport,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    SourceImageForRegion,
    TrackingIdentifier,
)
from pydicom import Dataset, dcmread
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage

from annotations.exchange.pr_reader import read_pr
from annotations.exchange.source import ExchangeError, SourceSeries
from annotations.exchange.sr_reader import named_by, read_sr
from tests.annotations.exchange import makers

LONG = CodedConcept("103339001", "SCT", "Long axis")
SHORT = CodedConcept("103340004", "SCT", "Short axis")


def image_of(source: SourceSeries, index: int) -> Dataset:
    image = makers.header(source)
    frame = source.frames[index]
    image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, frame.key.sop_instance_uid
    image.SeriesInstanceUID, image.Modality = source.series_instance_uid, "CT"
    image.SeriesNumber = image.InstanceNumber = 1
    image.Rows, image.Columns = frame.rows, frame.columns
    image.PatientName = ""
    return image


def group(source: SourceSeries, region, *, name="Lesion 1", measurements=()) -> object:
    return PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=hd.UID("1.2.3.99"), identifier=name),
        referenced_region=region,
        finding_type=codes.SCT.Neoplasm,
        finding_sites=[FindingSite(anatomic_location=codes.SCT.Lung)],
        measurements=measurements
        or [
            Measurement(
                name=codes.SCT.Diameter, value=12.5, unit=codes.UCUM.Millimeter, derivation=codes.SCT.Maximum
            )
        ],
    )


def report(source: SourceSeries, groups: list) -> Dataset:
    observer = ObserverContext(
        observer_type=codes.DCM.Person,
        observer_identifying_attributes=PersonObserverIdentifyingAttributes("R^"),
    )
    content = MeasurementReport(
        observation_context=ObservationContext(observer_person_context=observer),
        procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
        imaging_measurements=groups,
    )
    return Comprehensive3DSR(
        evidence=[image_of(source, index) for index in range(len(source.frames))],
        content=content[0],
        series_instance_uid="1.2.77",
        sop_instance_uid="1.2.77.1",
        series_number=9,
        instance_number=1,
        manufacturer="Tests",
    )


def on_image(source: SourceSeries, index: int) -> SourceImageForRegion:
    return SourceImageForRegion(CTImageStorage, source.frames[index].key.sop_instance_uid)


def in_patient(source: SourceSeries, index: int, corners) -> np.ndarray:
    """Patient mm of columns and rows as in SCOORD."""
    frame = source.frames[index]
    along_row, down_column, _ = frame.axes
    return np.array(
        [
            np.array(frame.position)
            + along_row * frame.column_mm * (column - 0.5)
            + down_column * frame.row_mm * (row - 0.5)
            for column, row in corners
        ]
    )


def test_a_region_on_an_image_comes_with_its_numbers():
    source = makers.series()
    corners = np.array([[3.0, 4.0], [9.0, 4.0], [9.0, 10.0], [3.0, 4.0]])
    region = ImageRegion("POLYLINE", corners, source_image=on_image(source, 2))
    read = read_sr(report(source, [group(source, region)]), [source])
    assert read.is_whole
    (one,) = read.groups
    assert (one.label, one.tracking_uid) == ("Lesion 1", "1.2.3.99")
    assert (one.finding.value, one.site.meaning) == ("108369006", "Lung")
    (number,) = one.numbers
    assert (number.name, number.value, number.unit, number.derivation) == ("Diameter", 12.5, "mm", "Maximum")
    (shape,) = one.shapes
    assert (shape.kind, shape.key) == ("polygon", source.frames[2].key)
    np.testing.assert_allclose(shape.points_patient_mm, in_patient(source, 2, corners[:3]), atol=1e-6)


def test_a_region_in_the_patient_finds_its_slice():
    source = makers.series(orientation=makers.oblique(), step_mm=-2.5)
    corners = [(3.0, 4.0), (9.0, 4.0), (9.0, 10.0), (3.0, 4.0)]
    points = in_patient(source, 3, corners)
    region = ImageRegion3D("POLYGON", points, frame_of_reference_uid=makers.FRAME_OF_REFERENCE)
    read = read_sr(report(source, [group(source, region)]), [source])
    (shape,) = read.groups[0].shapes
    assert shape.key == source.frames[3].key
    np.testing.assert_allclose(shape.points_patient_mm, points[:3], atol=1e-4)
    assert not read.is_whole  # another series of the same place may come


def test_a_region_in_the_patient_off_every_slice_is_said():
    source = makers.series()
    corners = in_patient(source, 3, [(3, 4), (9, 4), (9, 10), (3, 4)])
    normal = source.frames[0].axes[2]
    upright = corners + np.array([[0], [0], [30], [0]]) * normal
    region = ImageRegion3D("POLYLINE", upright, frame_of_reference_uid=makers.FRAME_OF_REFERENCE)
    with pytest.raises(ExchangeError, match="lies in the plane of no image"):
        read_sr(report(source, [group(source, region)]), [source])


def test_images_without_a_place_keep_columns_and_rows():
    plain = makers.series()
    frames = tuple(
        type(frame)(**{**frame.__dict__, "position": None, "orientation": None}) for frame in plain.frames
    )
    source = SourceSeries(**{**plain.__dict__, "frames": frames})
    region = ImageRegion("POINT", np.array([[4.5, 6.5]]), source_image=on_image(source, 0))
    read = read_sr(report(source, [group(source, region)]), [source])
    (shape,) = read.groups[0].shapes
    assert (shape.kind, shape.points_image, shape.points_patient_mm) == ("point", ((4.5, 6.5),), None)


def test_a_circle_becomes_an_ellipse_of_four_ends():
    source = makers.series(row_mm=0.9)
    region = ImageRegion("CIRCLE", np.array([[10.0, 8.0], [13.0, 8.0]]), source_image=on_image(source, 0))
    (shape,) = read_sr(report(source, [group(source, region)]), [source]).groups[0].shapes
    assert shape.kind == "ellipse"
    expected = in_patient(source, 0, [(7, 8), (13, 8), (10, 5), (10, 11)])
    np.testing.assert_allclose(shape.points_patient_mm, expected, atol=1e-6)


def test_a_long_and_a_short_axis_are_one_mark_of_two_diameters():
    """Both stand below their numbers, as TID 300 lets them."""
    source = makers.series()
    region = ImageRegion("POINT", np.array([[1.5, 1.5]]), source_image=on_image(source, 1))
    dataset = report(source, [group(source, region)])
    container = next(
        item for item in _walk(dataset) if item.ValueType == "NUM"
    )  # its group gets two numbers with lines
    siblings = next(item for item in _walk(dataset) if container in item.get("ContentSequence", []))
    siblings.ContentSequence = [
        item for item in siblings.ContentSequence if item.ValueType not in ("NUM", "SCOORD")
    ] + [
        _diameter(LONG, [[2.5, 5.5], [12.5, 5.5]], source, 1),
        _diameter(SHORT, [[7.5, 2.5], [7.5, 8.5]], source, 1),
    ]
    (one,) = read_sr(dataset, [source]).groups
    assert [number.name for number in one.numbers] == ["Long axis", "Short axis"]
    (shape,) = one.shapes
    assert (shape.kind, len(shape.points_patient_mm)) == ("bidirectional", 4)


def _walk(item: Dataset):
    for child in item.get("ContentSequence", []):
        yield child
        yield from _walk(child)


def _diameter(name: CodedConcept, ends, source: SourceSeries, index: int) -> Dataset:
    number = Measurement(name=name, value=5.0, unit=codes.UCUM.Millimeter)[0]
    line = ImageRegion("POLYLINE", np.array(ends), source_image=on_image(source, index))
    line.RelationshipType = "INFERRED FROM"
    number.ContentSequence = [line]
    return number


def test_images_that_are_not_here_are_waited_for():
    source, other = makers.series(), makers.series(uid="8.8")
    region = ImageRegion(
        "POLYLINE",
        np.array([[3.0, 4.0], [9.0, 4.0], [9.0, 10.0], [3.0, 4.0]]),
        source_image=on_image(source, 2),
    )
    dataset = report(source, [group(source, region)])
    assert named_by(dataset).instances == {source.frames[2].key.sop_instance_uid}
    with pytest.raises(ExchangeError, match="not here"):
        read_sr(dataset, [other])


def test_other_reports_say_what_they_are():
    dose = Dataset()
    dose.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.22"
    title = Dataset()
    title.CodeValue, title.CodingSchemeDesignator, title.CodeMeaning = "113701", "DCM", "X-Ray Dose Report"
    dose.ConceptNameCodeSequence = [title]
    with pytest.raises(ExchangeError, match=r"“X-Ray Dose Report”\) is no imaging measurement report"):
        read_sr(dose, [])


def test_a_report_of_endless_depth_is_not_followed():
    source = makers.series()
    region = ImageRegion("POINT", np.array([[1.5, 1.5]]), source_image=on_image(source, 1))
    dataset = report(source, [group(source, region)])
    stream = BytesIO()
    dataset.save_as(stream)
    dataset = dcmread(BytesIO(stream.getvalue()))
    item = dataset.ContentSequence[-1]
    for _ in range(60):
        below = Dataset()
        below.ValueType, below.RelationshipType = "CONTAINER", "CONTAINS"
        item.ContentSequence = [*item.get("ContentSequence", []), below]
        item = below
    with pytest.raises(ExchangeError, match="deeper than any report"):
        read_sr(dataset, [source])


# Presentation states ----------------------------------------------------------------------------


def presentation(source: SourceSeries, *annotations: Dataset, images=(0, 1), windows=()) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.11.1", "1.2.55"
    series = Dataset()
    series.SeriesInstanceUID = source.series_instance_uid
    series.ReferencedImageSequence = [_named(source, index) for index in images]
    dataset.ReferencedSeriesSequence = [series]
    dataset.GraphicAnnotationSequence = list(annotations)
    dataset.SoftcopyVOILUTSequence = []
    for center, width in windows:
        item = Dataset()
        item.WindowCenter, item.WindowWidth = center, width
        dataset.SoftcopyVOILUTSequence.append(item)
    return dataset


def _named(source: SourceSeries, index: int) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = CTImageStorage
    item.ReferencedSOPInstanceUID = source.frames[index].key.sop_instance_uid
    return item


def annotation(source, *, images=(), graphics=(), texts=()) -> Dataset:
    item = Dataset()
    if images:
        item.ReferencedImageSequence = [_named(source, index) for index in images]
    item.GraphicObjectSequence, item.TextObjectSequence = list(graphics), list(texts)
    return item


def graphic(kind: str, points, units="PIXEL") -> Dataset:
    item = Dataset()
    item.GraphicAnnotationUnits, item.GraphicDimensions = units, 2
    item.NumberOfGraphicPoints, item.GraphicType = len(points), kind
    item.GraphicData = [float(number) for point in points for number in point]
    return item


def words(text: str, at, units="PIXEL") -> Dataset:
    item = Dataset()
    item.UnformattedTextValue = text
    item.AnchorPoint, item.AnchorPointAnnotationUnits = list(map(float, at)), units
    return item


def test_drawings_words_and_windows_of_a_presentation():
    source = makers.series()
    arrow = annotation(
        source,
        images=[1],
        graphics=[graphic("POLYLINE", [(2.5, 2.5), (8.5, 2.5)])],
        texts=[words("Target\n1", (2.5, 2.5))],
    )
    note = annotation(source, images=[0], texts=[words("compare", (4.5, 6.5))])
    dataset = presentation(source, arrow, note, windows=[(40, 400), (-600, 1500)])
    read = read_pr(dataset, [source])
    assert [(one.kind, one.label, one.key) for one in read.shapes] == [
        ("length", "Target 1", source.frames[1].key),
        ("point", "compare", source.frames[0].key),
    ]
    ends = in_patient(source, 1, [(2.5, 2.5), (8.5, 2.5)])
    np.testing.assert_allclose(read.shapes[0].points_patient_mm, ends, atol=1e-6)
    assert [(one["center"], one["width"], one["images"]) for one in read.windows] == [
        (40, 400, 2),
        (-600, 1500, 2),
    ]
    assert read.is_whole


def test_what_belongs_to_a_screen_is_left_out_and_said():
    source = makers.series()
    item = annotation(source, graphics=[graphic("POLYLINE", [(0.1, 0.1), (0.9, 0.9)], "DISPLAY")], texts=[])
    read = read_pr(presentation(source, item), [source])
    assert read.shapes == ()
    assert "coordinates of a screen" in read.notes[0]


def test_a_drawing_without_images_of_its_own_is_on_all_that_are_presented():
    source = makers.series()
    item = annotation(source, graphics=[graphic("POINT", [(3, 3)])])
    read = read_pr(presentation(source, item, images=(0, 2, 4)), [source])
    assert [one.key for one in read.shapes] == [source.frames[index].key for index in (0, 2, 4)]


def test_a_presentation_of_absent_images_waits():
    source, other = makers.series(), makers.series(uid="8.8")
    with pytest.raises(ExchangeError, match="are not here"):
        read_pr(presentation(source), [other])


@pytest.mark.parametrize("points", [[], [1.0], [1.0, float("nan")]])
def test_points_that_are_none_stop_nothing(points):
    source = makers.series()
    bad = graphic("POLYLINE", [(1, 1), (2, 2)])
    bad.GraphicData = points
    item = annotation(source, graphics=[bad, graphic("POINT", [(3, 3)])])
    read = read_pr(presentation(source, item, images=(0,)), [source])
    assert [one.kind for one in read.shapes] == ["point"]
    assert "not two numbers" in read.notes[0]
