"""A release as a list of dicts, as monai.data.Dataset and CacheDataset take it. It needs no MONAI itself."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from atlas_client.release import Release

LISTS = {"train": "training", "validation": "validation", "test": "test"}


def rows(release: "Release", part: str | None = None) -> list[dict[str, Any]]:
    """{"image": path, "label": path, "case": number, "part": …} for each image.

    With the format monai, "label" is a label map; without it a list of masks, one file a segment, which
    LoadImaged stacks along the first axis, and "labels" names them. An image that nothing was drawn on, or
    whose marks are sequestered, has no "label".
    """
    lists = [path for path in release.paths("monai/dataset_") if path.endswith(".json")]
    return _of_lists(release, lists, part) if lists else _of_masks(release, part)


def _of_lists(release: "Release", lists: list[str], part: str | None) -> list[dict[str, Any]]:
    cases = {case.number: case for case in release.cases(part)}
    found = []
    for path in lists:
        told = json.loads(release.path(path).read_text())
        for name in LISTS.values():
            for row in told.get(name, ()):
                number = row["case"]
                if number not in cases or row["image"] not in release.entries:
                    continue  # not chosen, or withdrawn
                one = {"image": str(release.path(row["image"])), "case": number, "part": cases[number].part}
                if row.get("label"):
                    one["label"] = str(release.path(row["label"]))
                found.append(one)
    return found


def _of_masks(release: "Release", part: str | None) -> list[dict[str, Any]]:
    found = []
    for case in release.cases(part):
        for image in case.images():
            one: dict[str, Any] = {"image": str(image.path), "case": case.number, "part": case.part}
            masks = case.masks(image) if case.reads else []
            if masks:
                one |= {"label": [str(mask.path) for mask in masks], "labels": [mask.label for mask in masks]}
            found.append(one)
    return found
