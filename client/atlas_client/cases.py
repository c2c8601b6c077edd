"""The cases of a release: their images, what readers drew on them and said of them."""

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from atlas_client.errors import ClosedError, UsageError
from atlas_client.images import Image, Mask

if TYPE_CHECKING:
    from atlas_client.release import Release

_ENDING = ".nii.gz"
_SECOND = re.compile(r"_[0-9]+$")


@dataclass(frozen=True)
class Read:
    """What one reader's accepted pass over a case holds; a reference standard is a read, too."""

    case: "Case" = field(repr=False)
    reader: str
    """reader- and eight characters, the same in all releases of a project"""

    @cached_property
    def annotations(self) -> dict[str, Any]:
        """annotations.json, whole. Raises ClosedError where the release has no format json."""
        path = f"{self.case.folder}/{self.reader}/annotations.json"
        return json.loads(self.case.release.path(path).read_text())

    @property
    def has_annotations(self) -> bool:
        return f"{self.case.folder}/{self.reader}/annotations.json" in self.case.release.entries

    @property
    def is_reference(self) -> bool:
        """Whether it stands for the case: its reference standard, or its only read."""
        if len(self.case.reads) == 1:
            return True
        if not self.has_annotations:
            return False
        told = self.annotations
        return bool(told.get("read", {}).get("is_reference") or "reference_standard" in told)

    @property
    def labels(self) -> dict[str, str]:
        """The state of each label that something was drawn of or said of: present before indeterminate before
        absent before not_assessed."""
        order = ("present", "indeterminate", "absent", "not_assessed")
        found: dict[str, str] = {}
        said = [
            (answer["about_id"], answer["answer"])
            for answer in self.annotations.get("answers", ())
            if answer.get("about") == "label" and answer.get("question") == "state"
        ]
        drawn = [(mark["label"], mark["state"]) for mark in self.annotations.get("annotations", ())]
        for label, state in [*said, *drawn]:
            state = state[0] if isinstance(state, list) and state else state
            if state in order and order.index(state) < order.index(found.get(label, "not_assessed")) + 1:
                found[label] = state
        return found

    def masks(self, image: "Image | str | None" = None, label: str | None = None) -> list[Mask]:
        """Its segments, of one image and one label if these are named."""
        release, folder = self.case.release, f"{self.case.folder}/{self.reader}/masks/"
        wanted = image.name if isinstance(image, Image) else image
        known = self._by_path()
        found = []
        for path in release.paths(folder):
            series = self._series_of(path[len(folder) :])
            key, state = known.get(path) or (self._label_of(path[len(folder) :], series), "")
            if wanted in (None, series) and label in (None, key):
                found.append(Mask(series, release.path(path), key, self.reader, state))
        return found

    def _by_path(self) -> dict[str, tuple[str, str]]:
        """Label and state of each mask, as annotations.json says."""
        if not self.has_annotations:
            return {}
        return {
            mark["files"]["mask"]: (mark["label"], mark["state"])
            for mark in self.annotations.get("annotations", ())
            if "mask" in mark.get("files", {})
        }

    def _series_of(self, name: str) -> str:
        for series in sorted(self.case.series, key=len, reverse=True):
            if name.startswith(f"{series}_"):
                return series
        return "_".join(name.split("_")[:2])

    def _label_of(self, name: str, series: str) -> str:
        """From the name of the file: what follows the series, less the number of a second one."""
        rest = name[len(series) + 1 :].removesuffix(_ENDING)
        keys = {label["key"] for label in self.case.release.labels}
        return rest if rest in keys else _SECOND.sub("", rest)


@dataclass(frozen=True)
class Case:
    """`part` is train, validation, test, or "" where the release has no parts; `fold` counts from 0."""

    release: "Release" = field(repr=False)
    number: int
    part: str = ""
    fold: int | None = None
    subject: str = ""

    @property
    def folder(self) -> str:
        return f"cases/{self.number:04d}"

    @cached_property
    def series(self) -> list[str]:
        """The names of its images, in the order of the paths."""
        start = f"{self.folder}/images/"
        return [path[len(start) :].removesuffix(_ENDING) for path in self.release.paths(start)]

    @cached_property
    def reads(self) -> list[Read]:
        start = f"{self.folder}/"
        names = {path[len(start) :].split("/")[0] for path in self.release.paths(start)}
        return [Read(self, name) for name in sorted(names) if name.startswith("reader-")]

    def read(self, reader: str | None = None) -> Read:
        """That reader's; without a name the one that stands for the case. Raises UsageError where none is."""
        names = [read.reader for read in self.reads]
        if reader is not None:
            if reader not in names:
                raise UsageError(
                    f"Case {self.number} has no read of {reader!r}. It has {', '.join(names) or 'none'}."
                )
            return self.reads[names.index(reader)]
        for read in self.reads:
            if read.is_reference:
                return read
        if not names:
            raise ClosedError(f"Of case {self.number} no marks were given out, or none are here.")
        raise UsageError(f"No read stands for case {self.number}. Name one of {', '.join(names)}.")

    def images(self, modality: str | None = None) -> list[Image]:
        found = [name for name in self.series if modality in (None, name.partition("_")[0])]
        return [Image(name, self.release.path(f"{self.folder}/images/{name}{_ENDING}")) for name in found]

    def image(self, name: str | None = None, *, modality: str | None = None) -> Image:
        """The only image, or the one that is named. Raises UsageError where that isn't one."""
        wanted = [
            one for one in self.series if name in (None, one) and modality in (None, one.partition("_")[0])
        ]
        if len(wanted) != 1:
            has = ", ".join(self.series) or "none as NIfTI"
            raise UsageError(f"Case {self.number} has {len(wanted)} such images; name one. It has {has}.")
        return Image(wanted[0], self.release.path(f"{self.folder}/images/{wanted[0]}{_ENDING}"))

    def masks(
        self, image: Image | str | None = None, *, label: str | None = None, reader: str | None = None
    ) -> list[Mask]:
        """The segments of one read, that which stands for the case if none is named."""
        return self.read(reader).masks(image, label)

    def labels(self, reader: str | None = None) -> dict[str, str]:
        """The state of each label: {"lesion": "present"}."""
        return self.read(reader).labels

    def arrays(
        self, name: str | None = None, *, modality: str | None = None, reader: str | None = None
    ) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
        """(image, {label: mask}, affine): arrays of one shape (x, y, z), masks bool with all segments of a
        label together, the affine to RAS millimetres. Labels without a mask are not among them: see `labels`.
        """
        image = self.image(name, modality=modality)
        found: dict[str, np.ndarray] = {}
        for mask in self.masks(image, reader=reader):
            inside = mask.array > 0
            found[mask.label] = found[mask.label] | inside if mask.label in found else inside
        return image.array, found, image.affine
