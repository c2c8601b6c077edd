"""Where voxels lie in the patient, from the frames of the series: millimetres, LPS."""

import numpy as np
from numpy.typing import NDArray

from annotations.exchange.source import SourceFrame, SourceSeries

PLACE_MM, PLACE_SHARE = 0.05, 0.01
"""How far a voxel may lie from where its image has it: so many millimetres, or this share of the distance
between slices where that is more (a volume has one distance, slices of a scanner wander by hundredths), but
never half a voxel."""


def corners_mm(frame: SourceFrame) -> NDArray[np.float64]:
    """Centres of the first voxel, of the last of the first row and of the last of the first column:
    float[3, 3]. Three points fix a plane, its directions and its spacing."""
    along_row, down_column, _ = frame.axes
    first = np.array(frame.position, dtype=np.float64)
    return np.array(
        [
            first,
            first + along_row * (frame.column_mm or 0.0) * (frame.columns - 1),
            first + down_column * (frame.row_mm or 0.0) * (frame.rows - 1),
        ]
    )


def allowed_mm(source: SourceSeries) -> float:
    placed = [frame for frame in source.frames if frame.has_place]
    distance = distance_between_slices_mm(source)
    sides = [side for frame in placed for side in (frame.row_mm, frame.column_mm) if side]
    if distance:
        sides.append(distance)
    return min(max(PLACE_MM, PLACE_SHARE * (distance or 0.0)), min(sides, default=1.0) / 2)


def distance_between_slices_mm(source: SourceSeries) -> float | None:
    """The usual one, along the normal of the first frame; None where fewer than two planes have a place."""
    placed = [frame for frame in source.frames if frame.has_place]
    if len(placed) < 2:
        return None
    normal = placed[0].axes[2]
    depths = np.unique(np.round([np.dot(frame.position or (), normal) for frame in placed], 3))
    return float(np.median(np.diff(depths))) if len(depths) > 1 else None
