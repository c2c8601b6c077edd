"""Reads one file of a release back from storage and compares it with what its format says must be found."""

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any
from uuid import UUID

from annotations.cohort.certificate import contours, journal, reports, segments, volumes
from annotations.cohort.certificate.findings import Differs, Findings
from annotations.cohort.formats.plan import (
    Contours,
    ImageVolume,
    LabelVolume,
    MaskVolume,
    PlannedFile,
    Report,
    Segments,
)
from annotations.cohort.images import StoredSeries
from annotations.cohort.material import CaseMaterial
from annotations.exchange.marks import Mark
from annotations.models import ReleaseFile
from atlas.archive.storage import COPY_BYTES, storage


class Checks:
    """What reading back the files of one case has found, format by format."""

    def __init__(self, case: CaseMaterial, formats: Sequence[str]) -> None:
        self.case = case
        self._rows = {key: _Row(key) for key in formats}
        self._overlapping: dict[tuple[int | None, str], frozenset[UUID]] = {}

    def check(self, planned: PlannedFile, file: ReleaseFile) -> None:
        """Read a stored file back, if its format says what it must hold. Raises Differs, which names it."""
        if planned.expected is None:
            return
        row = self._rows[file.format]
        findings = Findings()
        try:
            with storage().open(file.object_key) as stream:
                digest = hashlib.sha256()
                while piece := stream.read(COPY_BYTES):
                    digest.update(piece)
                if digest.hexdigest() != file.sha256:
                    raise Differs("storage holds other bytes than were written")
                stream.seek(0)
                read_by = self._compare(planned, stream, findings)
        except Differs as reason:
            row.add(planned.path, file.sha256, findings, (), failed=True)
            raise Differs(f"{planned.path}, read back, differs from what was accepted: {reason}.") from reason
        row.add(planned.path, file.sha256, findings, read_by)

    def _compare(self, planned: PlannedFile, stream: Any, findings: Findings) -> Sequence[str]:
        match planned.expected:
            case ImageVolume() as image:
                volumes.image(image, stream, findings)
                return (*volumes.READ_BY, "pydicom")
            case MaskVolume(series, mark) as mask:
                overlaps = mark.identity in self._overlaps(planned, series)
                volumes.mask(mask, stream, findings, overlaps=overlaps)
                return volumes.READ_BY
            case LabelVolume() as labels:
                volumes.labels(labels, stream, findings)
                return volumes.READ_BY
            case Segments(series) as wanted:
                overlapping = self._overlaps(planned, series)
                segments.segments(wanted, stream, findings, overlapping=overlapping)
                return segments.READ_BY
            case Report() as report:
                reports.report(report, stream, findings)
                return reports.READ_BY
            case Contours(series) as regions:
                overlapping = self._overlaps(planned, series)
                contours.contours(regions, stream, findings, overlapping=overlapping)
                return contours.READ_BY
        raise AssertionError(type(planned.expected).__name__)

    def _overlaps(self, planned: PlannedFile, series: StoredSeries) -> frozenset[UUID]:
        """The segments of a read on a series that share voxels, worked out once."""
        key = (planned.read.pk if planned.read else None, series.series.public_id)
        if key not in self._overlapping:
            read = next((one for one in self.case.reads if one.pinned == planned.read), None)
            marks: list[Mark] = read.segments_on(series) if read else []
            self._overlapping[key] = journal.overlapping(marks)
        return self._overlapping[key]

    def rows(self) -> list[dict[str, Any]]:
        """One a format that has files to read back, as they are kept with the case."""
        return [row.as_json() for row in self._rows.values() if row.checked or row.failed]

    def record(self) -> list[list[str]]:
        """(format, path, SHA-256) of every file that was read back and is as it must be."""
        return [[row.format, path, sha256] for row in self._rows.values() for path, sha256 in row.checked]


class _Row:
    """The findings of a format's files in one case."""

    def __init__(self, format_key: str) -> None:
        self.format = format_key
        self.checked: list[tuple[str, str]] = []
        self.failed: list[str] = []
        self.sums: dict[str, Any] = {}
        self.read_by: set[str] = set()

    def add(
        self, path: str, sha256: str, findings: Findings, read_by: Sequence[str], *, failed: bool = False
    ) -> None:
        self.failed += [path] if failed else []
        self.checked += [] if failed else [(path, sha256)]
        self.read_by |= {f"{name} {version(name)}" for name in read_by}
        self.sums = added(self.sums, findings.as_json())

    def as_json(self) -> dict[str, Any]:
        return {
            "format": self.format,
            "files": len(self.checked) + len(self.failed),
            "files_that_differ": len(self.failed),
            "read_by": sorted(self.read_by),
            **self.sums,
        }


def added(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Counts are summed; of distances, in millimetres, the largest counts."""
    found = dict(one)
    for name, number in other.items():
        if name not in found:
            found[name] = number
        elif name.endswith("_mm"):
            found[name] = max(found[name], number)
        else:
            found[name] += number
    return found
