"""A release as the client opens it: every array and label is what the reader drew and said."""

import os
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import atlas_client
import nibabel
import numpy as np
import pytest

from annotations.cohort import releases, uses, writer
from annotations.models import Release
from tests.annotations.cohort.conftest import OUTLINE, SECOND, Cohort
from tests.annotations.cohort.test_release_api import body
from tests.cast import signed_in


@pytest.fixture
def drawn(cohort: Cohort) -> dict:
    read = cohort.read()
    drawn = cohort.draw(read)
    cohort.accept(read)
    return drawn


def unpacked(
    cohort: Cohort, tmp_path: Path, *formats: str, content: Release.Content = Release.Content.REFERENCE
) -> atlas_client.Release:
    """A release in these formats, its archive fetched and unpacked."""
    choice = releases.Choice(formats=formats, content=content)
    release = releases.freeze(by=cohort.people["lead"], project=cohort.project, choice=choice)
    writer.write_case(release.pk, cohort.case.pk)
    writer.finish(release.pk)
    release.refresh_from_db()
    assert release.state == Release.State.READY, release.problem
    scientist = cohort.people["scientist"]
    uses.state_use(by=scientist, release=release, purpose="To train a model.", agrees=False)
    answer = signed_in(scientist).get(f"/api/v1/projects/respond/releases/{release.number}/archive/")
    with zipfile.ZipFile(BytesIO(body(answer))) as archive:
        archive.extractall(tmp_path)
    return atlas_client.open(tmp_path / f"respond-release-{release.number}")


def test_images_masks_and_labels_are_what_was_drawn(cohort: Cohort, drawn: dict, tmp_path: Path) -> None:
    release = unpacked(cohort, tmp_path, "nifti", "json", "tables")
    assert release.name == "respond@1"
    [case] = release.cases()
    assert (case.number, case.subject, case.part) == (1, cohort.case.subject.pseudonym, "")
    image, masks, affine = case.arrays(modality="MR")
    assert masks.keys() == {"tumour", "node"}
    either = drawn[OUTLINE] | drawn[SECOND]
    assert int(masks["tumour"].sum()) == int(either.sum()) > 0
    assert not masks["node"].any()
    assert masks["tumour"].shape == image.shape == case.image().shape
    assert sorted(int(mask.array.sum()) for mask in case.masks(label="tumour")) == sorted(
        int(one.sum()) for one in drawn.values()
    )
    assert {(mask.label, mask.state) for mask in case.masks()} == {("tumour", "present"), ("node", "absent")}
    assert case.labels() == {"tumour": "present", "node": "absent"}
    assert case.read().is_reference
    # RAS: the middle of what was drawn, in patient millimetres with the first two axes turned.
    centre = affine @ [*np.argwhere(masks["tumour"]).mean(axis=0), 1]
    assert centre[:3] == pytest.approx(_centre_ras_mm(cohort, either), abs=1e-3)


def _centre_ras_mm(cohort: Cohort, voxels: np.ndarray) -> list[float]:
    """From the frames' own positions, spacing and directions."""
    frames = cohort.converted.source.frames
    points = []
    for frame, row, column in np.argwhere(voxels):
        place = frames[frame]
        across, down = np.array(place.orientation[:3]), np.array(place.orientation[3:])
        points.append(
            np.array(place.position) + across * place.column_mm * column + down * place.row_mm * row
        )
    x, y, z = np.mean(points, axis=0)
    return [-x, -y, z]


def test_labels_are_known_by_name_where_nothing_else_says_them(cohort, drawn: dict, tmp_path: Path) -> None:
    [case] = unpacked(cohort, tmp_path, "nifti").cases()
    assert sorted(mask.label for mask in case.masks()) == ["node", "tumour", "tumour"]
    assert {mask.state for mask in case.masks()} == {""}
    assert case.read().is_reference
    with pytest.raises(atlas_client.AtlasError, match=r"annotations\.json"):
        case.labels()


def test_of_two_reads_one_has_to_be_named(cohort: Cohort, drawn: dict, tmp_path: Path) -> None:
    second = cohort.read("other_reader")
    cohort.mark(second, OUTLINE, cohort.segment("node"))
    planes = np.zeros_like(drawn[OUTLINE])
    planes[2, 3, 4:6] = True
    cohort.plane(second, OUTLINE, 2, planes[2])
    cohort.accept(second)
    [case] = unpacked(cohort, tmp_path, "nifti", "json", content=Release.Content.READERS).cases()
    assert len(case.reads) == 2
    assert not any(read.is_reference for read in case.reads)
    with pytest.raises(atlas_client.AtlasError, match="No read stands for case 1"):
        case.masks()
    found = {read.reader: int(sum(mask.array.sum() for mask in read.masks())) for read in case.reads}
    assert sorted(found.values()) == [2, int(drawn[OUTLINE].sum() + drawn[SECOND].sum())]
    small = min(found, key=lambda reader: found[reader])
    assert case.labels(small) == {"node": "present"}
    assert case.arrays(reader=small)[1].keys() == {"node"}


def test_tables_have_numbers_and_say_their_units(cohort: Cohort, drawn: dict, tmp_path: Path) -> None:
    tables = unpacked(cohort, tmp_path, "tables").tables
    assert {"cases", "series", "annotations", "measurements"} <= set(tables)
    rows = tables["measurements"]
    lengths = [row["length_mm"] for row in rows if row["kind"] == "length"]
    assert lengths == [pytest.approx(5.0)]
    assert all(isinstance(row["case_number"], int) for row in rows)
    assert {row["is_reference"] for row in tables["annotations"]} == {True}
    units = {one["name"]: one["unit"] for one in tables.columns["measurements"]["columns"]}
    assert units["length_mm"] == "mm"


@pytest.mark.parametrize("formats", [("monai", "nifti"), ("monai",), ("monai", "nnunet"), ("nifti", "json")])
def test_a_list_for_monai_names_files_that_are_there(cohort, drawn, tmp_path: Path, formats) -> None:
    release = unpacked(cohort, tmp_path, *formats)
    [row] = release.monai()
    assert (row["case"], row["part"]) == (1, "")
    image = nibabel.load(row["image"])
    labels = [row["label"]] if isinstance(row["label"], str) else row["label"]
    volumes = [nibabel.load(label) for label in labels]
    assert all(volume.shape == image.shape for volume in volumes)
    inside = np.any([np.asarray(volume.dataobj) > 0 for volume in volumes], axis=0)
    assert int(inside.sum()) == int((drawn[OUTLINE] | drawn[SECOND]).sum())
    if formats == ("nifti", "json"):
        assert row["labels"] == ["node", "tumour", "tumour"]


def test_a_dataset_for_torch_has_a_channel_for_each_label(cohort: Cohort, drawn, tmp_path: Path) -> None:
    """With a stand-in for PyTorch, which is too large to bring along for one test."""
    unpacked(cohort, tmp_path, "nifti", "json")
    stand_in = tmp_path / "stand_in" / "torch" / "__init__.py"
    stand_in.parent.mkdir(parents=True)
    stand_in.write_text(
        "class utils:\n    class data:\n        Dataset = object\n\ndef from_numpy(array): return array\n"
    )
    code = (
        "import sys, atlas_client\n"
        "data = atlas_client.open(sys.argv[1]).dataset()\n"
        "item = data[0]\n"
        "print(len(data), data.labels, item['image'].dtype, item['image'].shape[0], item['mask'].dtype,\n"
        "      item['mask'].shape[1:] == item['image'].shape[1:], [int(m.sum()) for m in item['mask']])\n"
    )
    places = [str(stand_in.parents[1]), str(Path(atlas_client.__file__).parents[1])]
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "respond-release-1")],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(places)},
        capture_output=True,
        text=True,
    )
    count = int((drawn[OUTLINE] | drawn[SECOND]).sum())
    assert done.stdout == f"1 ('tumour', 'node') float32 1 uint8 True [{count}, 0]\n", done.stderr


def test_what_is_no_release_is_said(tmp_path: Path) -> None:
    with pytest.raises(atlas_client.AtlasError, match=r"manifest\.json"):
        atlas_client.open(tmp_path)
