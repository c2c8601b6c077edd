"""The image series that marks were drawn on: its frames in display order, and where they lie.

Made from a series manifest, so nothing has to be parsed again. Positions are patient millimetres (LPS).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SAME_DIRECTION = 1e-3  # largest difference between direction cosines that still count as the same


class ExchangeError(Exception):
    """Something can't be written or read as it should; the text is for the person who asked for it."""


class FrameKey(NamedTuple):
    """Names one frame of one stored image; `frame_number` counts from 1."""

    sop_instance_uid: str
    frame_number: int


@dataclass(frozen=True)
class SourceFrame:
    """One frame: `orientation` and `position` as in ImageOrientationPatient and ImagePositionPatient.

    `row_mm` is the distance between rows, `column_mm` between columns; both None where unknown.
    """

    key: FrameKey
    rows: int
    columns: int
    position: tuple[float, float, float] | None
    orientation: tuple[float, ...] | None
    row_mm: float | None
    column_mm: float | None
    slope: float | None
    intercept: float | None

    @property
    def has_place(self) -> bool:
        return None not in (self.position, self.orientation, self.row_mm, self.column_mm)

    @property
    def axes(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Along a row (columns grow), down a column (rows grow), and their normal; unit vectors."""
        directions = np.asarray(self.orientation, dtype=np.float64).reshape(2, 3)
        normal = np.cross(directions[0], directions[1])
        return directions[0], directions[1], normal / np.linalg.norm(normal)

    def same_grid(self, other: "SourceFrame") -> bool:
        """Whether both have the same size, spacing and directions, wherever they lie."""
        if (self.rows, self.columns) != (other.rows, other.columns):
            return False
        mine, theirs = (
            (*(frame.orientation or ()), frame.row_mm or 0.0, frame.column_mm or 0.0)
            for frame in (self, other)
        )
        return len(mine) == len(theirs) and bool(np.allclose(mine, theirs, rtol=0, atol=1e-4))


@dataclass(frozen=True)
class SourceSeries:
    """An image series in display order: sorted along the normal of its frames."""

    series_instance_uid: str
    study_instance_uid: str
    frame_of_reference_uid: str
    modality: str
    description: str
    units: str
    photometric: str
    frames: tuple[SourceFrame, ...]

    @cached_property
    def frame_at(self) -> dict[FrameKey, SourceFrame]:
        return {frame.key: frame for frame in self.frames}

    @cached_property
    def frames_of_instance(self) -> dict[str, list[SourceFrame]]:
        found: dict[str, list[SourceFrame]] = {}
        for frame in self.frames:
            found.setdefault(frame.key.sop_instance_uid, []).append(frame)
        return found

    @cached_property
    def slice_distance_mm(self) -> float:
        """The usual distance between neighbouring planes; 1 where there is only one."""
        placed = [frame for frame in self.frames if frame.has_place]
        if len(placed) < 2:
            return 1.0
        along = np.array([frame.position for frame in placed]) @ placed[0].axes[2]
        steps_mm = np.diff(np.unique(np.round(along, 3)))
        return float(np.median(steps_mm)) if steps_mm.size else 1.0

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any], *, study_instance_uid: str) -> "SourceSeries":
        """From the manifest that the viewer uses (version 1)."""
        series, columns = manifest["series"], manifest["frames"]
        frames = tuple(
            _frame(manifest, columns, index, manifest.get("overrides", {}).get(str(index), {}))
            for index in range(len(columns["sop"]))
        )
        return cls(
            series_instance_uid=series["uid"],
            study_instance_uid=study_instance_uid,
            frame_of_reference_uid=series.get("frame_of_reference") or "",
            modality=series["modality"],
            description=series.get("description") or "",
            units=manifest.get("units") or "",
            photometric=manifest["pixel"]["photometric"],
            frames=frames,
        )


def _frame(
    manifest: Mapping[str, Any], columns: Mapping[str, Any], index: int, override: Mapping[str, Any]
) -> SourceFrame:
    def own(name: str) -> Any:
        return override[name] if name in override else manifest.get(name)

    pixel = {**manifest["pixel"], **(override.get("pixel") or {})}
    spacing, orientation = own("spacing") or {}, own("orientation")
    position = columns["position"][index] if columns.get("position") else None
    in_patient = manifest["geometry"] == "patient" and position is not None and orientation is not None
    measured = spacing.get("source") == "pixel"  # not where millimetres would be of the detector
    return SourceFrame(
        key=FrameKey(columns["sop"][index], columns["frame"][index]),
        rows=pixel["rows"],
        columns=pixel["columns"],
        position=tuple(position) if in_patient and position else None,
        orientation=tuple(orientation) if in_patient and orientation else None,
        row_mm=spacing["row_mm"] if measured else None,
        column_mm=spacing["column_mm"] if measured else None,
        slope=columns["slope"][index],
        intercept=columns["intercept"][index],
    )
