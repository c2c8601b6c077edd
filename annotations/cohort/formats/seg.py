"""DICOM Segmentation: all segments of a read on one series in one binary object.

cases/0314/<reader>/seg/CT_<series>.dcm
"""

from collections.abc import Iterator
from functools import partial

from annotations.cohort.formats.dicom import identity_of, segments_of, written_by
from annotations.cohort.formats.plan import Format, PlannedFile, Segments
from annotations.cohort.images import StoredSeries
from annotations.cohort.material import CaseMaterial, ReadMaterial
from annotations.exchange.marks import Mark
from annotations.exchange.seg_writer import write_seg


def seg_path(read: ReadMaterial, stored: StoredSeries) -> str:
    return f"{read.folder}/seg/{stored.name}.dcm"


class Seg(Format):
    key, title, holds = "seg", "DICOM SEG", "all segments of a read on one series"

    def of_case(self, case: CaseMaterial) -> Iterator[PlannedFile]:
        for read in case.reads:
            for stored in case.stored.values():
                if marks := read.segments_on(stored):
                    yield PlannedFile(
                        seg_path(read, stored),
                        written_by(stored, partial(_seg, read, stored, marks)),
                        read=read.pinned,
                        expected=Segments(stored, marks),
                    )


def _seg(read: ReadMaterial, stored: StoredSeries, marks: list[Mark]) -> bytes:
    return write_seg(
        source=stored.source,
        header=stored.header(),
        sop_classes=stored.sop_classes,
        segments=segments_of(marks),
        identity=identity_of(read, Seg.key),
    )
