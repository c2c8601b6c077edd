"""Segmentations that come with the images: put on them at intake, once, or refused with the reason."""

from io import BytesIO

import numpy as np
import pydicom
import pytest

from annotations.measures import masks
from annotations.models import ImportedPlane, ImportedSegment
from annotations.reading import imported
from atlas.archive.sources import Source
from atlas.archive.uploads import import_paths
from atlas.models import Dataset, Series
from tests.annotations.cohort.conftest import Cohort


def take_in(name: str, *datasets: pydicom.Dataset) -> None:
    sources = []
    for index, dataset in enumerate(datasets):
        stream = BytesIO()
        dataset.save_as(stream, enforce_file_format=True)
        content = stream.getvalue()
        sources.append(Source(f"{name}-{index}", lambda content=content: BytesIO(content)))
    upload = import_paths(Dataset.objects.get(), sources)
    assert upload.refused == 0


def segmentation(cohort: Cohort, uid: str) -> pydicom.Dataset:
    """The label map's SEG once more, as another series."""
    from datetime import datetime

    from annotations.exchange.codes import Code
    from annotations.exchange.seg_frames import Segment

    written = cohort.converted.segmentation(
        cohort.labels,
        {1: Segment("Tumour", Code("108369006", "SCT", "Neoplasm"), {})},
        at=datetime(2026, 1, 2),
    )
    dataset = pydicom.dcmread(BytesIO(written))
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid
    dataset.SeriesInstanceUID = f"{uid}.1"
    return dataset


def test_a_segmentation_becomes_a_mark_on_its_images_when_it_is_taken_in(cohort: Cohort) -> None:
    segment = ImportedSegment.objects.get()
    assert segment.series == cohort.series
    assert (segment.label, segment.segment_number) == ("Tumour", 1)
    assert segment.type_code == {"value": "108369006", "scheme": "SCT", "meaning": "Neoplasm"}
    assert segment.origin == "Imported segmentation: Label map, Atlas, 2020-10-11."
    frames = {frame.key.sop_instance_uid: i for i, frame in enumerate(cohort.converted.source.frames)}
    found = np.zeros(cohort.labels.values.shape, dtype=bool)
    for plane in segment.planes.all():
        found[frames[plane.sop_instance_uid]] = masks.decode(bytes(plane.runs), plane.rows, plane.columns)
    np.testing.assert_array_equal(found, cohort.labels.values > 0)


def test_sealing_again_imports_nothing_twice(cohort: Cohort) -> None:
    before = (ImportedSegment.objects.count(), ImportedPlane.objects.count())
    for series in Series.objects.all():
        imported.take_in(series)
    assert (ImportedSegment.objects.count(), ImportedPlane.objects.count()) == before == (1, 3)


def test_without_references_the_place_decides(cohort: Cohort) -> None:
    dataset = segmentation(cohort, "1.2.826.77.1")
    del dataset.ReferencedSeriesSequence
    for group in dataset.PerFrameFunctionalGroupsSequence:
        del group.DerivationImageSequence
    take_in("bare", dataset)
    first, second = ImportedSegment.objects.order_by("pk")
    assert second.series == first.series
    pair = [{(p.sop_instance_uid, bytes(p.runs)) for p in one.planes.all()} for one in (first, second)]
    assert pair[0] == pair[1]


def test_one_that_lies_on_no_image_is_refused_and_the_series_says_why(cohort: Cohort) -> None:
    dataset = segmentation(cohort, "1.2.826.77.2")
    del dataset.ReferencedSeriesSequence
    for group in dataset.PerFrameFunctionalGroupsSequence:
        del group.DerivationImageSequence
    dataset.FrameOfReferenceUID = "1.2.826.77.99"
    take_in("elsewhere", dataset)
    series = Series.objects.get(series_instance_uid="1.2.826.77.2.1")
    assert not ImportedSegment.objects.filter(source_series=series).exists()
    (finding,) = [one for one in series.findings if one["code"] == imported.NOT_PLACED]
    assert "none has its frame of reference" in finding["sentence"]
    imported.take_in(series)
    series.refresh_from_db()
    assert len([one for one in series.findings if one["code"] == imported.NOT_PLACED]) == 1


def test_one_that_arrived_before_its_images_is_placed_when_they_come(cohort: Cohort) -> None:
    moved = segmentation(cohort, "1.2.826.77.3")
    images = []
    for index, (_, content) in enumerate(cohort.converted.files()):
        image = pydicom.dcmread(BytesIO(content))
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = f"1.2.826.77.4.{index + 1}"
        image.SeriesInstanceUID, image.FrameOfReferenceUID = "1.2.826.77.4", "1.2.826.77.5"
        images.append(image)
    names = {
        f.key.sop_instance_uid: f"1.2.826.77.4.{i + 1}" for i, f in enumerate(cohort.converted.source.frames)
    }
    moved.FrameOfReferenceUID = "1.2.826.77.5"
    for group in moved.PerFrameFunctionalGroupsSequence:
        source = group.DerivationImageSequence[0].SourceImageSequence[0]
        source.ReferencedSOPInstanceUID = names[source.ReferencedSOPInstanceUID]
    take_in("early", moved)
    waiting = Series.objects.get(series_instance_uid="1.2.826.77.3.1")
    assert not ImportedSegment.objects.filter(source_series=waiting).exists()
    take_in("late", *images)
    placed = ImportedSegment.objects.get(source_series=waiting)
    assert placed.series.series_instance_uid == "1.2.826.77.4"
    waiting.refresh_from_db()
    assert [one for one in waiting.findings if one["code"] == imported.NOT_PLACED] == []


@pytest.mark.parametrize("broken", ["PixelData", "SegmentSequence"])
def test_a_broken_one_stops_nothing(cohort: Cohort, broken: str) -> None:
    dataset = segmentation(cohort, "1.2.826.77.6")
    delattr(dataset, broken)
    take_in("broken", dataset)
    series = Series.objects.get(series_instance_uid="1.2.826.77.6.1")
    assert [one["code"] for one in series.findings].count(imported.NOT_PLACED) == 1
    assert not ImportedSegment.objects.filter(source_series=series).exists()
