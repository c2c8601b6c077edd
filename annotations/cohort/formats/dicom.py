"""What the DICOM objects of a release have in common: what they are called by, and the segments in them."""

from collections.abc import Callable, Sequence
from typing import BinaryIO

from annotations.cohort.formats.plan import Write
from annotations.cohort.images import StoredSeries
from annotations.cohort.material import ReadMaterial, described, numbered
from annotations.exchange.marks import Mark
from annotations.exchange.objects import ObjectIdentity
from annotations.exchange.seg_frames import Segment
from annotations.exchange.source import ExchangeError

STATE_TEXTS = {
    "present": "Present",
    "absent": "Absent: looked, nothing there",
    "indeterminate": "Indeterminate",
    "not_assessed": "Not assessed",
}
SERIES_NUMBERS = {"seg": 1000, "labelmap": 1001, "labelmap_rle": 1001, "sr": 1002, "rtstruct": 1003}
"""Both label maps are one object, encoded in two ways."""


def identity_of(read: ReadMaterial, format_key: str) -> ObjectIdentity:
    release, number = read.material.release, read.material.case.number
    return ObjectIdentity(
        parts=(release.project.public_id, release.number, number, read.reader),
        at=release.frozen_at,
        description=f"Release {release.number}, case {number}, {read.reader}",
        series_number=SERIES_NUMBERS[format_key],
    )


def names_of(marks: Sequence[Mark]) -> list[str]:
    """Of the label, numbered where it comes again."""
    return numbered([mark.label["name"] for mark in marks], " ")


def segments_of(marks: Sequence[Mark]) -> list[Segment]:
    return [
        Segment(
            label=name,
            meaning=mark.meaning,
            planes=mark.planes,
            description=STATE_TEXTS.get(mark.state, mark.state),
            identity=mark.identity,
            color=mark.label.get("color"),
        )
        for mark, name in zip(marks, names_of(marks), strict=True)
    ]


def written_by(stored: StoredSeries, make: Callable[[], bytes]) -> Write:
    """Errors name the series."""

    def write(stream: BinaryIO) -> None:
        try:
            stream.write(make())
        except ExchangeError as error:
            raise ExchangeError(f"series {described(stored)}: {error}") from error

    return write
