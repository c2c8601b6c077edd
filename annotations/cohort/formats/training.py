"""Training cases: one volume with one label map, as nnU-Net and MONAI want them, out of the reference read.

A case with masks on several series gives several training cases. What becomes none is told with the reason.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from zlib import crc32

from annotations.cohort.formats.labelling import (
    NumberedLabel,
    numbered_labels,
    owed_labels,
    says_nothing_is_there,
    unknown_labels,
    why_no_reference,
)
from annotations.cohort.formats.plan import LabelVolume, Write
from annotations.cohort.images import StoredSeries
from annotations.cohort.material import CaseMaterial, ReadMaterial, withheld_of
from annotations.exchange.label_volume import Values, overwritten
from annotations.exchange.marks import SEGMENT, Mark
from annotations.exchange.nifti import NiftiWriter
from annotations.models import Release

KINDS = frozenset({SEGMENT})
NO_SEGMENT = "no segment was drawn, and no label was stated absent"

_MODALITIES = ("CT", "MR", "PT", "NM", "US", "XA", "RF", "MG", "DX", "CR")
_CHANNELS = {"PT": "PET"}  # nnU-Net normalises by name: CT by its own rule, all others by z-score


def group_number(modality: str) -> int:
    """The same for a modality in all releases: the common ones count from 1."""
    if modality in _MODALITIES:
        return _MODALITIES.index(modality) + 1
    return 100 + crc32(modality.encode()) % 900


def channel_name(modality: str) -> str:
    return _CHANNELS.get(modality, modality)


def set_name(release: Release, modality: str) -> str:
    """The name of the data set of one modality: Nodules_CT."""
    words = re.findall(r"[A-Za-z0-9]+", release.project.slug)
    return "".join(word[:1].upper() + word[1:] for word in words) + f"_{modality}"


def case_name(case: CaseMaterial, stored: StoredSeries) -> str:
    """Stable and coded: the number of the case and the series."""
    return f"{case.release_case.number:04d}_{stored.name}"


@dataclass(frozen=True)
class TrainingCase:
    """One volume and what is on it. `laid`: the masks with their numbers, in the order in which they win."""

    name: str
    stored: StoredSeries
    nifti: NiftiWriter
    read: ReadMaterial
    laid: list[tuple[int, Mark]]
    ignore: int
    unknown: dict[str, str]

    @property
    def values(self) -> Values:
        return [(number, mark.planes) for number, mark in self.laid]

    @property
    def write(self) -> Write:
        return lambda stream: self.nifti.write_labels(stream, self.values)

    @property
    def expected(self) -> LabelVolume:
        return LabelVolume(self.stored, self.laid)

    def as_json(self, labels: list[NumberedLabel]) -> dict[str, Any]:
        """What data sets tell about it: which labels are there, which lost voxels, which are not known."""
        names = {each.number: each.name for each in labels}
        numbers = sorted({number for number, _ in self.laid if number != self.ignore})
        lost = overwritten(self.stored.source, self.values)
        by_key = {each.key: each.name for each in labels}
        return {
            "labels": [names[number] for number in numbers],
            "overwritten_voxels": {names[n]: count for n, count in lost.items() if n != self.ignore},
            "unknown_labels": {by_key[key]: why for key, why in self.unknown.items()},
            "has_ignored_voxels": any(number == self.ignore for number, _ in self.laid),
        }


@dataclass
class Training:
    """What becomes of one case. `volumes`: every series that could be an image, whatever is on it."""

    case: CaseMaterial
    labels: list[NumberedLabel]
    cases: list[TrainingCase] = field(default_factory=list)
    left_out: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, case: CaseMaterial) -> "Training":
        found = cls(case, numbered_labels(case.release, KINDS))
        if case.reference is None:
            found._leave_out(None, why_no_reference(case.release))
        else:
            found._fill(case.reference)
        return found

    @cached_property
    def is_withheld(self) -> bool:
        return withheld_of(self.case.release, self.case.release_case) is not None

    @property
    def ignore(self) -> int:
        """The number of voxels that nobody is sure about; nnU-Net wants it behind all others."""
        return len(self.labels) + 1

    def images(self) -> Iterator[tuple[str, StoredSeries, NiftiWriter]]:
        """The volumes that are given out. Where the marks are withheld, which series has some is withheld
        as well: then these are all volumes of the case."""
        if not self.is_withheld:
            yield from ((one.name, one.stored, one.nifti) for one in self.cases)
            return
        for stored in self.case.stored.values():
            nifti = self.case.nifti(stored)
            if isinstance(nifti, NiftiWriter):
                yield case_name(self.case, stored), stored, nifti

    def _fill(self, read: ReadMaterial) -> None:
        segments = {series_id: read.segments_on(stored) for series_id, stored in self.case.stored.items()}
        shows_nothing = not any(segments.values()) and says_nothing_is_there(read, self.labels)
        if not any(segments.values()) and not shows_nothing:
            self._leave_out(None, NO_SEGMENT)
            return
        for series_id, stored in self.case.stored.items():
            if not segments[series_id] and not shows_nothing:
                continue
            nifti = self.case.nifti(stored)
            unknown = unknown_labels(read, stored, self.labels, KINDS)
            if not isinstance(nifti, NiftiWriter):
                self._leave_out(stored, f"no volume: {nifti}")
            elif owed := owed_labels(read, unknown):
                told = ", ".join(f"{key} ({unknown[key]})" for key in owed)
                self._leave_out(stored, f"a label that every case must have is not known there: {told}")
            else:
                laid = self._laid(segments[series_id])
                name = case_name(self.case, stored)
                self.cases.append(
                    TrainingCase(name, stored, nifti, read, laid, self.ignore, unknown),
                )

    def _laid(self, segments: list[Mark]) -> list[tuple[int, Mark]]:
        """What is sure wins over what is not; else a label wins over those before it in the schema."""
        numbers = {each.key: each.number for each in self.labels}
        drawn = [mark for mark in segments if mark.planes and mark.state != "absent"]
        unsure = [(self.ignore, mark) for mark in drawn if mark.state != "present"]
        sure = [(numbers[mark.label["key"]], mark) for mark in drawn if mark.state == "present"]
        return unsure + sorted(sure, key=lambda one: one[0])

    def _leave_out(self, stored: StoredSeries | None, why: str) -> None:
        series = {"series": stored.name} if stored else {}
        self.left_out.append({"case": self.case.release_case.number} | series | {"because": why})
