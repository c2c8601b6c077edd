"""Derived objects taken in with their images: in any order, as they came or de-identified at the door."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from io import BytesIO
from itertools import permutations
from uuid import UUID

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.utils.html import escape
from highdicom.sr import (
    Comprehensive3DSR,
    Measurement,
    MeasurementReport,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    ReferencedSegment,
    SourceSeriesForSegmentation,
    TrackingIdentifier,
    VolumetricROIMeasurementsAndQualitativeEvaluations,
)
from pydicom import Dataset as Header
from pydicom import dcmread
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage

from accounts import permissions
from accounts.models import Organisation, User
from annotations.exchange.codes import Code
from annotations.exchange.objects import ObjectIdentity
from annotations.exchange.seg_frames import Segment
from annotations.exchange.seg_writer import write_seg
from annotations.exchange.source import SourceSeries
from annotations.measures import masks
from annotations.models import DerivedObject, ImportedMeasurement, ImportedSegment
from annotations.reading import imported
from atlas.archive import intake, sealing
from atlas.archive.storage import StorageUnavailable
from atlas.dicom.describe import describe
from atlas.dicom.headers import read_header
from atlas.dicom.manifest import build
from atlas.models import Dataset, Instance, Series
from tests.annotations.exchange.test_rtstruct import outline, structure_set
from tests.atlas import slices

PLACES = [(0.0, 0.0, 2.0 * index) for index in range(5)]
STUDY, FRAME_OF_REFERENCE = "1.2.826.0.1.71", "1.2.826.0.1.72"
TUMOUR = Code("108369006", "SCT", "Neoplasm")


def images(number: int, reference: str = FRAME_OF_REFERENCE) -> list[bytes]:
    return slices.series(
        PLACES,
        StudyInstanceUID=STUDY,
        SeriesInstanceUID=f"{STUDY}.{number}",
        SeriesNumber=number,
        SeriesDescription=f"CT {number}",
        FrameOfReferenceUID=reference,
    )


def source_of(files: list[bytes]) -> SourceSeries:
    descriptions = [describe(BytesIO(one), read_header(BytesIO(one))) for one in files]
    frames = [frame for description in descriptions for frame in description.frames]
    return SourceSeries.from_manifest(build(descriptions, frames).manifest, study_instance_uid=STUDY)


def segmentation_on(files: list[bytes]) -> bytes:
    source, plane = source_of(files), np.zeros((6, 8), dtype=bool)
    plane[1:3, 2:6] = True
    return write_seg(
        source=source,
        header=dcmread(BytesIO(files[0]), stop_before_pixels=True),
        sop_classes={frame.key.sop_instance_uid: str(CTImageStorage) for frame in source.frames},
        segments=[
            Segment("Tumour", TUMOUR, {source.frames[2].key: masks.encode(plane)}, identity=UUID(int=1))
        ],
        identity=ObjectIdentity(("arrival",), datetime(2026, 1, 14), "Outline"),
    )


def report_on(segmentation: bytes, files: list[bytes]) -> bytes:
    seg = dcmread(BytesIO(segmentation))
    headers = [dcmread(BytesIO(one), stop_before_pixels=True) for one in files]
    observer = ObserverContext(codes.DCM.Person, PersonObserverIdentifyingAttributes("^"))
    group = VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid="1.2.3.98", identifier="Lesion"),
        referenced_segment=ReferencedSegment(
            seg.SOPClassUID,
            seg.SOPInstanceUID,
            segment_number=1,
            source_series=SourceSeriesForSegmentation(headers[0].SeriesInstanceUID),
        ),
        measurements=[Measurement(codes.SCT.Volume, 12.8, codes.UCUM.CubicMillimeter)],
    )
    content = MeasurementReport(
        observation_context=ObservationContext(observer_person_context=observer),
        procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
        imaging_measurements=[group],
    )
    for header in headers:
        header.PatientName = header.PatientBirthDate = header.AccessionNumber = ""
        header.StudyID = header.ReferringPhysicianName = ""
    report = Comprehensive3DSR(
        evidence=[*headers, seg],
        content=content[0],
        series_instance_uid=f"{STUDY}.80",
        sop_instance_uid=f"{STUDY}.80.1",
        series_number=80,
        instance_number=1,
        manufacturer="Tests",
    )
    return written(report)


def outlines_on(files: list[bytes], *, names: bool) -> bytes:
    """Names instances that are nowhere, as in a cropped copy; or nothing at all."""
    source = source_of(files)
    drawn = outline(source, 1, [(1.6, 1.6), (4.4, 1.6), (4.4, 3.4), (1.6, 3.4)], named=names)
    if names:
        drawn.ContourImageSequence[0].ReferencedSOPInstanceUID = f"{STUDY}.404"
    series = source.series_instance_uid if names else ""
    dataset = structure_set({"GTV": [drawn]}, series=series, reference=FRAME_OF_REFERENCE)
    dataset.SOPInstanceUID, dataset.SeriesInstanceUID = f"{STUDY}.90.1", f"{STUDY}.90"
    dataset.StudyInstanceUID, dataset.PatientID, dataset.SeriesNumber = STUDY, "NH-20931", 90
    return written(dataset)


def written(dataset: Header) -> bytes:
    if not getattr(dataset, "file_meta", None) or not dataset.file_meta.get("TransferSyntaxUID"):
        return slices.part_10(dataset)
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


@pytest.fixture
def dataset(db, settings, tmp_path) -> Dataset:
    settings.OBJECTS_DIR, settings.KEYS_DIR = tmp_path / "objects", tmp_path / "keys"
    organisation = Organisation.objects.create(name="Nordhain", slug="nordhain", country="DE")
    return Dataset.objects.create(
        organisation=organisation, name="CT", slug="ct", deidentification="already_done"
    )


def take_in(dataset: Dataset, *files: bytes) -> None:
    """As a delivery does it: index, then seal every series that got something new."""
    sources = [intake.from_bytes(f"{at}.dcm", content) for at, content in enumerate(files)]
    outcomes = list(intake.take_in(sources, dataset=dataset))
    assert [outcome.reason for outcome in outcomes] == [""] * len(files)
    for series_id in sorted({outcome.series_id for outcome in outcomes}):
        sealing.seal(series_id)


def shown() -> dict[str, tuple[int | None, int]]:
    """Label → (number of the image series, voxels); every plane names an image of that series."""
    found = {}
    for segment in ImportedSegment.objects.select_related("series"):
        count = 0
        for plane in segment.planes.all():
            assert Instance.objects.filter(
                series=segment.series, sop_instance_uid=plane.sop_instance_uid
            ).exists()
            count += masks.voxel_count(bytes(plane.runs))
        found[segment.label] = (segment.series.number, count)
    return found


PARTS = ("named images", "other images", "segmentation and outlines", "report")


@pytest.mark.parametrize("order", list(permutations(PARTS)), ids=lambda order: ", ".join(order))
def test_whatever_comes_first_the_outcome_is_the_same(dataset: Dataset, order: tuple) -> None:
    """Both image series lie at one place; what names one of them never stays on the other."""
    named, other = images(2), images(3)
    seg = segmentation_on(named)
    parts = {
        "named images": named,
        "other images": other,
        "segmentation and outlines": [seg, outlines_on(named, names=True)],
        "report": [report_on(seg, named)],
    }
    for part in order:
        take_in(dataset, *parts[part])
    assert shown() == {"Tumour": (2, 8), "GTV": (2, 6)}
    (group,) = ImportedMeasurement.objects.all()
    assert [one.label for one in group.segments.all()] == ["Tumour"]
    assert (group.series.number, group.numbers[0]["value"]) == (2, 12.8)
    assert set(DerivedObject.objects.values_list("state", flat=True)) == {"shown"}
    for series in Series.objects.exclude(modality="CT"):
        assert [one for one in series.findings if one["code"] == imported.NOT_PLACED] == []


@pytest.mark.parametrize("derived_first", [True, False])
def test_identifiers_made_anew_at_the_door_still_lead_to_the_images(
    dataset: Dataset, derived_first: bool
) -> None:
    dataset.deidentification = "at_the_door"
    dataset.deidentification_options = ["clean_structured_content"]
    dataset.save()
    named = images(2)
    seg = segmentation_on(named)
    derived = [seg, outlines_on(named, names=False), report_on(seg, named)]
    for part in (derived, named) if derived_first else (named, derived):
        take_in(dataset, *part)
    assert not Instance.objects.filter(series__series_instance_uid__startswith=STUDY).exists()
    assert sorted(shown().values()) == [(2, 6), (2, 8)]
    (group,) = ImportedMeasurement.objects.all()
    assert group.segments.count() == 1


def test_a_report_whose_content_was_taken_out_at_the_door_says_so(dataset: Dataset) -> None:
    dataset.deidentification = "at_the_door"
    dataset.save()
    named = images(2)
    seg = segmentation_on(named)
    take_in(dataset, *named, seg, report_on(seg, named))
    (row,) = DerivedObject.objects.filter(kind="report")
    assert "unless it cleans structured content" in row.sentence


def test_the_datasets_page_says_what_became_of_a_segmentation(
    dataset: Dataset, client: Client, django_assert_max_num_queries
) -> None:
    manager = User.objects.create_user("ines", "ines@example.org")
    permissions.grant(user=manager, role="manager", scope=dataset.organisation)
    client.force_login(manager)
    named = images(2)
    take_in(dataset, *named)
    with django_assert_max_num_queries(40) as without:
        client.get("/datasets/ct/")
    take_in(dataset, segmentation_on(named))
    (row,) = DerivedObject.objects.all()
    assert "1 segment on" in row.sentence
    with django_assert_max_num_queries(len(without)):
        page = client.get("/datasets/ct/").content.decode()
    assert escape(row.sentence) in page
    assert page.index("SEG</span>") < page.index(escape(row.sentence))


def test_of_many_objects_of_one_series_the_first_few_are_told(dataset: Dataset) -> None:
    take_in(dataset, *images(2))
    series = Series.objects.get()
    for number in range(8):
        DerivedObject.objects.create(
            series=series,
            sop_instance_uid=f"1.2.{number}",
            kind="report",
            state="shown",
            sentence=f"{number}",
        )
    DerivedObject.objects.create(series=series, sop_instance_uid="1.3", kind="report", sentence="waits")
    told = imported.became([series.pk])
    assert told == {series.pk: ["0", "1", "2", "3", "4", "3 more are like this."]}


def test_what_only_its_place_put_somewhere_is_taken_back_when_two_places_fit(dataset: Dataset) -> None:
    take_in(dataset, outlines_on(images(2), names=False))
    take_in(dataset, *images(2))
    assert shown() == {"GTV": (2, 6)}
    take_in(dataset, *images(3))
    assert shown() == {}
    (row,) = DerivedObject.objects.all()
    assert row.state == "waiting"
    assert "fits several series at the same place: “CT 2”, “CT 3”" in row.sentence
    series = Series.objects.get(modality="RTSTRUCT")
    assert [one["sentence"] for one in series.findings] == [row.sentence]


def test_a_mark_keeps_its_public_id_when_the_images_that_it_names_arrive(dataset: Dataset) -> None:
    named = images(2)
    take_in(dataset, *images(3), outlines_on(named, names=True))
    (before,) = ImportedSegment.objects.select_related("series")
    assert before.series.number == 3
    assert "position in the patient" in before.origin
    take_in(dataset, *named)
    (after,) = ImportedSegment.objects.select_related("series")
    assert (after.public_id, after.series.number) == (before.public_id, 2)
    assert "same series" in after.origin


def test_images_of_others_are_never_considered(dataset: Dataset) -> None:
    named = images(2)
    renamed = []
    for content in named:
        image = dcmread(BytesIO(content))
        image.PatientID, image.StudyInstanceUID = "NH-2", "1.2.826.0.1.99"
        renamed.append(written(image))
    take_in(dataset, *renamed, segmentation_on(named))
    assert shown() == {}
    (row,) = DerivedObject.objects.all()
    assert "not here" in row.sentence


def test_taking_in_again_changes_nothing(dataset: Dataset) -> None:
    named = images(2)
    seg = segmentation_on(named)
    take_in(dataset, *named, seg, outlines_on(named, names=True), report_on(seg, named))

    def rows():
        return [
            sorted(model.objects.values_list("pk", flat=True))
            for model in (ImportedSegment, DerivedObject, ImportedMeasurement)
        ] + [
            sorted(one.planes.values_list("pk", flat=True)) for one in ImportedSegment.objects.order_by("pk")
        ]

    before = rows()
    for series in Series.objects.all():
        imported.take_in(series)
    assert rows() == before


def test_one_that_cannot_be_read_says_so_without_quoting_it(dataset: Dataset, caplog) -> None:
    named = images(2)
    broken = dcmread(BytesIO(outlines_on(named, names=True)))
    broken.ROIContourSequence[0].ContourSequence[0].ContourData = ["1", "2"]
    take_in(dataset, *named, written(broken))
    (row,) = DerivedObject.objects.all()
    assert row.sentence == (
        "This structure set is not shown on images: The points of an outline are not three numbers each."
    )


def test_held_images_are_not_drawn_on(dataset: Dataset) -> None:
    """What nobody may see yet is not in the manifest, so nothing can lie on it."""
    named = images(2)
    take_in(dataset, *named)
    series = Series.objects.get(number=2)
    series.instances.update(hold=Instance.Hold.TEXT)
    Series.objects.filter(pk=series.pk).update(state="arriving")
    sealing.seal(series.pk)
    take_in(dataset, segmentation_on(named))
    assert shown() == {}


def test_over_rest_a_series_tells_what_came_with_it_and_what_became_of_it(dataset: Dataset, client) -> None:
    named = images(2)
    seg = segmentation_on(named)
    take_in(dataset, *named, seg, report_on(seg, named))
    manager = User.objects.create_user("ines")
    permissions.grant(user=manager, role="data_manager", scope=dataset)
    client.force_login(manager)
    on = {one.modality: one.public_id for one in Series.objects.all()}
    came = client.get(f"/api/v1/series/{on['CT']}/derived/").json()
    (segment,), (group,) = came["segments"], came["measurements"]
    assert (segment["name"], segment["slices"], segment["type"]["value"]) == ("Tumour", 1, "108369006")
    assert group["segments"] == [segment["id"]]
    assert [(one["name"], one["value"], one["unit"]) for one in group["numbers"]] == [("Volume", 12.8, "mm3")]
    became = client.get(f"/api/v1/series/{on['SEG']}/derived/").json()["objects"]
    assert [(one["kind"], one["state"], one["sentence"]) for one in became] == [
        ("segmentation", "shown", "Shown: 1 segment on “CT 2”.")
    ]
    client.force_login(User.objects.create_user("piotr"))
    assert client.get(f"/api/v1/series/{on['CT']}/derived/").status_code == 404


def test_nothing_crosses_from_one_dataset_to_another(dataset: Dataset) -> None:
    """Who may see one dataset's images needn't be allowed to see what another holds of the same person."""
    named = images(2)
    take_in(dataset, *named)
    other = Dataset.objects.create(
        organisation=dataset.organisation, name="Other", slug="other", deidentification="already_done"
    )
    seg = dcmread(BytesIO(segmentation_on(named)))
    seg.StudyInstanceUID = "1.2.826.0.1.98"
    take_in(other, written(seg))
    assert shown() == {}
    assert DerivedObject.objects.get().state == "waiting"


def test_storage_that_fails_takes_nothing_away(dataset: Dataset, monkeypatch) -> None:
    take_in(dataset, *images(3), outlines_on(images(2), names=False))
    assert shown() == {"GTV": (3, 6)}

    def unavailable(instance):
        raise StorageUnavailable("The object store does not answer.")

    monkeypatch.setattr(imported, "open_instance", unavailable)
    with pytest.raises(StorageUnavailable):
        imported.take_in(Series.objects.get(modality="CT"))
    assert shown() == {"GTV": (3, 6)}
    assert DerivedObject.objects.get().state == "shown"


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_bring_each_mark_once(dataset: Dataset) -> None:
    named = images(2)
    seg = segmentation_on(named)
    take_in(dataset, *named, seg, outlines_on(named, names=True), report_on(seg, named))
    before = shown()
    DerivedObject.objects.all().delete()
    ImportedSegment.objects.all().delete()
    everyone = list(Series.objects.all())

    def work(series: Series) -> None:
        try:
            imported.take_in(series)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(work, everyone * 3))
    assert shown() == before == {"Tumour": (2, 8), "GTV": (2, 6)}
    assert ImportedSegment.objects.count() == 2
    assert DerivedObject.objects.count() == 3
    assert ImportedMeasurement.objects.get().segments.count() == 1
