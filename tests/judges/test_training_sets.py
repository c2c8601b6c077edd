"""Data sets of real series, judged by nnU-Net, MONAI, SimpleITK, nibabel and pycocotools, and against images
as pydicom reads them. Data: LIDC-IDRI-0314, Soft-tissue-Sarcoma STS_001, UCSF-BR-08, CMB-CRC (CC BY), and
samples of pyradiomics and dicom2nifti."""

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image
from pycocotools import mask as theirs
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from annotations.exchange.coco import compressed, outline_of_points, run_lengths
from tests.judges import real_sets
from tests.judges.real_sets import Expected, RealSets
from tests.judges.training import asking

SETS = ("Dataset001_RealImages_CT", "Dataset002_RealImages_MR", "Dataset003_RealImages_PT")
VOLUMES = ("CT 1", "CT 2", "MR 2", "PT 2", "MR 3", "MR 4", "MR 5", "MR 8")
PARTS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def sets(django_db_setup, django_db_blocker, tmp_path_factory, test_data: Path) -> Iterator[RealSets]:
    with django_db_blocker.unblock():
        yield real_sets.made(
            tmp_path_factory.mktemp("release"), tmp_path_factory.mktemp("objects"), test_data
        )


def document(path: Path) -> Any:
    return json.loads(path.read_text())


def files_of(sets: RealSets, expected: Expected) -> tuple[Path, Path]:
    """Image and label map in nnU-Net's folders."""
    where = "Ts" if real_sets.PARTS[expected.number] == "test" else "Tr"
    (image,) = sets.folder.glob(f"nnunet/*/images{where}/{expected.name}_0000.nii.gz")
    (labels,) = sets.folder.glob(f"nnunet/*/labels{where}/{expected.name}.nii.gz")
    return image, labels


# nnU-Net ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SETS[:2])
def test_nnu_net_finds_a_whole_data_set_and_warns_of_nothing(sets: RealSets, name: str) -> None:
    told = asking.said("nnunet", sets.folder / "nnunet" / name)
    assert "verify_dataset_integrity Done" in told
    assert "warning" not in told.lower()
    assert "error:" not in told.lower()


@pytest.mark.parametrize("name", SETS)
def test_nnu_net_reads_the_labels_cases_and_splits_as_they_are_meant(sets: RealSets, name: str) -> None:
    folder = sets.folder / "nnunet" / name
    read = asking.answer("labels", folder)
    assert read["all_labels"] == [0, *real_sets.NUMBERS.values()]
    modality = name.rpartition("_")[2]
    cases = sorted(
        sets.series[key].name
        for key in VOLUMES
        if key.startswith(modality) and real_sets.PARTS[sets.series[key].number] != "test"
    )
    assert read["cases"] == cases
    if read["splits"] is not None:
        (split,) = read["splits"]
        assert sorted(split["train"] + split["val"]) == cases
        assert split["val"] == [case for case in cases if case.startswith("0002")]


def test_what_makes_no_data_set_is_told_with_the_reason(sets: RealSets) -> None:
    told = document(sets.folder / "nnunet" / "left_out.json")["left_out"]
    reasons = {entry["case"]: entry["because"] for entry in told}
    assert set(reasons) == {6, 7}
    assert "84.00 mm apart" in reasons[6] or "several images at one place" in reasons[6]
    assert "tilted gantry" in reasons[7]


# Where voxels are ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", VOLUMES)
def test_simpleitk_finds_image_and_label_map_on_one_grid_where_dicom_has_it(sets: RealSets, key: str) -> None:
    """nnU-Net only warns of origins and directions that differ; here they must not."""
    expected = sets.series[key]
    image, labels = (sitk.ReadImage(str(path)) for path in files_of(sets, expected))
    assert image.GetSize() == labels.GetSize()
    for name in ("GetOrigin", "GetSpacing", "GetDirection"):
        assert getattr(image, name)() == getattr(labels, name)()
    first = np.array(image.TransformIndexToPhysicalPoint((0, 0, 0)))
    start = min((0, -1), key=lambda at: np.linalg.norm(position(expected.images[at]) - first))
    headers = expected.images if start == 0 else expected.images[::-1]
    assert image.GetSize()[2] == len(headers)
    columns, rows = image.GetSize()[:2]
    for index, header in enumerate(headers):
        along_row, down_column = directions(header)
        row_mm, column_mm = map(float, header.PixelSpacing)
        for column, row in ((0, 0), (columns - 1, 0), (0, rows - 1), (columns // 3, rows // 2)):
            placed = position(header) + column * column_mm * along_row + row * row_mm * down_column
            found = image.TransformIndexToPhysicalPoint((column, row, index))
            np.testing.assert_allclose(found, placed, atol=0.051)


def position(header) -> np.ndarray:
    return np.array(header.ImagePositionPatient, dtype=float)


def directions(header) -> np.ndarray:
    return np.array(header.ImageOrientationPatient, dtype=float).reshape(2, 3)


@pytest.mark.parametrize("key", VOLUMES)
def test_nibabel_finds_the_values_and_the_labels_of_each_image_at_its_place(sets: RealSets, key: str) -> None:
    """Values by pydicom's own rescaling; masks by the journal's rows."""
    expected = sets.series[key]
    image, labels = (nib.load(path) for path in files_of(sets, expected))
    np.testing.assert_array_equal(image.affine, labels.affine)
    assert image.header.get_xyzt_units()[0] == labels.header.get_xyzt_units()[0] == "mm"
    assert int(image.header["sform_code"]) == int(image.header["qform_code"]) == 1
    np.testing.assert_allclose(image.get_qform(), image.get_sform(), atol=1e-2)
    voxels, numbers = np.asarray(image.dataobj), np.asarray(labels.dataobj)
    np.testing.assert_array_equal(numbers.T, expected.label_map)
    assert numbers.any() == (expected.number != real_sets.EMPTY)
    to_index = np.linalg.inv(image.affine)
    seen = set()
    for header in expected.images:
        x, y, z = position(header)
        index = nib.affines.apply_affine(to_index, (-x, -y, z))
        at = round(float(index[2]))
        seen.add(at)
        np.testing.assert_allclose(index[:2], 0, atol=0.05)
        slope, intercept = float(header.get("RescaleSlope", 1)), float(header.get("RescaleIntercept", 0))
        values = header.pixel_array * slope + intercept
        np.testing.assert_allclose(voxels[:, :, at].T, values, rtol=1e-6, atol=1e-4)
    assert seen == set(range(voxels.shape[2]))


def test_what_overlaps_is_counted_as_lost_by_the_label_that_lost_it(sets: RealSets) -> None:
    for key in ("CT 1", "MR 3", "MR 4"):
        expected = sets.series[key]
        mass, oedema = (
            np.logical_or.reduce([voxels for own, voxels in expected.marks if own == label])
            for label in ("mass", "oedema")
        )
        (told,) = (
            case
            for path in sets.folder.glob("nnunet/*/dataset.json")
            for case in document(path)["cases"]
            if case["name"] == expected.name
        )
        assert told["overwritten_voxels"] == {"mass": int((mass & oedema).sum())}
        assert (mass & oedema).any()


# MONAI ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("modality", ["CT", "MR", "PT"])
def test_monai_loads_every_entry_with_its_labels_on_the_images_grid(
    sets: RealSets, modality: str, tmp_path: Path
) -> None:
    path = sets.folder / "monai" / f"dataset_RealImages_{modality}.json"
    read = asking.answer("monai", path, sets.folder, tmp_path)
    assert read["properties"]["labels"] == {
        "0": "background",
        **{str(number): name for name, number in real_sets.NUMBERS.items()},
    }
    by_name = {sets.series[key].name: sets.series[key] for key in VOLUMES if key.startswith(modality)}
    assert sorted(name for names in read["lists"].values() for name in names) == sorted(by_name)
    lists = {"training": "train", "validation": "validation", "test": "test"}
    for kind, names in read["lists"].items():
        for index, name in enumerate(names):
            expected = by_name[name]
            assert real_sets.PARTS[expected.number] == lists[kind]
            with np.load(tmp_path / f"{kind}_{index}.npz") as kept:
                loaded = {key: kept[key] for key in kept.files}
            assert loaded["image"].shape == loaded["label"].shape
            np.testing.assert_array_equal(loaded["image_affine"], loaded["label_affine"])
            np.testing.assert_array_equal(loaded["label"].T, expected.label_map)
            image = nib.load(files_of(sets, expected)[0])
            np.testing.assert_allclose(loaded["image_affine"], image.affine, atol=1e-6)


# COCO -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def parts(sets: RealSets) -> dict[str, COCO]:
    with contextlib.redirect_stdout(io.StringIO()):
        return {part: COCO(str(sets.folder / "coco" / f"{part}.json")) for part in PARTS}


def test_pycocotools_writes_the_same_text_for_any_mask() -> None:
    random = np.random.default_rng(7)
    for share in (0.0, 0.001, 0.02, 0.5, 0.99, 1.0):
        for shape in ((1, 1), (3, 700), (700, 3), (128, 96), (513, 512)):
            plane = random.random(shape) < share
            their = theirs.encode(np.asfortranarray(plane.astype(np.uint8)))
            assert compressed(run_lengths(plane)) == their["counts"].decode(), (share, shape)


def test_pycocotools_finds_every_voxel_that_was_drawn(sets: RealSets, parts: dict[str, COCO]) -> None:
    by_name = {expected.name: expected for expected in sets.series.values()}
    found = {name: {} for name in by_name}
    names = {category["id"]: category["name"] for category in parts["train"].dataset["categories"]}
    assert {name: number for number, name in names.items()} == real_sets.NUMBERS
    polygons = 0
    for part, coco in parts.items():
        for one in coco.dataset["annotations"]:
            image = coco.imgs[one["image_id"]]
            name = f"{image['case']:04d}_{image['series']}"
            assert real_sets.PARTS.get(image["case"], "train") == part
            if one["kind"] != "segment":
                polygons += 1
                continue
            plane = coco.annToMask(one).astype(bool)
            assert one["area"] == plane.sum() == int(theirs.area(coco.annToRLE(one)))
            assert one["bbox"] == theirs.toBbox(coco.annToRLE(one)).tolist()
            assert one["iscrowd"] == 0
            key = (names[one["category_id"]], image["slice"] - 1)
            whole = found[name].setdefault(key, np.zeros_like(plane))
            whole |= plane
    for name, expected in by_name.items():
        drawn = {}
        for label, voxels in expected.marks:
            for index in np.flatnonzero(voxels.any(axis=(1, 2))):
                key = (label, int(index))
                drawn[key] = drawn.get(key, False) | voxels[index]
        assert found[name].keys() == drawn.keys()
        for key, plane in drawn.items():
            np.testing.assert_array_equal(found[name][key], plane)
    assert polygons == len(real_sets.VOLUMES) - 1 + len(real_sets.NO_VOLUMES)


def test_pycocotools_fills_polygons_where_they_were_drawn(parts: dict[str, COCO]) -> None:
    """A rectangle along the edges of pixels: columns 40 to 59, rows 10 to 21."""
    seen = 0
    for coco in parts.values():
        for one in coco.dataset["annotations"]:
            if one["kind"] == "polygon":
                plane = coco.annToMask(one)
                expected = np.zeros_like(plane)
                expected[10:22, 40:60] = 1
                np.testing.assert_array_equal(plane, expected)
                assert one["area"] == pytest.approx(240, abs=0.1)
                seen += 1
    assert seen


def test_a_polygons_area_is_that_of_pycocotools_mask_to_within_its_rim() -> None:
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    line = np.column_stack((100 + 40 * np.cos(angle), 90 + 25 * np.sin(angle)))
    outline = outline_of_points(line)
    (rle,) = theirs.frPyObjects(outline["segmentation"], 200, 220)
    assert int(theirs.area(rle)) == pytest.approx(outline["area"], rel=0.02)
    np.testing.assert_allclose(theirs.toBbox(rle), outline["bbox"], atol=1)


def test_pictures_are_there_in_their_size_and_ids_are_unlike_each_other(
    sets: RealSets, parts: dict[str, COCO]
) -> None:
    numbers: list[int] = []
    for coco in parts.values():
        assert len(coco.imgs) == len(coco.dataset["images"]) > 0
        assert len(coco.anns) == len(coco.dataset["annotations"]) > 0
        numbers += coco.imgs
        for image in coco.dataset["images"]:
            with Image.open(sets.folder / "coco" / image["file_name"]) as picture:
                assert (picture.width, picture.height) == (image["width"], image["height"])
                assert picture.mode == "L"
                assert np.ptp(np.asarray(picture)) > 0 or not coco.getAnnIds([image["id"]])
    assert len(numbers) == len(set(numbers))


def test_a_picture_shows_the_image_that_it_names_in_the_window_that_it_tells(
    sets: RealSets, parts: dict[str, COCO]
) -> None:
    headers = {
        str(header.SOPInstanceUID): header for expected in sets.series.values() for header in expected.images
    }
    seen = 0
    for coco in parts.values():
        for image in coco.dataset["images"]:
            header = headers.get(image["sop_instance_uid"])
            if header is None:
                continue
            low, high = image["window"]
            slope, intercept = float(header.get("RescaleSlope", 1)), float(header.get("RescaleIntercept", 0))
            values = header.pixel_array * slope + intercept
            shades = np.clip((values - low) / (high - low), 0, 1) * 255
            path = sets.folder / "coco" / image["file_name"]
            np.testing.assert_allclose(np.asarray(Image.open(path)), shades, atol=0.501)
            seen += 1
    assert seen > 50


@pytest.mark.parametrize("part", PARTS)
def test_pycocotools_scores_the_truth_against_itself_as_right(parts: dict[str, COCO], part: str) -> None:
    """Its evaluation runs through ids, areas, boxes and masks."""
    truth = parts[part]
    for kind in ("segm", "bbox"):
        with contextlib.redirect_stdout(io.StringIO()):
            answers = [
                {
                    "image_id": one["image_id"],
                    "category_id": one["category_id"],
                    "score": 0.9,
                    **({"segmentation": truth.annToRLE(one)} if kind == "segm" else {"bbox": one["bbox"]}),
                }
                for one in truth.dataset["annotations"]
            ]
            scored = COCOeval(truth, truth.loadRes(answers), kind)
            scored.evaluate()
            scored.accumulate()
            scored.summarize()
        assert scored.stats[0] == pytest.approx(1.0)
