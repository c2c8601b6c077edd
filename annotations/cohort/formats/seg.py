"""DICOM Segmentation: all segments of a read on one series in one binary object.

cases/0314/<reader>/seg/CT_<series>.dcm
"""

from collections.abc import Iterator
from typing import BinaryIO

from annotations.cohort.formats.plan import Format, PlannedFile, Segments, Write
from annotations.cohort.images import StoredSeries
from annotations.cohort.material import CaseMaterial, ReadMaterial, described, numbered
from annotations.exchange.marks import Mark
from annotations.exchange.objects import ObjectIdentity
from annotations.exchange.seg_frames import Segment
from annotations.exchange.seg_writer import write_seg
from annotations.exchange.source import ExchangeError

STATE_TEXTS = {
    "present": "Present",
    "absent": "Absent: looked, nothing there",
    "indeterminate": "Indeterminate",
    "not_assessed": "Not assessed",
}


def seg_path(read: ReadMaterial, stored: StoredSeries) -> str:
    return f"{read.folder}/seg/{stored.name}.dcm"


class Seg(Format):
    key, title, holds = "seg", "DICOM SEG", "all segments of a read on one series"

    def of_case(self, case: CaseMaterial) -> Iterator[PlannedFile]:
        for read in case.reads:
            for stored in case.stored.values():
                if segments := read.segments_on(stored):
                    yield PlannedFile(
                        seg_path(read, stored),
                        _seg(read, stored, segments),
                        read=read.pinned,
                        expected=Segments(stored, segments),
                    )


def _seg(read: ReadMaterial, stored: StoredSeries, marks: list[Mark]) -> Write:
    names = numbered([mark.label["name"] for mark in marks], " ")
    segments = [
        Segment(
            label=name,
            meaning=mark.meaning,
            planes=mark.planes,
            description=STATE_TEXTS.get(mark.state, mark.state),
            identity=mark.identity,
            color=mark.label.get("color"),
        )
        for mark, name in zip(marks, names, strict=True)
    ]
    release, number = read.material.release, read.material.case.number
    identity = ObjectIdentity(
        parts=(release.project.public_id, release.number, number, read.reader),
        at=release.frozen_at,
        description=f"Release {release.number}, case {number}, {read.reader}",
    )

    def write(stream: BinaryIO) -> None:
        try:
            stream.write(
                write_seg(
                    source=stored.source,
                    header=stored.header(),
                    sop_classes=stored.sop_classes,
                    segments=segments,
                    identity=identity,
                )
            )
        except ExchangeError as error:
            raise ExchangeError(f"series {described(stored)}: {error}") from error

    return write
