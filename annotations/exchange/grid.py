"""Whether the frames of a series make a regular volume, and which affine then leads to the patient.

A file format with one spacing and three directions must not be given anything else: where frames are tilted,
missing, doubled or uneven, `Grid.of` says so instead of bending them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotations.exchange.source import ExchangeError, SourceSeries

OFF_MM = 0.05  # a slice may lie this far from where the affine puts it,
OFF_SHARE = 0.01  # or by this share of the step between slices, whichever is more
SHEARED_MM = 0.05  # sideways drift of the last slice, against straight on along the normal
SAME_PLACE_MM = 0.01

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Grid:
    """A regular volume. `affine_lps_mm`, float[4, 4], leads from (column, row, slice) to patient mm."""

    columns: int
    rows: int
    slices: int
    affine_lps_mm: NDArray[np.float64]

    @property
    def affine_ras_mm(self) -> NDArray[np.float64]:
        return LPS_TO_RAS @ self.affine_lps_mm

    @property
    def voxel_size_mm(self) -> NDArray[np.float64]:
        """(along a row, down a column, between slices)."""
        return np.linalg.norm(self.affine_lps_mm[:3, :3], axis=0)

    @classmethod
    def of(cls, source: SourceSeries) -> "Grid":
        """Raises ExchangeError with the reason where the frames are no regular volume."""
        first = source.frames[0]
        if not all(frame.has_place for frame in source.frames):
            raise ExchangeError("its images have no position or no spacing in the patient")
        if not all(first.same_grid(frame) for frame in source.frames):
            raise ExchangeError("its images differ in size, spacing or direction")
        if len(source.frames) < 2:
            raise ExchangeError("it has one slice only, so the distance between slices is unknown")
        along_row, down_column, normal = first.axes
        if abs(along_row @ down_column) > 1e-3:
            raise ExchangeError("rows and columns of its images aren't at right angles")
        positions = np.array([frame.position for frame in source.frames], dtype=np.float64)
        step = _regular_step(positions, normal)
        affine = np.eye(4)
        affine[:3, 0] = along_row * (first.column_mm or 0)
        affine[:3, 1] = down_column * (first.row_mm or 0)
        affine[:3, 2] = step
        affine[:3, 3] = positions[0]
        return cls(first.columns, first.rows, len(positions), affine)


def _regular_step(positions: NDArray[np.float64], normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """From one slice to the next, in mm; frames come in the order of the series' display.

    Scanners round positions, so one step may look shorter than the others; what counts is that no slice lies
    elsewhere than the affine says.
    """
    steps_mm = np.diff(positions @ normal)
    usual = float(np.median(steps_mm))
    if np.abs(steps_mm).min() < SAME_PLACE_MM:
        raise ExchangeError("it has several images at one place, such as phases of a contrast series")
    allowed_mm = max(OFF_MM, OFF_SHARE * abs(usual))
    mean_step = (positions[-1] - positions[0]) / (len(positions) - 1)
    straight = positions[0] + np.arange(len(positions))[:, None] * mean_step
    off = positions - straight
    worst = int(np.argmax(np.abs(steps_mm - usual)))
    if float(np.abs(off @ normal).max()) > allowed_mm and abs(steps_mm[worst] - usual) > allowed_mm:
        raise ExchangeError(
            f"slices {worst + 1} and {worst + 2} are {abs(steps_mm[worst]):.2f} mm apart, "
            f"where it is {abs(usual):.2f} mm elsewhere"
        )
    sideways = mean_step - normal * (mean_step @ normal)
    if np.linalg.norm(sideways) * (len(positions) - 1) > SHEARED_MM:
        degrees = float(np.degrees(np.arctan2(np.linalg.norm(sideways), abs(mean_step @ normal))))
        raise ExchangeError(f"its slices are sheared by {degrees:.1f}°, as with a tilted gantry")
    off_mm = np.linalg.norm(off, axis=1)
    if float(off_mm.max()) > allowed_mm:
        raise ExchangeError(
            f"slice {int(off_mm.argmax()) + 1} lies {off_mm.max():.2f} mm off the others' line"
        )
    return mean_step
