"""Label maps, structure sets and reports of a release: which marks they hold, and what they refer to."""

from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom import Dataset

from annotations.cohort import releases
from annotations.cohort.choosing import Choice
from annotations.exchange.rtstruct_reader import read_rtstruct
from annotations.exchange.seg_reader import read_seg
from annotations.exchange.sr_reader import read_sr
from annotations.measures import masks
from annotations.models import Read, Release
from tests.annotations.cohort.conftest import LENGTH, NODE, OUTLINE, SECOND, Cohort
from tests.annotations.cohort.test_answers import DAYS, MARGIN, put, said
from tests.annotations.cohort.test_release import annotations, content, run_jobs

POLYGON, CIRCLE, ON_A_CUT, BOX = (UUID(int=number) for number in (11, 12, 13, 14))
CONTRAST = DAYS | {"key": "contrast", "text": "Contrast medium", "of": "series", "type": "text", "unit": ""}


def on_image(cohort: Cohort, index: int, corners: list[tuple[float, float]]) -> dict[str, Any]:
    """The place of a figure whose corners are (column, row) from the centre of the first pixel."""
    frame = cohort.converted.source.frames[index]
    along_row, down_column, _ = frame.axes
    points = [
        np.array(frame.position) + column * frame.column_mm * along_row + row * frame.row_mm * down_column
        for column, row in corners
    ]
    return {
        "sop": frame.key.sop_instance_uid,
        "frame": 1,
        "frame_of_reference": cohort.converted.source.frame_of_reference_uid,
        "points_patient_mm": [point.tolist() for point in points],
    }


def figures(cohort: Cohort, read: Read) -> None:
    mark = cohort.segment("tumour")
    polygon = on_image(cohort, 3, [(5.2, 5.2), (20.4, 5.2), (20.4, 30.7), (5.2, 30.7)])
    cohort.mark(read, POLYGON, mark | {"kind": "polygon", "note": "Beside the vessel"} | polygon)
    circle = on_image(cohort, 4, [(20, 40), (30, 40)])
    cohort.mark(read, CIRCLE, mark | {"kind": "circle", "state": "indeterminate"} | circle)
    place = on_image(cohort, 5, [(5, 5), (15, 5), (5, 15)])
    edges = np.array(place["points_patient_mm"])
    upward = edges[0] + (0, 0, 6.3)
    nowhere = {"frame_of_reference": place["frame_of_reference"]}
    box = [*edges.tolist(), upward.tolist()]
    plane = {"origin": edges[0].tolist(), "row": [1, 0, 0], "column": [0, 0, 1]}
    across = [edges[0].tolist(), edges[1].tolist(), upward.tolist()]
    cohort.mark(read, BOX, mark | {"kind": "box"} | nowhere | {"points_patient_mm": box})
    on_a_cut = {"plane": plane, "points_patient_mm": across}
    cohort.mark(read, ON_A_CUT, mark | {"kind": "polygon"} | nowhere | on_a_cut)


def released(cohort: Cohort, *formats: str, read: Read | None = None) -> Release:
    if read is None:
        read = cohort.read()
        cohort.draw(read)
        figures(cohort, read)
    cohort.accept(read)
    release = releases.freeze(
        by=cohort.people["lead"], project=cohort.project, choice=Choice(formats=(*formats, "json"))
    )
    run_jobs()
    release.refresh_from_db()
    assert (release.problem, release.state) == ("", Release.State.READY)
    return release


def one(release: Release, kind: str, name: str = "") -> Dataset:
    path = release.files.get(path__contains=f"/{kind}/", path__endswith=f"{name}.dcm").path
    return pydicom.dcmread(BytesIO(content(release, path)))


def groups(release: Release) -> dict[str, Dataset]:
    """The measurement groups of its report, by tracking UID."""
    report = one(release, "sr")
    found = {}
    for part in report.ContentSequence:
        for group in part.get("ContentSequence", ()):
            values = [child.UID for child in group.get("ContentSequence", ()) if "UID" in child]
            if group.ConceptNameCodeSequence[0].CodeValue == "125007":
                found[values[0]] = group
    return found


def uid(identity: UUID) -> str:
    return f"2.25.{identity.int}"


def template(group: Dataset) -> str:
    return group.ContentTemplateSequence[0].TemplateIdentifier


@pytest.mark.parametrize("kind", ["labelmap", "labelmap_rle"])
def test_what_overlaps_goes_to_another_object_of_the_label_map(cohort: Cohort, kind: str) -> None:
    release = released(cohort, kind)
    series = cohort.series.public_id
    first, second = one(release, kind, f"MR_{series}"), one(release, kind, f"MR_{series}_2")
    assert first.SeriesInstanceUID == second.SeriesInstanceUID
    assert first.file_meta.TransferSyntaxUID.is_compressed == (kind == "labelmap_rle")
    source = cohort.converted.source
    assert [each.label for each in read_seg(first, [source]).segments] == ["Tumour", "Lymph node"]
    (shifted,) = read_seg(second, [source]).segments
    assert shifted.label == "Tumour 2"
    tumour = cohort.labels.values > 0
    for index, frame in enumerate(source.frames):
        wanted = np.roll(tumour, 2, axis=2)[index]
        runs = shifted.planes.get(frame.key)
        found = masks.decode(runs, *wanted.shape) if runs else np.zeros_like(wanted)
        np.testing.assert_array_equal(found, wanted)
    folder, document = annotations(release)
    files = {mark["id"]: mark.get("files", {}) for mark in document["annotations"]}
    assert files[str(NODE)] == {
        kind: f"{folder}/{kind}/MR_{series}.dcm", f"{kind}_segment_number": 2,
    }  # fmt: skip
    assert files[str(SECOND)] == {
        kind: f"{folder}/{kind}/MR_{series}_2.dcm", f"{kind}_segment_number": 1,
    }  # fmt: skip
    assert files[str(LENGTH)] == {}


def test_the_two_encodings_of_a_label_map_are_one_object(cohort: Cohort) -> None:
    release = released(cohort, "labelmap", "labelmap_rle")
    name = f"MR_{cohort.series.public_id}"
    plain, compressed = one(release, "labelmap", name), one(release, "labelmap_rle", name)
    assert plain.SOPInstanceUID == compressed.SOPInstanceUID
    np.testing.assert_array_equal(plain.pixel_array, compressed.pixel_array)
    for dataset in (plain, compressed):
        del dataset.PixelData
    assert plain == compressed


def test_a_structure_set_holds_masks_and_closed_figures_on_images(cohort: Cohort) -> None:
    release = released(cohort, "rtstruct")
    dataset = one(release, "rtstruct")
    names = [item.ROIObservationDescription for item in dataset.RTROIObservationsSequence]
    wanted = [OUTLINE, SECOND, POLYGON, CIRCLE, NODE]
    assert sorted(names) == sorted(f"Annotation {identity}" for identity in wanted)
    back = read_rtstruct(dataset, [cohort.converted.source])
    voxels = {region.label: sum(map(masks.voxel_count, region.planes.values())) for region in back.segments}
    assert voxels["Tumour"] == voxels["Tumour 2"] == 143
    assert voxels["Tumour 3"] == 15 * 25  # columns 6 to 20, rows 6 to 30
    assert voxels["Tumour 4"] == pytest.approx(np.pi * 10**2, rel=0.03)
    _, document = annotations(release)
    numbers = {
        mark["id"]: mark.get("files", {}).get("rtstruct_roi_number") for mark in document["annotations"]
    }
    assert names[numbers[str(CIRCLE)] - 1] == f"Annotation {CIRCLE}"
    assert [numbers[str(identity)] for identity in (LENGTH, BOX, ON_A_CUT)] == [None, None, None]
    assert document["series"][0]["no_rtstruct_because"] == ""


def test_nothing_outlined_is_no_structure_set_and_says_so(cohort: Cohort) -> None:
    read = cohort.read()
    cohort.mark(read, NODE, cohort.segment("node", state="absent"))
    release = released(cohort, "rtstruct", read=read)
    assert not release.files.filter(format="rtstruct").exists()
    assert annotations(release)[1]["series"][0]["no_rtstruct_because"] == "nothing was outlined on it"


def test_images_without_a_frame_of_reference_have_no_structure_set(cohort: Cohort, monkeypatch) -> None:
    from annotations.exchange.source import SourceSeries

    whole = SourceSeries.from_manifest.__func__
    without = lambda cls, manifest, **more: whole(
        cls, manifest | {"series": manifest["series"] | {"frame_of_reference": ""}}, **more
    )
    monkeypatch.setattr(SourceSeries, "from_manifest", classmethod(without))
    release = released(cohort, "rtstruct", "sr")
    assert not release.files.filter(format="rtstruct").exists()
    assert "frame of reference" in annotations(release)[1]["series"][0]["no_rtstruct_because"]
    found = groups(release)  # with the frame of reference that the marks were drawn in
    assert {child.ValueType for child in found[uid(POLYGON)].ContentSequence} >= {"SCOORD3D", "NUM"}


@pytest.mark.parametrize(
    ("formats", "sop_class", "wanted"),
    [
        (("seg",), "1.2.840.10008.5.1.4.1.1.66.4", {OUTLINE: 1, SECOND: 2, NODE: 3}),
        (("labelmap",), "1.2.840.10008.5.1.4.1.1.66.7", {OUTLINE: 1, NODE: 2, SECOND: 1}),
        (("labelmap_rle",), "1.2.840.10008.5.1.4.1.1.66.7", {OUTLINE: 1, NODE: 2, SECOND: 1}),
        (("seg", "labelmap"), "1.2.840.10008.5.1.4.1.1.66.4", {OUTLINE: 1, SECOND: 2, NODE: 3}),
    ],
)
def test_masks_in_a_report_refer_to_segments_that_are_in_the_release(
    cohort: Cohort, formats: tuple[str, ...], sop_class: str, wanted: dict[UUID, int]
) -> None:
    release = released(cohort, "sr", *formats)
    kept = {}
    for path in release.files.filter(format=formats[0]).values_list("path", flat=True):
        dataset = pydicom.dcmread(BytesIO(content(release, path)))
        for item in dataset.SegmentSequence:
            if item.SegmentNumber:
                kept[dataset.SOPInstanceUID, item.SegmentNumber] = item.TrackingUID
    found = groups(release)
    for identity, number in wanted.items():
        group = found[uid(identity)]
        (image,) = (child for child in group.ContentSequence if child.ValueType == "IMAGE")
        named = image.ReferencedSOPSequence[0]
        assert (named.ReferencedSOPClassUID, named.ReferencedSegmentNumber) == (sop_class, number)
        assert kept[named.ReferencedSOPInstanceUID, number] == uid(identity)
        assert template(group) == "1411"


def test_a_report_without_segmentations_has_every_mark_with_its_numbers(cohort: Cohort) -> None:
    release = released(cohort, "sr")
    found = groups(release)
    assert {identity: template(found[uid(identity)]) for identity in (OUTLINE, POLYGON, CIRCLE, LENGTH)} == {
        OUTLINE: "1501", POLYGON: "1410", CIRCLE: "1410", LENGTH: "1501",
    }  # fmt: skip
    _, document = annotations(release)
    for mark in document["annotations"]:
        numbers = [
            child.MeasuredValueSequence[0].FloatingPointValue
            for child in found[uid(UUID(mark["id"]))].ContentSequence
            if child.ValueType == "NUM"
        ]
        assert sorted(numbers) == sorted(map(float, mark["measurements"].values()))
    assert len(found) == len(document["annotations"]) == 8
    back = read_sr(one(release, "sr"), [cohort.converted.source])
    shapes = {group.tracking_uid: group.shapes for group in back.groups}
    (polygon,) = shapes[uid(POLYGON)]
    drawn = next(mark for mark in document["annotations"] if mark["id"] == str(POLYGON))
    np.testing.assert_allclose(polygon.points_patient_mm, drawn["points_patient_mm"], atol=2e-5)
    assert polygon.key.sop_instance_uid == drawn["sop_instance_uid"]
    said_of = lambda identity: [child.get("TextValue") for child in found[uid(identity)].ContentSequence]
    assert "Beside the vessel" in said_of(POLYGON)


def test_the_report_says_who_read_without_a_name(cohort: Cohort) -> None:
    release = released(cohort, "sr")
    report = one(release, "sr")
    (name,) = (str(child.PersonName) for child in report.ContentSequence if child.ValueType == "PNAME")
    folder, _ = annotations(release)
    assert name == folder.rpartition("/")[2]
    assert report.VerificationFlag == "UNVERIFIED"


def test_answers_stand_with_what_they_are_about(cohort: Cohort) -> None:
    cohort.schema.questions = [MARGIN, DAYS, CONTRAST]
    cohort.schema.save()
    read = cohort.read()
    mark = uuid4()
    put(
        read,
        (mark, cohort.segment("tumour")),
        said(["smooth", "spiculated"], answer="margin", of="annotation", about=str(mark)),
        said(41, answer="days", of="study", about=cohort.series.study.public_id),
        said("none", answer="contrast", of="series", about=cohort.series.public_id),
        said("absent", answer="state", of="label", about="node"),
    )
    release = released(cohort, "sr", read=read)
    (group,) = groups(release).values()
    evaluations = [
        (child.ConceptNameCodeSequence[0].CodeMeaning, child.ConceptCodeSequence[0])
        for child in group.ContentSequence
        if child.ValueType == "CODE" and child.ConceptNameCodeSequence[0].CodeMeaning == "Margin"
    ]
    assert [(name, value.CodeValue, value.CodingSchemeDesignator) for name, value in evaluations] == [
        ("Margin", "1", "99X"),
        ("Margin", "spiculated", "99ATLAS"),
    ]
    whole = next(
        part
        for part in one(release, "sr").ContentSequence
        if part.ConceptNameCodeSequence[0].CodeMeaning == "Qualitative Evaluations"
    )
    told = {
        child.ConceptNameCodeSequence[0].CodeMeaning: child.get("TextValue")
        or child.ConceptCodeSequence[0].CodeMeaning
        for child in whole.ContentSequence
    }
    assert told == {"Lymph node": "Absent", "Days since surgery": "41 d", "Contrast medium": "none"}


def test_a_read_that_found_nothing_has_a_report_of_its_answers(cohort: Cohort) -> None:
    read = cohort.read()
    put(read, said("absent", answer="state", of="label", about="tumour"))
    release = released(cohort, "sr", read=read)
    content_of = hd.sr.srread(BytesIO(content(release, release.files.get(format="sr").path))).content
    assert content_of.get_image_measurement_groups() == []
    assert groups(release) == {}
    said_there = one(release, "sr").ContentSequence[-1].ContentSequence[0]
    assert said_there.ConceptCodeSequence[0].CodeMeaning == "Absent"


def test_writing_a_release_again_gives_the_same_objects(cohort: Cohort) -> None:
    release = released(cohort, "seg", "labelmap", "labelmap_rle", "rtstruct", "sr")
    before = dict(release.files.values_list("path", "sha256"))
    release.release_cases.update(written_at=None)
    Release.objects.filter(pk=release.pk).update(state=Release.State.FAILED)
    releases.retry(by=cohort.people["lead"], release=release)
    run_jobs()
    kinds = ("seg", "labelmap", "labelmap_rle", "rtstruct", "sr")
    after = dict(release.files.filter(format__in=kinds).values_list("path", "sha256"))
    assert len(after) == 7
    assert {path: before[path] for path in after} == after
