"""Which slices of a case become pictures, what is outlined on each, and in which window they are shown.

Those with an outline; and of a series that was searched as a whole, evenly spaced ones without anything, as
many again: who trains a detector needs them, and a series has far more than anyone wants as pictures.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from annotations.cohort.formats.labelling import (
    ELSEWHERE,
    INDETERMINATE,
    NOT_OUTLINED,
    NumberedLabel,
    has_outline,
    owed_labels,
    says_nothing_is_there,
    unknown_labels,
    why_no_reference,
)
from annotations.cohort.images import StoredSeries
from annotations.cohort.material import CaseMaterial, ReadMaterial
from annotations.exchange.marks import SEGMENT, Mark
from annotations.exchange.slice_png import Shades
from annotations.exchange.source import FrameKey, SourceFrame
from annotations.measures import masks

EMPTY_LEAST = 8  # slices without anything, of a series that was searched
SHOWN_PERCENT = (0.5, 99.5)  # of the values of a slice, where its images say no window

NOTHING_SAID = "nothing was outlined, and no label was stated absent"


@dataclass(frozen=True)
class Picture:
    """One slice, `index` counted from 0 in display order, and the marks whose outlines it shows."""

    index: int
    frame: SourceFrame
    marks: list[Mark]


@dataclass(frozen=True)
class MarkedSeries:
    read: ReadMaterial
    stored: StoredSeries
    pictures: list[Picture]
    unknown: dict[str, str]

    def shades(self, picture: Picture) -> Shades | None:
        """How values become shades: the window of the image. None for colours, which stay as they are.

        Slices share the usual window of their series, so that one shade means one value in all of them;
        projections have their own.
        """
        photometric = self.stored.source.photometric
        if not photometric.startswith("MONOCHROME"):
            return None
        columns = self.stored.manifest["frames"]
        centre, width = columns["center"], columns["width"]
        own = slice(None) if picture.frame.has_place else slice(picture.index, picture.index + 1)
        known = [
            pair for pair in zip(centre[own], width[own], strict=True) if None not in pair and pair[1] > 0
        ]
        is_inverted = photometric == "MONOCHROME1"
        if not known:
            low, high = self._range
        else:
            middle, extent = np.median(np.array(known, dtype=np.float64), axis=0).tolist()
            low, high = middle - extent / 2, middle + extent / 2
        return Shades(low, high, is_inverted)

    @cached_property
    def _range(self) -> tuple[float, float]:
        """From the low values of the slices to the high ones, rescaled."""
        found = []
        for frame, values in zip(self.stored.source.frames, self.stored.pixels, strict=True):
            slope = 1.0 if frame.slope is None else frame.slope
            numbers = np.nan_to_num(values.astype(np.float64)) * slope + (frame.intercept or 0.0)
            found.append(np.percentile(numbers, SHOWN_PERCENT))
        lows, highs = np.transpose(found)
        return float(lows.min()), float(highs.max())


@dataclass
class MarkedSlices:
    """All pictures of a case. What gives none is told in `left_out`."""

    labels: list[NumberedLabel]
    series: list[MarkedSeries] = field(default_factory=list)
    left_out: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, case: CaseMaterial, labels: list[NumberedLabel], kinds: frozenset[str]) -> "MarkedSlices":
        found = cls(labels)
        number = case.release_case.number
        read = case.reference
        if read is None:
            found.left_out.append({"case": number, "because": why_no_reference(case.release)})
            return found
        shows_nothing = says_nothing_is_there(read, labels)
        for stored in case.stored.values():
            marks = read.marks_on(stored)
            outlined = [mark for mark in marks if mark.state != "absent" and has_outline(mark, kinds)]
            is_searched = shows_nothing or any(mark.becomes_mask for mark in marks)
            if not outlined and not is_searched:
                continue
            unknown = unknown_labels(read, stored, labels, kinds)
            if owed := owed_labels(read, unknown):
                told = ", ".join(f"{key} ({unknown[key]})" for key in owed)
                why = f"a label that every case must have is not known there: {told}"
                found.left_out.append({"case": number, "series": stored.name, "because": why})
                continue
            may_be_anywhere = {NOT_OUTLINED, INDETERMINATE, ELSEWHERE} & set(unknown.values())
            pictures = _pictures(stored, marks, outlined, is_searched and not may_be_anywhere)
            if pictures:
                found.series.append(MarkedSeries(read, stored, pictures, unknown))
        if not found.series and not found.left_out:
            found.left_out.append({"case": number, "because": NOTHING_SAID})
        return found


def _pictures(
    stored: StoredSeries, marks: list[Mark], outlined: list[Mark], with_empty: bool
) -> list[Picture]:
    on: dict[FrameKey, list[Mark]] = {}
    for mark in outlined:
        for key in _frames_of(mark):
            on.setdefault(key, []).append(mark)
    frames = stored.source.frames
    taken = {index for index, frame in enumerate(frames) if frame.key in on}
    if with_empty:
        touched = {key for mark in marks for key in _frames_of(mark)}
        empty = [index for index, frame in enumerate(frames) if frame.key not in touched]
        taken |= set(_evenly(empty, max(len(taken), EMPTY_LEAST)))
    return [Picture(index, frames[index], on.get(frames[index].key, [])) for index in sorted(taken)]


def _frames_of(mark: Mark) -> Iterable[FrameKey]:
    """The frames that a mark lies on."""
    if mark.kind == SEGMENT:
        return [key for key, runs in mark.planes.items() if masks.voxel_count(runs)]
    return [FrameKey(mark.value["sop"], mark.value["frame"])] if mark.value.get("sop") else []


def _evenly(indices: list[int], count: int) -> list[int]:
    """At most so many of them, evenly spaced, the first and the last among them."""
    if len(indices) <= count:
        return indices
    places = np.linspace(0, len(indices) - 1, count)
    return [indices[int(place + 0.5)] for place in places]
