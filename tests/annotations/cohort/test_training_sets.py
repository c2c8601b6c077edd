"""Data sets for nnU-Net and lists for MONAI: which cases, which numbers, which splits, and what is told."""

import numpy as np
import pytest

from annotations.models import LabelSchema, Release, ReleaseFile
from tests.annotations.cohort.conftest import LABELS, Cohort
from tests.annotations.cohort.sets import (
    another_case,
    content,
    document,
    figure,
    outline,
    paths,
    released,
    require_labels,
    state_label,
    volume,
)

SET = "nnunet/Dataset002_Respond_MR"
LIST = "monai/dataset_Respond_MR.json"


@pytest.fixture
def name(cohort: Cohort) -> str:
    return f"0001_MR_{cohort.series.public_id}"


def told_of(release: Release, number: int = 1) -> dict:
    (found,) = [case for case in document(release, f"{SET}/dataset.json")["cases"] if case["case"] == number]
    return found


# Volumes ----------------------------------------------------------------------------------------------


def test_image_and_label_map_share_their_grid_and_labels_have_the_schemas_numbers(
    cohort: Cohort, tumour: np.ndarray, name: str
) -> None:
    read = cohort.read()
    node = np.roll(tumour, 9, axis=1) & ~tumour
    outline(cohort, read, "node", "node", node)
    outline(cohort, read, "tumour", "tumour", tumour)
    cohort.accept(read)
    release = released(cohort, "nnunet")
    image, labels = (
        volume(release, f"{SET}/imagesTr/{name}_0000.nii.gz"),
        volume(release, f"{SET}/labelsTr/{name}.nii.gz"),
    )
    np.testing.assert_array_equal(image.affine, labels.affine)
    np.testing.assert_array_equal(np.asarray(image.dataobj).T, cohort.volume.values)
    np.testing.assert_array_equal(np.asarray(labels.dataobj).T, 1 * tumour + 2 * node)
    told = document(release, f"{SET}/dataset.json")
    assert told["labels"] == {"background": 0, "tumour": 1, "node": 2}
    assert told["channel_names"] == {"0": "MR"}
    assert (told["numTraining"], told["numTest"], told["file_ending"]) == (1, 0, ".nii.gz")
    assert (told["licence"], told["release"]) == ("CC BY 4.0", "respond 1")
    assert told["label_meanings"]["tumour"]["code"]["value"] == "108369006"
    assert told_of(release)["labels"] == ["tumour", "node"]
    assert paths(release, "nnunet/") == sorted(
        [
            f"{SET}/dataset.json",
            f"{SET}/imagesTr/{name}_0000.nii.gz",
            f"{SET}/labelsTr/{name}.nii.gz",
        ]
    )


def test_where_segments_overlap_the_later_label_wins_and_the_loss_is_told(
    cohort: Cohort, tumour: np.ndarray, name: str
) -> None:
    read = cohort.read()
    node = np.roll(tumour, 2, axis=2)
    outline(cohort, read, "node", "node", node)  # drawn first, yet later in the schema
    outline(cohort, read, "tumour", "tumour", tumour)
    cohort.accept(read)
    release = released(cohort, "nnunet")
    labels = np.asarray(volume(release, f"{SET}/labelsTr/{name}.nii.gz").dataobj).T
    np.testing.assert_array_equal(labels, np.where(node, 2, np.where(tumour, 1, 0)))
    assert told_of(release)["overwritten_voxels"] == {"tumour": int((tumour & node).sum())}


def test_a_label_that_was_looked_for_and_is_absent_keeps_an_empty_label_map(
    cohort: Cohort, name: str
) -> None:
    read = cohort.read()
    outline(cohort, read, "tumour", "tumour", None, state="absent")
    cohort.accept(read)
    release = released(cohort, "nnunet")
    labels = volume(release, f"{SET}/labelsTr/{name}.nii.gz")
    assert not np.asarray(labels.dataobj).any()
    assert told_of(release)["labels"] == []
    assert told_of(release)["unknown_labels"] == {"node": "not stated"}


def test_a_case_read_as_showing_nothing_at_all_is_empty_on_its_volumes(cohort: Cohort, name: str) -> None:
    read = cohort.read()
    for label in ("tumour", "node"):
        state_label(cohort, read, label, "absent")
    cohort.accept(read)
    release = released(cohort, "nnunet")
    assert not np.asarray(volume(release, f"{SET}/labelsTr/{name}.nii.gz").dataobj).any()
    assert told_of(release)["unknown_labels"] == {}


def test_voxels_that_a_reader_is_not_sure_of_are_ignored_but_for_what_is_sure(
    cohort: Cohort, tumour: np.ndarray, name: str
) -> None:
    read = cohort.read()
    unsure = np.roll(tumour, 2, axis=2)
    outline(cohort, read, "sure", "tumour", tumour)
    outline(cohort, read, "unsure", "node", unsure, state="indeterminate")
    cohort.accept(read)
    release = released(cohort, "nnunet", "monai")
    labels = np.asarray(volume(release, f"{SET}/labelsTr/{name}.nii.gz").dataobj).T
    np.testing.assert_array_equal(labels, np.where(tumour, 1, np.where(unsure, 3, 0)))
    numbers = document(release, f"{SET}/dataset.json")["labels"]
    assert numbers == {"background": 0, "tumour": 1, "node": 2, "ignore": 3}
    assert document(release, LIST)["labels"]["3"] == "ignore"
    told = told_of(release)
    assert (told["overwritten_voxels"], told["unknown_labels"]) == ({}, {})


# What is left out -------------------------------------------------------------------------------------


def test_a_label_that_every_case_must_have_and_nobody_assessed_leaves_the_volume_out(
    cohort: Cohort, tumour: np.ndarray
) -> None:
    require_labels(cohort, "node")
    read = cohort.read()
    outline(cohort, read, "tumour", "tumour", tumour)
    state_label(cohort, read, "node", "not_assessed")
    cohort.accept(read)
    release = released(cohort, "nnunet", "monai", "coco")
    why = "a label that every case must have is not known there: node (not assessed)"
    for folder in ("nnunet", "monai", "coco"):
        assert paths(release, f"{folder}/") == [f"{folder}/left_out.json"]
        assert document(release, f"{folder}/left_out.json")["left_out"] == [
            {"case": 1, "series": f"MR_{cohort.series.public_id}", "because": why}
        ]


def test_a_label_that_need_not_be_there_is_told_when_nobody_assessed_it(
    cohort: Cohort, tumour: np.ndarray
) -> None:
    read = cohort.read()
    outline(cohort, read, "tumour", "tumour", tumour)
    state_label(cohort, read, "node", "not_assessed")
    cohort.accept(read)
    release = released(cohort, "nnunet", "monai")
    assert told_of(release)["unknown_labels"] == {"node": "not assessed"}
    told = document(release, LIST)["unknown_labels"]
    assert [entry["labels"] for entry in told] == [{"node": "not assessed"}]


def test_a_lesion_that_was_measured_but_not_outlined_is_not_called_background(
    cohort: Cohort, tumour: np.ndarray
) -> None:
    read = cohort.read()
    outline(cohort, read, "node", "node", tumour)
    figure(cohort, read, "length", "tumour", "length", 3, [[5, 5], [9, 9]])
    cohort.accept(read)
    assert told_of(released(cohort, "nnunet"))["unknown_labels"] == {"tumour": "present, not outlined"}


def test_a_case_with_several_reads_and_no_standard_is_left_out_with_the_reason(
    cohort: Cohort, tumour: np.ndarray
) -> None:
    for reader in ("reader", "other_reader"):
        read = cohort.read(reader)
        outline(cohort, read, "tumour", "tumour", tumour)
        cohort.accept(read)
    release = released(cohort, "nnunet", "monai", "coco")
    for folder in ("nnunet", "monai", "coco"):
        assert document(release, f"{folder}/left_out.json")["left_out"] == [
            {"case": 1, "because": "several accepted reads and no reference standard"}
        ]
    release = released(cohort, "nnunet", content=Release.Content.READERS)
    (told,) = document(release, "nnunet/left_out.json")["left_out"]
    assert told["because"].startswith("the release holds what each reader marked")


def test_a_read_without_any_segment_is_left_out_with_the_reason(cohort: Cohort) -> None:
    read = cohort.read()
    figure(cohort, read, "length", "tumour", "length", 3, [[5, 5], [9, 9]])
    cohort.accept(read)
    release = released(cohort, "nnunet")
    assert document(release, "nnunet/left_out.json")["left_out"] == [
        {"case": 1, "because": "no segment was drawn, and no label was stated absent"}
    ]


def test_a_series_that_is_no_volume_is_left_out_with_the_reason(cohort: Cohort, tumour: np.ndarray) -> None:
    """Without one slice the distance doubles there."""
    from atlas.archive import sealing
    from atlas.models import Instance

    gone = cohort.converted.source.frames[15].key.sop_instance_uid
    Instance.objects.filter(sop_instance_uid=gone).delete()
    sealing.seal(cohort.series.pk)
    cohort.series.refresh_from_db()
    read = cohort.read()
    outline(cohort, read, "tumour", "tumour", tumour)
    cohort.accept(read)
    (told,) = document(released(cohort, "nnunet"), "nnunet/left_out.json")["left_out"]
    assert told["because"].startswith("no volume: ")


# Numbers of labels --------------------------------------------------------------------------------------


def test_a_label_keeps_its_number_when_a_later_schema_puts_another_before_it(
    cohort: Cohort, tumour: np.ndarray
) -> None:
    oedema = LABELS[1] | {"key": "oedema", "name": "Oedema"}
    lead = cohort.people["lead"]
    cohort.schema = LabelSchema.objects.create(
        project=cohort.project, version=2, labels=[oedema, *LABELS], created_by=lead
    )
    read = cohort.read()
    outline(cohort, read, "tumour", "tumour", tumour)
    cohort.accept(read)
    told = document(released(cohort, "nnunet"), f"{SET}/dataset.json")
    assert told["labels"] == {"background": 0, "tumour": 1, "node": 2, "oedema": 3}


def test_labels_that_are_never_segments_have_no_number_in_a_label_map(
    cohort: Cohort, tumour: np.ndarray
) -> None:
    labels = [LABELS[0] | {"key": "scar", "name": "Scar", "kinds": ["length"]}, *LABELS]
    LabelSchema.objects.filter(pk=cohort.schema.pk).update(labels=labels)
    cohort.schema.refresh_from_db()
    read = cohort.read()
    outline(cohort, read, "tumour", "tumour", tumour)
    cohort.accept(read)
    told = document(released(cohort, "nnunet"), f"{SET}/dataset.json")
    assert told["labels"] == {"background": 0, "tumour": 1, "node": 2}


def test_a_label_called_as_what_nnu_net_keeps_for_itself_gets_another_name(
    cohort: Cohort, tumour: np.ndarray
) -> None:
    labels = [LABELS[0] | {"key": "background"}, LABELS[1]]
    LabelSchema.objects.filter(pk=cohort.schema.pk).update(labels=labels)
    cohort.schema.refresh_from_db()
    read = cohort.read()
    outline(cohort, read, "tumour", "background", tumour)
    cohort.accept(read)
    told = document(released(cohort, "nnunet"), f"{SET}/dataset.json")
    assert told["labels"] == {"background": 0, "background_label": 1, "node": 2}


# Parts ------------------------------------------------------------------------------------------------


@pytest.fixture
def four(cohort: Cohort, tumour: np.ndarray) -> Cohort:
    """Four cases with one tumour each."""
    for number in (1, 2, 3, 4):
        case = cohort.case if number == 1 else another_case(cohort, number)
        read = cohort.read(case=case)
        outline(cohort, read, f"tumour {number}", "tumour", tumour)
        cohort.accept(read)
    return cohort


PARTS = {1: "train", 2: "validation", 3: "train", 4: "test"}


def test_train_and_validation_become_one_split_and_the_test_has_its_own_folders(four: Cohort) -> None:
    release = released(four, "nnunet", parts=PARTS)
    one, two, three, last = (f"{n:04d}_MR_{four.series.public_id}" for n in (1, 2, 3, 4))
    assert document(release, f"{SET}/splits_final.json") == [{"train": [one, three], "val": [two]}]
    assert f"{SET}/imagesTs/{last}_0000.nii.gz" in paths(release)
    assert f"{SET}/labelsTs/{last}.nii.gz" in paths(release)
    told = document(release, f"{SET}/dataset.json")
    assert (told["numTraining"], told["numTest"]) == (3, 1)


def test_folds_become_as_many_splits_and_each_case_validates_once(four: Cohort) -> None:
    release = released(four, "nnunet", folds={1: 0, 2: 1, 3: 0}, parts={4: "test"})
    one, two, three, _ = (f"{n:04d}_MR_{four.series.public_id}" for n in (1, 2, 3, 4))
    assert document(release, f"{SET}/splits_final.json") == [
        {"train": [two], "val": [one, three]},
        {"train": [one, three], "val": [two]},
    ]


def test_without_parts_there_is_no_split(four: Cohort) -> None:
    assert f"{SET}/splits_final.json" not in paths(released(four, "nnunet"))


@pytest.mark.parametrize("beside", [(), ("nifti",), ("nnunet",), ("nifti", "nnunet")])
def test_monais_lists_go_by_part_and_point_to_files_of_monai_and_nifti(four: Cohort, beside: tuple) -> None:
    release = released(four, "monai", *beside, parts=PARTS)
    told = document(release, LIST)
    assert [len(told[name]) for name in ("training", "validation", "test")] == [2, 1, 1]
    assert (told["numTraining"], told["numValidation"], told["numTest"]) == (2, 1, 1)
    assert told["labels"] == {"0": "background", "1": "tumour", "2": "node"}
    assert told["modality"] == {"0": "MR"}
    here = set(release.files.filter(format__in=("monai", "nifti")).values_list("path", flat=True))
    for name in ("training", "validation", "test"):
        for entry in told[name]:
            assert {entry["image"], entry["label"]} <= here
            image, label = volume(release, entry["image"]), volume(release, entry["label"])
            np.testing.assert_array_equal(image.affine, label.affine)
            np.testing.assert_array_equal(np.asarray(label.dataobj).T, four.labels.values > 0)


def test_a_label_map_of_two_formats_is_one_object_in_storage(four: Cohort, name: str) -> None:
    release = released(four, "nnunet", "monai")
    for of_nnunet, of_monai in (
        (f"{SET}/labelsTr/{name}.nii.gz", f"monai/labels/{name}.nii.gz"),
        (f"{SET}/imagesTr/{name}_0000.nii.gz", f"monai/images/{name}.nii.gz"),
    ):
        rows = ReleaseFile.objects.filter(release=release, path__in=(of_nnunet, of_monai))
        assert [row.format for row in rows.order_by("format")] == ["monai", "nnunet"]
        assert len({row.object_key for row in rows}) == 1


def test_monai_with_nifti_points_to_its_images_and_writes_label_maps(four: Cohort, name: str) -> None:
    release = released(four, "nifti", "monai")
    entry = document(release, LIST)["training"][0]
    assert entry["image"] == f"cases/0001/images/MR_{four.series.public_id}.nii.gz"
    assert entry["label"] == f"monai/labels/{name}.nii.gz"
    assert {entry["image"], entry["label"]} <= set(paths(release))


def test_monai_alone_writes_images_and_label_maps(four: Cohort, name: str) -> None:
    release = released(four, "monai")
    entry = document(release, LIST)["training"][0]
    assert entry["image"] == f"monai/images/{name}.nii.gz"
    image, label = volume(release, entry["image"]), volume(release, entry["label"])
    np.testing.assert_array_equal(image.affine, label.affine)
    assert np.asarray(label.dataobj).any()


def test_the_image_of_two_formats_is_one_object_in_storage(four: Cohort, name: str) -> None:
    release = released(four, "nifti", "nnunet")
    rows = ReleaseFile.objects.filter(
        release=release,
        path__in=[
            f"cases/0001/images/MR_{four.series.public_id}.nii.gz",
            f"{SET}/imagesTr/{name}_0000.nii.gz",
        ],
    )
    assert rows.count() == 2
    assert len({row.object_key for row in rows}) == 1
    assert {row.format for row in rows} == {"nifti", "nnunet"}


# What is withheld -------------------------------------------------------------------------------------


def given_out(release: Release) -> dict[str, bytes]:
    rows = release.files.filter(is_sequestered=False).values_list("path", flat=True)
    return {path: content(release, path) for path in rows}


def test_sequestered_marks_are_told_nowhere_but_the_images_are_there(cohort: Cohort, tumour) -> None:
    read = cohort.read()
    outline(cohort, read, "tumour", "tumour", tumour)
    cohort.accept(read)
    hidden = cohort.read(case=another_case(cohort, 2))
    outline(cohort, hidden, "secret tumour", "tumour", tumour)
    outline(cohort, hidden, "secret node", "node", np.roll(tumour, 2, axis=2))
    cohort.accept(hidden)
    release = released(cohort, "nnunet", "monai", "coco", parts={1: "train", 2: "test"}, sequestered="marks")
    files = given_out(release)
    name = f"0002_MR_{cohort.series.public_id}"
    assert f"{SET}/imagesTs/{name}_0000.nii.gz" in files
    assert f"{SET}/labelsTs/{name}.nii.gz" in paths(release)
    assert f"{SET}/labelsTs/{name}.nii.gz" not in files
    assert told_of(release, 2).keys() == {"case", "part", "fold", "name", "description", "units"}
    (entry,) = document(release, LIST)["test"]
    assert entry.keys() == {"image", "name", "case"}
    assert [path for path in files if path.startswith("coco/") and "0002_" in path] == []
    assert "coco/test.json" not in files
    assert f"monai/labels/{name}.nii.gz" in paths(release)
    assert f"monai/labels/{name}.nii.gz" not in files


def test_what_is_given_out_of_a_withheld_case_does_not_depend_on_its_marks(cohort: Cohort, tumour) -> None:
    """Three cases of the same images: outlined, said to show nothing, and read without a word."""
    first = cohort.read()
    outline(cohort, first, "tumour", "tumour", tumour)
    second = cohort.read(case=another_case(cohort, 2))
    state_label(cohort, second, "tumour", "absent")
    third = cohort.read(case=another_case(cohort, 3))
    for read in (first, second, third):
        cohort.accept(read)
    release = released(
        cohort, "nnunet", "monai", "coco", parts=dict.fromkeys((1, 2, 3), "test"), sequestered="marks"
    )
    by_case = {}
    for number in (1, 2, 3):
        prefix = f"{number:04d}_"
        own = [path for path in given_out(release) if prefix in path]
        told = told_of(release, number)
        told["name"], told["case"] = told["name"].removeprefix(prefix), 0
        by_case[number] = ([path.replace(prefix, "") for path in own], told)
    assert by_case[1] == by_case[2] == by_case[3]
    assert "nnunet/left_out.json" not in paths(release)


def test_of_a_case_that_is_withheld_whole_nothing_is_told(cohort: Cohort, tumour: np.ndarray) -> None:
    for number in (1, 2):
        case = cohort.case if number == 1 else another_case(cohort, number)
        read = cohort.read(case=case)
        outline(cohort, read, f"tumour {number}", "tumour", tumour)
        cohort.accept(read)
    release = released(cohort, "nnunet", "monai", "coco", parts={1: "train", 2: "test"}, sequestered="all")
    files = given_out(release)
    assert [path for path in files if "0002_" in path] == []
    for path in (f"{SET}/dataset.json", LIST, "coco/train.json"):
        assert b"0002_" not in files[path]
    assert document(release, f"{SET}/dataset.json")["numTest"] == 0
