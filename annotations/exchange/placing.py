"""Finds the image series that a derived object lies on: by the images it names, by the series, by its place.

What it names wins. Only where nothing that it names is here may the place in the patient decide, and only if
exactly one series fits; `by_place` then says that images which arrive later may know better.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotations.exchange.source import SAME_DIRECTION, ExchangeError, SourceFrame, SourceSeries

ON_PLANE = 0.1  # how far off a plane still counts as on it, in distances between slices


@dataclass(frozen=True)
class Named:
    """What a derived object says about the images it was drawn on."""

    instances: frozenset[str] = frozenset()
    series: frozenset[str] = frozenset()
    frames_of_reference: frozenset[str] = frozenset()

    def __or__(self, other: "Named") -> "Named":
        return Named(
            self.instances | other.instances,
            self.series | other.series,
            self.frames_of_reference | other.frames_of_reference,
        )


@dataclass(frozen=True)
class Placed:
    source: SourceSeries
    by_place: bool
    note: str = ""


def choose(
    named: Named, candidates: Sequence[SourceSeries], fits: Callable[[SourceSeries], bool] | None
) -> Placed:
    """The one series that it lies on; `fits` says whether all of it lies on a series' planes, None where it
    has no place in the patient. Raises ExchangeError with the reason."""
    by_instance = [one for one in candidates if named.instances & one.frames_of_instance.keys()]
    if len(by_instance) > 1:
        raise ExchangeError("It was drawn on images of several series at once, which can't be shown on one.")
    if by_instance:
        return Placed(by_instance[0], by_place=False)
    if fits is None:
        raise ExchangeError(
            "The images it names are not here, and it has no place in the patient to find others by."
            if named.instances or named.series
            else "It names no images and has no place in the patient, so it can't be put on any."
        )
    by_series = [one for one in candidates if one.series_instance_uid in named.series]
    shared = {one.series_instance_uid for one in by_series if _shares_reference(one, named)}
    fitting = [one for one in by_series if one.series_instance_uid in shared and fits(one)]
    if len(fitting) == 1:
        note = "The images it names are not here; those of the same series at the same place are."
        return Placed(fitting[0], by_place=True, note=note if named.instances else "")
    if len(fitting) > 1:
        raise ExchangeError(f"It names several series that lie at the same place: {_names(fitting)}")
    if by_series:
        where = "no image of it lies where it was drawn" if shared else "in another frame of reference"
        raise ExchangeError(f"The series it names is here, but {where}.")
    near = [one for one in candidates if one.frame_of_reference_uid in named.frames_of_reference]
    if not near:
        raise ExchangeError("The images it was drawn on are not here: none has its frame of reference.")
    fitting = [one for one in near if fits(one)]
    if len(fitting) > 1:
        why = "None of the images it names is here, and it"
        if not (named.instances or named.series):
            why = "It names no images and"
        raise ExchangeError(f"{why} fits several series at the same place: {_names(fitting)}")
    if not fitting:
        raise ExchangeError("No image lies where its frames lie, though the frame of reference is the same.")
    note = "The images it names are not here; it was placed by its position in the patient."
    is_known = named.instances or named.series
    return Placed(fitting[0], by_place=True, note=note if is_known else "")


def _shares_reference(source: SourceSeries, named: Named) -> bool:
    """False only where both say a frame of reference, and not the same."""
    reference = source.frame_of_reference_uid
    return not reference or not named.frames_of_reference or reference in named.frames_of_reference


def _names(series: Sequence[SourceSeries]) -> str:
    return ", ".join(f"“{one.description or one.series_instance_uid}”" for one in series) + "."


@dataclass(frozen=True)
class Plane:
    """The frames where a flat shape lies, `off_mm` off at most; several where phases share a place."""

    frames: tuple[SourceFrame, ...]
    off_mm: float


def plane_of(points_patient_mm: NDArray[np.float64], source: SourceSeries) -> Plane | None:
    """The frames nearest to all of the points, float[n, 3]; None where they lie on none: further than half
    the distance between slices, or across the slices."""
    placed = [frame for frame in source.frames if frame.has_place]
    if not placed:
        return None
    normal = placed[0].axes[2]
    parallel = [frame for frame in placed if abs(abs(frame.axes[2] @ normal) - 1) < SAME_DIRECTION]
    along = np.array([frame.position for frame in parallel]) @ normal
    depth = np.asarray(points_patient_mm, dtype=np.float64) @ normal
    distance = source.slice_distance_mm
    if float(np.ptp(depth)) > distance:
        return None
    # The slice nearest to the middle of the points; all points must be near it.
    nearest = float(along[np.argmin(np.abs(along - (depth.min() + depth.max()) / 2))])
    off = float(np.abs(depth - nearest).max())
    if off > distance / 2:
        return None
    here = tuple(frame for frame, at in zip(parallel, along, strict=True) if abs(at - nearest) < 0.01)
    return Plane(here, off)


def is_on_plane(plane: Plane | None, source: SourceSeries) -> bool:
    return plane is not None and plane.off_mm <= ON_PLANE * source.slice_distance_mm
