"""Lists for MONAI, as the Medical Segmentation Decathlon wrote them, one for each modality.

monai/dataset_<Project>_CT.json: training, validation and test, with paths from the root of the release
monai/labels/0314_CT_<series>.nii.gz: label maps
monai/images/0314_CT_<series>.nii.gz: where the release has no NIfTI images to point to
monai/left_out.json: what is in none of them, and why
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO

from annotations.cohort.formats import nnunet
from annotations.cohort.formats.labelling import numbered_labels
from annotations.cohort.formats.nifti import image_path as nifti_path
from annotations.cohort.formats.plan import Format, PlannedFile
from annotations.cohort.formats.streamed import Rows, write_lists
from annotations.cohort.formats.training import KINDS, Training, channel_name, set_name
from annotations.cohort.images import StoredSeries
from annotations.cohort.material import CaseMaterial, ReleaseMaterial
from annotations.models import ReleaseCase

Part = ReleaseCase.Part
LISTS = {"training": (Part.NONE, Part.TRAIN), "validation": (Part.VALIDATION,), "test": (Part.TEST,)}


def image_path(case: CaseMaterial, stored: StoredSeries, name: str) -> str:
    return nifti_path(case, stored) if case.writes("nifti") else f"monai/images/{name}.nii.gz"


def label_path(name: str) -> str:
    return f"monai/labels/{name}.nii.gz"


class Monai(Format):
    key, title = "monai", "MONAI"
    holds = "lists of volumes and label maps for MONAI, as in the Medical Segmentation Decathlon"

    def of_case(self, case: CaseMaterial) -> Iterator[PlannedFile]:
        """What nnU-Net's data sets hold already is the same object, so that who fetches this format alone,
        or with NIfTI, has all that its lists point to."""
        training = case.once(Training.of)
        as_nnunet = case.writes("nnunet")
        if not case.writes("nifti"):
            for name, stored, nifti in training.images():
                path = image_path(case, stored, name)
                if as_nnunet:
                    yield PlannedFile(path, same_as=nnunet.image_path(case, stored, name), holds_marks=False)
                else:
                    yield nnunet.planned_image(case, stored, nifti, path)
        for one in training.cases:
            path, read = label_path(one.name), one.read.pinned
            if as_nnunet:
                same = nnunet.label_path(case, one.stored, one.name)
                yield PlannedFile(path, same_as=same, read=read)
            else:
                yield PlannedFile(path, one.write, read=read, expected=one.expected)

    def record(self, case: CaseMaterial) -> Any:
        training = case.once(Training.of)
        labelled = {} if training.is_withheld else {one.name: one for one in training.cases}
        return {
            "values": {each.name: each.number for each in training.labels},
            "cases": [
                {
                    "modality": stored.series.modality,
                    "name": name,
                    "image": image_path(case, stored, name),
                    "label": label_path(name) if name in labelled else None,
                    **(labelled[name].as_json(training.labels) if name in labelled else {}),
                }
                for name, stored, _ in training.images()
            ],
            "left_out": [] if training.is_withheld else training.left_out,
        }

    def of_release(self, release: ReleaseMaterial) -> Iterator[PlannedFile]:
        values: dict[str, int] = {}
        counts: dict[str, dict[str, int]] = {}
        ignores: set[str] = set()
        is_complete = True
        for release_case, record in nnunet.records(release, self.key):
            values |= record["values"]
            is_complete = is_complete and not record["left_out"]
            for each in record["cases"]:
                counted = counts.setdefault(each["modality"], dict.fromkeys(LISTS, 0))
                counted[_list_of(release_case)] += 1
                if each.get("has_ignored_voxels"):
                    ignores.add(each["modality"])
        for modality, counted in sorted(counts.items()):
            numbers = {"background": 0} | values
            if modality in ignores:
                numbers["ignore"] = max(numbers.values()) + 1
            head = _head(release, modality, counted, numbers)
            name = set_name(release.release, modality)
            yield PlannedFile(f"monai/dataset_{name}.json", partial(_write_list, release, modality, head))
        if not is_complete:
            left_out = partial(nnunet.write_left_out, release, self.key)
            yield PlannedFile("monai/left_out.json", left_out)


def _head(
    release: ReleaseMaterial, modality: str, counted: dict[str, int], numbers: dict[str, int]
) -> dict[str, Any]:
    labels = numbered_labels(release.release, KINDS)
    return {
        **nnunet.set_facts(release.release, modality),
        "tensorImageSize": "3D",
        "modality": {"0": channel_name(modality)},
        "labels": {str(number): name for name, number in numbers.items()},
        "label_meanings": {each.name: each.as_json() for each in labels},
        "numTraining": counted["training"],
        "numValidation": counted["validation"],
        "numTest": counted["test"],
    }


def _write_list(release: ReleaseMaterial, modality: str, head: dict[str, Any], stream: BinaryIO) -> None:
    write_lists(stream, head, (*LISTS, "unknown_labels"), _rows(release, modality))


def _rows(release: ReleaseMaterial, modality: str) -> Rows:
    """One entry a volume; where marks are withheld, the image alone.

    What is unknown of it stands apart: entries must all have the same keys to become batches.
    """
    for release_case, record in nnunet.records(release, Monai.key):
        fold = {} if release_case.fold is None else {"fold": release_case.fold}
        for each in record["cases"]:
            if each["modality"] != modality:
                continue
            label = {"label": each["label"]} if each.get("label") else {}
            named = {"name": each["name"], "case": release_case.number}
            yield _list_of(release_case), {"image": each["image"]} | label | named | fold
            if unknown := each.get("unknown_labels"):
                yield "unknown_labels", {"name": each["name"], "labels": unknown}


def _list_of(release_case: ReleaseCase) -> str:
    return next(name for name, parts in LISTS.items() if release_case.part in parts)
