"""nnU-Net v2's raw data sets, one for each modality that segments lie on.

nnunet/Dataset001_<Project>_CT/imagesTr/0314_CT_<series>_0000.nii.gz, labelsTr/0314_CT_<series>.nii.gz
nnunet/Dataset001_<Project>_CT/{imagesTs,labelsTs}/…: the test part
nnunet/Dataset001_<Project>_CT/{dataset.json,splits_final.json}
nnunet/left_out.json: what is in none of them, and why
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, BinaryIO

from annotations.cohort.formats.labelling import NumberedLabel, numbered_labels
from annotations.cohort.formats.nifti import image_path as nifti_path
from annotations.cohort.formats.nifti import image_writer
from annotations.cohort.formats.plan import Format, ImageVolume, PlannedFile
from annotations.cohort.formats.streamed import write_json
from annotations.cohort.formats.training import (
    KINDS,
    Training,
    channel_name,
    group_number,
    set_name,
)
from annotations.cohort.images import StoredSeries
from annotations.cohort.material import CaseMaterial, ReleaseMaterial, withheld_of
from annotations.exchange.nifti import NiftiWriter
from annotations.exchange.tables import as_json
from annotations.models import Release, ReleaseCase

Part = ReleaseCase.Part
ENDING = ".nii.gz"


def folder(release: Release, modality: str) -> str:
    return f"nnunet/Dataset{group_number(modality):03d}_{set_name(release, modality)}"


def image_path(case: CaseMaterial, stored: StoredSeries, name: str) -> str:
    where = f"images{_suffix(case.release_case)}"
    return f"{folder(case.release, stored.series.modality)}/{where}/{name}_0000{ENDING}"


def label_path(case: CaseMaterial, stored: StoredSeries, name: str) -> str:
    where = f"labels{_suffix(case.release_case)}"
    return f"{folder(case.release, stored.series.modality)}/{where}/{name}{ENDING}"


def planned_image(case: CaseMaterial, stored: StoredSeries, nifti: NiftiWriter, path: str) -> PlannedFile:
    """The same object as the image of the format NIfTI, where the release has that, too."""
    if case.writes("nifti"):
        return PlannedFile(path, same_as=nifti_path(case, stored), holds_marks=False)
    write = image_writer(stored, nifti)
    return PlannedFile(path, write, holds_marks=False, is_apart=True, expected=ImageVolume(stored))


def _suffix(release_case: ReleaseCase) -> str:
    return "Ts" if release_case.part == Part.TEST else "Tr"


@dataclass
class _Set:
    """One data set while it is counted. `parts`: the training cases for learning, (name, part, fold)."""

    training: int = 0
    test: int = 0
    ignores: bool = False
    parts: list[tuple[str, str, int | None]] = field(default_factory=list)


class NnUNet(Format):
    key, title = "nnunet", "nnU-Net"
    holds = "data sets for nnU-Net v2: volumes, one label map each, splits by subject"

    def of_case(self, case: CaseMaterial) -> Iterator[PlannedFile]:
        training = case.once(Training.of)
        for name, stored, nifti in training.images():
            yield planned_image(case, stored, nifti, image_path(case, stored, name))
        for one in training.cases:
            yield PlannedFile(
                label_path(case, one.stored, one.name),
                one.write,
                read=one.read.pinned,
                expected=one.expected,
            )

    def record(self, case: CaseMaterial) -> Any:
        training = case.once(Training.of)
        given = [] if training.is_withheld else training.cases
        told = {one.name: one.as_json(training.labels) for one in given}
        return {
            "values": {each.name: each.number for each in training.labels},
            "cases": [
                {
                    "name": name,
                    "modality": stored.series.modality,
                    "description": stored.series.description,
                    "units": stored.source.units,
                    **told.get(name, {}),
                }
                for name, stored, _ in training.images()
            ],
            "left_out": [] if training.is_withheld else training.left_out,
        }

    def of_release(self, release: ReleaseMaterial) -> Iterator[PlannedFile]:
        sets: dict[str, _Set] = {}
        values: dict[str, int] = {}
        is_complete = True
        for release_case, record in records(release, self.key):
            values |= record["values"]
            is_complete = is_complete and not record["left_out"]
            for each in record["cases"]:
                _count(sets.setdefault(each["modality"], _Set()), release_case, each)
        labels = numbered_labels(release.release, KINDS)
        for modality, counted in sorted(sets.items()):
            where = folder(release.release, modality)
            head = _head(release.release, modality, counted, labels, values)
            yield PlannedFile(f"{where}/dataset.json", partial(_write_set, release, modality, head))
            if splits := splits_of(counted.parts):
                yield PlannedFile(f"{where}/splits_final.json", partial(_write, splits))
        if not is_complete:
            yield PlannedFile("nnunet/left_out.json", partial(write_left_out, release, self.key))


def splits_of(parts: list[tuple[str, str, int | None]]) -> list[dict[str, list[str]]]:
    """nnU-Net's splits_final: one entry a fold, or one for a train and a validation part.

    Empty where there is no split, or where a side of one would be empty: nnU-Net can't train on that.
    """
    folds = sorted({fold for _, _, fold in parts if fold is not None})
    found = [
        {
            "train": [name for name, _, own in parts if own != fold],
            "val": [name for name, _, own in parts if own == fold],
        }
        for fold in folds
    ] or [
        {
            "train": [name for name, part, _ in parts if part != Part.VALIDATION],
            "val": [name for name, part, _ in parts if part == Part.VALIDATION],
        }
    ]
    return found if all(one["train"] and one["val"] for one in found) else []


def write_left_out(release: ReleaseMaterial, format_key: str, stream: BinaryIO) -> None:
    """Cases and series that are in no data set, with the reason."""
    rows = (each for _, record in records(release, format_key) for each in record["left_out"])
    write_json(stream, {}, left_out=rows)


def set_facts(release: Release, modality: str) -> dict[str, Any]:
    """What the descriptions of a data set have in common, whatever reads them."""
    project = release.project
    return {
        "name": set_name(release, modality),
        "description": " · ".join(filter(None, (project.name, release.title, modality))),
        "reference": release.citation,
        "licence": release.licence,
        "release": f"{project.slug} {release.number}",
    }


def records(release: ReleaseMaterial, format_key: str) -> Iterator[tuple[ReleaseCase, Any]]:
    """Of cases whose marks are withheld the images alone."""
    return release.records(format_key, without_marks=_without_marks)


def _without_marks(record: dict[str, Any]) -> dict[str, Any]:
    kept = ("name", "modality", "description", "units", "image")
    images = [{key: each[key] for key in kept if key in each} for each in record["cases"]]
    return {"values": record["values"], "cases": images, "left_out": []}


def _count(counted: _Set, release_case: ReleaseCase, each: dict[str, Any]) -> None:
    if release_case.part == Part.TEST:
        counted.test += 1
    else:
        counted.training += 1
        counted.parts.append((each["name"], release_case.part, release_case.fold))
    counted.ignores = counted.ignores or each.get("has_ignored_voxels", False)


def _head(
    release: Release, modality: str, counted: _Set, labels: list[NumberedLabel], values: dict[str, int]
) -> dict[str, Any]:
    ignore = {"ignore": max(values.values(), default=0) + 1} if counted.ignores else {}
    return {
        "channel_names": {"0": channel_name(modality)},
        "labels": {"background": 0} | values | ignore,
        "numTraining": counted.training,
        "numTest": counted.test,
        "file_ending": ENDING,
        **set_facts(release, modality),
        "label_meanings": {each.name: each.as_json() for each in labels},
        "left_out": "../left_out.json",
    }


def _write_set(release: ReleaseMaterial, modality: str, head: dict[str, Any], stream: BinaryIO) -> None:
    write_json(stream, head, cases=_rows(release, modality))


def _rows(release: ReleaseMaterial, modality: str) -> Iterator[dict[str, Any]]:
    """What is known of each image of a set; of a withheld one no more than that it is there."""
    for release_case, record in records(release, NnUNet.key):
        of_subject: dict[str, Any] = {"case": release_case.number}
        if release_case.case is not None and not withheld_of(release.release, release_case):
            of_subject["subject"] = release_case.case.subject.pseudonym
        for each in record["cases"]:
            if each["modality"] == modality:
                kept = {key: value for key, value in each.items() if key != "modality"}
                yield of_subject | {"part": release_case.part or None, "fold": release_case.fold} | kept


def _write(content: Any, stream: BinaryIO) -> None:
    stream.write(as_json(content))
