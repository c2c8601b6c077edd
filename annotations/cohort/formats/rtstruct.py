"""RT Structure Sets: the masks and closed figures of a read on one series, as outlines.

cases/0314/<reader>/rtstruct/CT_<series>.dcm
"""

from collections.abc import Iterator
from functools import partial

from annotations.cohort.formats.dicom import STATE_TEXTS, identity_of, names_of, written_by
from annotations.cohort.formats.plan import Contours, Format, PlannedFile
from annotations.cohort.images import StoredSeries
from annotations.cohort.material import CaseMaterial, ReadMaterial
from annotations.exchange.marks import Mark
from annotations.exchange.rtstruct_writer import (
    Outlines,
    Region,
    outline_of_figure,
    outlines_of_mask,
    write_rtstruct,
)
from annotations.exchange.source import FrameKey, SourceSeries
from annotations.measures import masks

NO_PLACE = "its images have no position, spacing or frame of reference in the patient"
NOTHING_OUTLINED = "nothing was outlined on it"


def rtstruct_path(read: ReadMaterial, stored: StoredSeries) -> str:
    return f"{read.folder}/rtstruct/{stored.name}.dcm"


def regions_on(read: ReadMaterial, stored: StoredSeries) -> list[Mark]:
    """The marks that become regions, in order: masks, also empty ones, and figures that enclose an area."""
    return [mark for mark in read.marks_on(stored) if mark.becomes_mask or _figure(mark) is not None]


def why_none(read: ReadMaterial, stored: StoredSeries) -> str:
    """Why a read has no structure set on a series; empty where it has one."""
    marks = regions_on(read, stored)
    drawn_on = {key for mark in marks for key in mark.planes}
    frames = [stored.source.frame_at[key] for key in drawn_on if key in stored.source.frame_at]
    if not stored.source.frame_of_reference_uid or not all(frame.has_place for frame in frames):
        return NO_PLACE
    if not any(_figure(mark) is not None or _has_voxels(mark) for mark in marks):
        return NOTHING_OUTLINED if any(frame.has_place for frame in stored.source.frames) else NO_PLACE
    return ""


class RtStruct(Format):
    key, title = "rtstruct", "RT Structure Set"
    holds = "masks and closed figures of a read on one series, as outlines for radiotherapy systems"

    def of_case(self, case: CaseMaterial) -> Iterator[PlannedFile]:
        for read in case.reads:
            for stored in case.stored.values():
                if why_none(read, stored):
                    continue
                marks = regions_on(read, stored)
                yield PlannedFile(
                    rtstruct_path(read, stored),
                    written_by(stored, partial(_rtstruct, read, stored, marks)),
                    read=read.pinned,
                    expected=Contours(stored, marks),
                )


def _has_voxels(mark: Mark) -> bool:
    return any(not masks.is_empty(runs) for runs in mark.planes.values())


def _figure(mark: Mark) -> Outlines | None:
    """The outline of a closed figure that lies on an image of its series; None for anything else."""
    points = mark.value.get("points_patient_mm")
    frame = mark.source.frame_at.get(FrameKey(mark.value.get("sop") or "", mark.value.get("frame") or 1))
    if not points or frame is None or not frame.has_place:
        return None
    outline = outline_of_figure(mark.kind, points, normal=frame.axes[2])
    return None if outline is None else {frame.key: [outline]}


def _outlines(mark: Mark, source: SourceSeries) -> Outlines:
    figure = _figure(mark)
    return outlines_of_mask(source, mark.planes) if figure is None else figure


def _rtstruct(read: ReadMaterial, stored: StoredSeries, marks: list[Mark]) -> bytes:
    regions = [
        Region(
            name=name,
            meaning=mark.meaning,
            outlines=_outlines(mark, stored.source),
            description=STATE_TEXTS.get(mark.state, mark.state),
            identity=mark.identity,
            color=mark.label.get("color"),
            is_manual=(mark.value.get("origin") or {}).get("from", "reader") == "reader",
        )
        for mark, name in zip(marks, names_of(marks), strict=True)
    ]
    return write_rtstruct(
        source=stored.source,
        header=stored.header(),
        sop_classes=stored.sop_classes,
        regions=regions,
        identity=identity_of(read, RtStruct.key),
    )
