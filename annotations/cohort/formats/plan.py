"""What a format is: which files it makes of a case and of a whole release, and what they must hold."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from annotations.cohort.images import StoredSeries
from annotations.cohort.material import CaseMaterial, ReleaseMaterial
from annotations.exchange.marks import Mark
from annotations.models import ReleaseRead

type Write = Callable[[BinaryIO], object]
"""Writes one file into a stream. Written twice, it gives the same bytes."""


# What must be found when a file is read back -------------------------------------------------------


@dataclass(frozen=True)
class ImageVolume:
    """A NIfTI image with every pixel of a series, rescaled."""

    series: StoredSeries


@dataclass(frozen=True)
class MaskVolume:
    """A NIfTI mask: 1 in the voxels of one segment, 0 elsewhere."""

    series: StoredSeries
    mark: Mark


@dataclass(frozen=True)
class LabelVolume:
    """A NIfTI label map. Where segments overlap, the later in `values` wins."""

    series: StoredSeries
    values: Sequence[tuple[int, Mark]]


@dataclass(frozen=True)
class Segments:
    """A DICOM segmentation, binary or a label map, whose segments are these marks, numbered from 1."""

    series: StoredSeries
    marks: Sequence[Mark]


@dataclass(frozen=True)
class Report:
    """A structured report of these marks on one series, with their measurements."""

    series: StoredSeries
    marks: Sequence[Mark]


@dataclass(frozen=True)
class Contours:
    """A structure set whose regions are these marks, in this order."""

    series: StoredSeries
    marks: Sequence[Mark]


type Expected = ImageVolume | MaskVolume | LabelVolume | Segments | Report | Contours


# What a format plans ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class PlannedFile:
    """One file of a release before it is written.

    Its bytes come from `write`, or from another file of the same case planned before it (`same_as`, a path),
    or from an object in storage that never changes (`object_key`).
    """

    path: str
    write: Write | None = None
    same_as: str = ""
    object_key: str = ""
    read: ReleaseRead | None = None
    holds_marks: bool = True
    is_apart: bool = False
    """It is made without asking the database, so a thread may make it beside others: the large ones are."""
    expected: Expected | None = None


class Format:
    """One way to write a release. `key` is its name in code, addresses and the client's `--formats`."""

    key: str
    title: str
    holds: str
    is_always_written = False

    def of_case(self, case: CaseMaterial) -> Iterator[PlannedFile]:
        """The files of one case. Raises ExchangeError."""
        yield from ()

    def record(self, case: CaseMaterial) -> Any:
        """What `of_release` will need of this case, as JSON; None for nothing."""
        return None

    def of_release(self, release: ReleaseMaterial) -> Iterator[PlannedFile]:
        """The files that span the cases. Memory must not grow with their number."""
        yield from ()
