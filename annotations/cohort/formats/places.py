"""In which files of a release a mark is: read from what each format says its files hold."""

from typing import Any

from annotations.cohort.formats.labelmap import LabelMap
from annotations.cohort.formats.nifti import Nifti
from annotations.cohort.formats.plan import Contours, Format, MaskVolume, PlannedFile, Report, Segments
from annotations.cohort.formats.rtstruct import RtStruct
from annotations.cohort.formats.seg import Seg
from annotations.cohort.formats.sr import Sr
from annotations.cohort.material import CaseMaterial

type Places = dict[tuple[int, str], dict[str, Any]]
"""By the pinned read's primary key and the mark's identity: paths, and the mark's number in a file."""

FORMATS: tuple[Format, ...] = (
    Nifti(),
    Seg(),
    LabelMap(is_compressed=False),
    LabelMap(is_compressed=True),
    Sr(),
    RtStruct(),
)
"""Those whose files hold marks one by one."""


def places_of(case: CaseMaterial) -> Places:
    found: Places = {}
    for each in FORMATS:
        if case.writes(each.key):
            for planned in each.of_case(case):
                if planned.read is not None:
                    _add(found, planned.read.pk, each.key, planned)
    return found


def _add(found: Places, read: int, format_key: str, planned: PlannedFile) -> None:
    match planned.expected:
        case MaskVolume(mark=mark):
            found.setdefault((read, str(mark.identity)), {})["mask"] = planned.path
        case Segments(marks=marks):
            for number, mark in enumerate(marks, start=1):
                place = found.setdefault((read, str(mark.identity)), {})
                place |= {format_key: planned.path, f"{format_key}_segment_number": number}
        case Report(marks=marks):
            for mark in marks:
                found.setdefault((read, str(mark.identity)), {})["sr"] = planned.path
        case Contours(marks=marks):
            for number, mark in enumerate(marks, start=1):
                place = found.setdefault((read, str(mark.identity)), {})
                place |= {"rtstruct": planned.path, "rtstruct_roi_number": number}
