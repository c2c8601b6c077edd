"""COCO in a release: which slices become pictures, what is outlined on each, and numbers that stay."""

from io import BytesIO
from uuid import UUID

import numpy as np
import pydicom
import pytest
from PIL import Image

from annotations.models import Case, CaseStudy, Release, ReleaseCase
from atlas.archive import sealing
from atlas.archive.sources import Source
from atlas.archive.uploads import import_paths
from atlas.models import Dataset, Instance, Series
from tests.annotations.cohort.conftest import LABELS, Cohort
from tests.annotations.cohort.sets import (
    another_case,
    content,
    document,
    figure,
    outline,
    paths,
    released,
    state_label,
)
from tests.annotations.exchange.test_coco import expanded


@pytest.fixture
def with_polygons(cohort: Cohort) -> Cohort:
    labels = [LABELS[0] | {"kinds": ["segment", "polygon", "ellipse", "length"]}, LABELS[1]]
    type(cohort.schema).objects.filter(pk=cohort.schema.pk).update(labels=labels)
    cohort.schema.refresh_from_db()
    return cohort


def slices_in(told: dict) -> dict[int, dict]:
    return {image["slice"] - 1: image for image in told["images"]}


def test_every_slice_with_an_outline_is_there_with_its_pixels(cohort: Cohort, tumour: np.ndarray) -> None:
    read = cohort.read()
    identity = outline(cohort, read, "tumour", "tumour", tumour)
    cohort.accept(read)
    release = released(cohort, "coco")
    told = document(release, "coco/all.json")
    images = {image["id"]: image for image in told["images"]}
    found = {}
    for one in told["annotations"]:
        assert (one["iscrowd"], one["annotation"], one["category_id"]) == (0, str(identity), 1)
        rows, columns = one["segmentation"]["size"]
        plane = expanded(one["segmentation"]["counts"], rows, columns)
        found[images[one["image_id"]]["slice"] - 1] = plane
        down, along = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
        assert one["bbox"] == [along[0], down[0], np.ptp(along) + 1, np.ptp(down) + 1]
        assert one["area"] == plane.sum()
    assert sorted(found) == np.flatnonzero(tumour.any(axis=(1, 2))).tolist()
    for index, plane in found.items():
        np.testing.assert_array_equal(plane, tumour[index])


def test_pictures_show_the_slice_in_the_window_that_is_told(cohort: Cohort, tumour: np.ndarray) -> None:
    read = cohort.read()
    outline(cohort, read, "tumour", "tumour", tumour)
    cohort.accept(read)
    release = released(cohort, "coco")
    told = document(release, "coco/all.json")
    windows = {tuple(image["window"]) for image in told["images"]}
    assert len(windows) == 1  # one shade means one value in all slices of a series
    low, high = windows.pop()
    for index, image in slices_in(told).items():
        picture = Image.open(BytesIO(content(release, f"coco/{image['file_name']}")))
        assert (picture.mode, picture.size) == ("L", (image["width"], image["height"]))
        values = cohort.volume.values[index].astype(float)
        expected = np.floor(np.clip((values - low) / (high - low), 0, 1) * 255 + 0.5)
        np.testing.assert_array_equal(np.asarray(picture), expected)
        assert image["sop_instance_uid"] == cohort.converted.source.frames[index].key.sop_instance_uid


def test_slices_without_anything_are_as_many_again_evenly_spaced(cohort: Cohort, tumour: np.ndarray) -> None:
    read = cohort.read()
    outline(cohort, read, "tumour", "tumour", tumour)
    cohort.accept(read)
    told = document(released(cohort, "coco"), "coco/all.json")
    marked = {one["image_id"] for one in told["annotations"]}
    empty = [image["slice"] for image in told["images"] if image["id"] not in marked]
    assert len(empty) == 8
    assert not tumour[[number - 1 for number in empty]].any()
    assert (min(empty), max(empty)) == (1, 21)


def test_a_series_that_was_searched_without_a_finding_gives_empty_slices(cohort: Cohort) -> None:
    read = cohort.read()
    state_label(cohort, read, "tumour", "absent")
    cohort.accept(read)
    told = document(released(cohort, "coco"), "coco/all.json")
    assert (len(told["images"]), told["annotations"]) == (8, [])


def test_figures_that_enclose_pixels_are_polygons_and_bring_no_empty_slices(with_polygons: Cohort) -> None:
    corners = [[10.0, 20.0], [30.5, 20.0], [30.5, 41.0], [10.0, 41.0]]
    read = with_polygons.read()
    figure(with_polygons, read, "polygon", "tumour", "polygon", 4, corners)
    figure(with_polygons, read, "ellipse", "tumour", "ellipse", 6, [[5, 30], [25, 30], [15, 20], [15, 40]])
    figure(with_polygons, read, "length", "tumour", "length", 9, [[5, 30], [25, 30]])
    with_polygons.accept(read)
    told = document(released(with_polygons, "coco"), "coco/all.json")
    assert sorted(slices_in(told)) == [4, 6]
    polygon, ellipse = told["annotations"]
    np.testing.assert_allclose(np.reshape(polygon["segmentation"], (-1, 2)), corners, atol=0.001)
    assert polygon["bbox"] == pytest.approx([10, 20, 20.5, 21], abs=0.002)
    assert polygon["area"] == pytest.approx(20.5 * 21, abs=0.1)
    assert ellipse["area"] == pytest.approx(np.pi * 100, rel=0.002)


def test_a_slice_where_something_was_measured_does_not_count_as_empty(
    cohort: Cohort, tumour: np.ndarray
) -> None:
    read = cohort.read()
    outline(cohort, read, "tumour", "tumour", tumour)
    figure(cohort, read, "length", "tumour", "length", 0, [[5, 5], [9, 9]])
    cohort.accept(read)
    told = document(released(cohort, "coco"), "coco/all.json")
    assert 0 not in slices_in(told)


def test_what_a_reader_is_not_sure_of_counts_neither_for_nor_against(
    cohort: Cohort, tumour: np.ndarray
) -> None:
    read = cohort.read()
    outline(cohort, read, "tumour", "tumour", tumour, state="indeterminate")
    cohort.accept(read)
    told = document(released(cohort, "coco"), "coco/all.json")
    assert {(one["iscrowd"], one["state"]) for one in told["annotations"]} == {(1, "indeterminate")}


def test_categories_are_the_schemas_labels_with_their_codes(cohort: Cohort, tumour: np.ndarray) -> None:
    read = cohort.read()
    outline(cohort, read, "tumour", "tumour", tumour)
    cohort.accept(read)
    told = document(released(cohort, "coco"), "coco/all.json")
    assert [(one["id"], one["name"]) for one in told["categories"]] == [(1, "tumour"), (2, "node")]
    assert told["categories"][0]["code"]["value"] == "108369006"
    assert told["licenses"] == [{"id": 1, "name": "CC BY 4.0", "url": ""}]


def test_each_part_has_its_file_and_folds_stand_with_the_images(cohort: Cohort, tumour: np.ndarray) -> None:
    for number in (1, 2, 3):
        case = cohort.case if number == 1 else another_case(cohort, number)
        read = cohort.read(case=case)
        outline(cohort, read, f"tumour {number}", "tumour", tumour)
        cohort.accept(read)
    release = released(cohort, "coco", folds={1: 0, 2: 1}, parts={3: "test"})
    assert [path for path in paths(release, "coco/") if path.endswith(".json")] == [
        "coco/test.json",
        "coco/train.json",
    ]
    train = document(release, "coco/train.json")
    assert {(image["case"], image["fold"]) for image in train["images"]} == {(1, 0), (2, 1)}
    assert {image["case"] for image in document(release, "coco/test.json")["images"]} == {3}


def test_numbers_are_unlike_each_other_and_the_same_in_the_next_release(
    cohort: Cohort, tumour: np.ndarray
) -> None:
    for number in (1, 2):
        case = cohort.case if number == 1 else another_case(cohort, number)
        read = cohort.read(case=case)
        outline(cohort, read, f"tumour {number}", "tumour", tumour)
        cohort.accept(read)
    first = document(released(cohort, "coco"), "coco/all.json")
    second = document(released(cohort, "coco"), "coco/all.json")
    for name in ("images", "annotations"):
        numbers = [one["id"] for one in first[name]]
        assert len(set(numbers) - {0}) == len(numbers) > 4
        assert max(numbers) < 2**53  # exact in every reader of JSON
        assert numbers == [one["id"] for one in second[name]]


def test_written_again_the_files_have_the_same_bytes(cohort: Cohort, tumour: np.ndarray) -> None:
    from annotations.cohort import writer

    read = cohort.read()
    outline(cohort, read, "tumour", "tumour", tumour)
    cohort.accept(read)
    release = released(cohort, "nnunet", "monai", "coco")
    before = dict(release.files.values_list("path", "sha256"))
    Release.objects.update(state=Release.State.WRITING)
    ReleaseCase.objects.update(written_at=None)
    writer.write_case(release.pk, cohort.case.pk)
    writer.finish(release.pk)
    assert dict(release.files.values_list("path", "sha256")) == before


# Images that are no volume ----------------------------------------------------------------------------


def single_image(cohort: Cohort, name: str, **attributes) -> tuple[Series, np.ndarray]:
    """One of pydicom's sample files, taken in and let go; with the numbers that pydicom reads of it."""
    file = pydicom.dcmread(pydicom.data.get_testdata_file(name))
    for element in file:
        if element.VR == "PN" or element.keyword == "PatientBirthDate":
            element.value = ""
    file.PatientID = "N-0002"
    for keyword, value in attributes.items():
        setattr(file, keyword, value)
    stream = BytesIO()
    file.save_as(stream)
    upload = import_paths(Dataset.objects.get(), [Source(name, lambda: BytesIO(stream.getvalue()))])
    assert upload.stored == 1
    series = Series.objects.get(series_instance_uid=file.SeriesInstanceUID)
    series.instances.update(hold=Instance.Hold.NONE)  # screens are kept back until somebody has looked
    sealing.seal(series.pk)
    series.refresh_from_db()
    return series, file.pixel_array


def outlined_alone(cohort: Cohort, series: Series) -> Release:
    """A case of this image alone, with a rectangle on it."""
    case = Case.objects.create(project=cohort.project, subject=series.study.subject, number=7)
    CaseStudy.objects.create(case=case, study=series.study, position=1)
    read = cohort.read(case=case)
    (sop,) = series.instances.values_list("sop_instance_uid", flat=True)
    cohort.mark(
        read,
        UUID(int=70),
        cohort.segment("tumour")
        | {
            "kind": "polygon",
            "series": series.public_id,
            "sop": sop,
            "frame": 1,
            "points_image": [[2.0, 3.0], [12.0, 3.0], [12.0, 9.0], [2.0, 9.0]],
        },
    )
    cohort.accept(read)
    return released(cohort, "nnunet", "coco")


def test_a_colour_image_keeps_its_colours(with_polygons: Cohort) -> None:
    series, pixels = single_image(with_polygons, "SC_rgb.dcm")
    release = outlined_alone(with_polygons, series)
    told = document(release, "coco/all.json")
    (image,) = told["images"]
    with Image.open(BytesIO(content(release, f"coco/{image['file_name']}"))) as picture:
        assert picture.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(picture), pixels)
    assert (image["window"], image["is_inverted"]) == (None, False)
    assert told["annotations"][0]["bbox"] == [2, 3, 10, 6]
    assert paths(release, "nnunet/") == ["nnunet/left_out.json"]


def test_an_image_without_a_window_is_shown_over_its_values_and_the_right_way_round(
    with_polygons: Cohort,
) -> None:
    series, pixels = single_image(
        with_polygons, "CT_small.dcm", PhotometricInterpretation="MONOCHROME1", RescaleIntercept=-1000
    )
    release = outlined_alone(with_polygons, series)
    (image,) = document(release, "coco/all.json")["images"]
    values = pixels.astype(float) - 1000
    low, high = np.percentile(values, (0.5, 99.5))
    assert image["window"] == pytest.approx([low, high])
    assert image["is_inverted"]
    with Image.open(BytesIO(content(release, f"coco/{image['file_name']}"))) as picture:
        shades = 255 - np.clip((values - low) / (high - low), 0, 1) * 255
        np.testing.assert_allclose(np.asarray(picture), shades, atol=0.501)
