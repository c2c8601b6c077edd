"""One accepted mark as it leaves the node: its value, its label, its voxels and what they measure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from annotations.exchange.codes import Code, type_of
from annotations.exchange.source import ExchangeError, FrameKey, SourceSeries
from annotations.measures import geometry, masks

SEGMENT = "segment"
STATES = ("present", "absent", "indeterminate", "not_assessed")


@dataclass(frozen=True)
class Mark:
    """`value` is the journal's; `label` the schema's; `planes` the voxels of a segment by frame."""

    identity: UUID
    value: Mapping[str, Any]
    label: Mapping[str, Any]
    source: SourceSeries
    planes: Mapping[FrameKey, bytes] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return str(self.value["kind"])

    @property
    def state(self) -> str:
        return str(self.value.get("state") or "present")

    @property
    def meaning(self) -> Code:
        return type_of(self.label)

    @property
    def is_segment(self) -> bool:
        return self.kind == SEGMENT

    @property
    def becomes_mask(self) -> bool:
        """Segments do, also empty ones that say “looked, nothing there”; not those that nobody assessed."""
        return self.is_segment and (self.state != "not_assessed" or bool(self.planes))

    @property
    def voxels(self) -> int:
        return sum(masks.voxel_count(runs) for runs in self.planes.values())

    def measurements(self) -> dict[str, float]:
        """Unrounded numbers by name; a name ends in its unit. Millimetres only where the image has them."""
        if self.is_segment:
            return self._volume()
        if self.kind == "point" or self.state == "not_assessed":
            return {}
        if "points_patient_mm" in self.value:
            return _figure(self.kind, self.value["points_patient_mm"], "mm", "mm2")
        points = self.value["points_image"]
        frame = self.source.frame_at.get(FrameKey(self.value["sop"], self.value["frame"]))
        if frame is not None and frame.row_mm is not None and frame.column_mm is not None:
            scaled = geometry.to_millimetres(points, row_mm=frame.row_mm, column_mm=frame.column_mm)
            return _figure(self.kind, scaled.tolist(), "mm", "mm2")
        return _figure(self.kind, points, "pixels", "pixels2")

    def _volume(self) -> dict[str, float]:
        measured: dict[str, float] = {"voxels": self.voxels}
        frames = [frame for frame in self.source.frames if frame.has_place]
        first = frames[0] if frames else None
        if first is None or not all(first.same_grid(frame) for frame in self.source.frames):
            return measured
        positions = geometry.slice_positions_mm(
            [frame.position for frame in frames],  # type: ignore[misc]
            first.orientation or (),
        )
        try:
            thickness_mm = geometry.slice_thicknesses_mm(positions)
        except geometry.GeometryError:
            return measured
        counts = [masks.voxel_count(self.planes[f.key]) if f.key in self.planes else 0 for f in frames]
        measured["volume_ml"] = geometry.volume_ml(
            counts, row_mm=first.row_mm or 0, column_mm=first.column_mm or 0, thickness_mm=thickness_mm
        )
        return measured


def _figure(kind: str, points: list[list[float]], unit: str, square: str) -> dict[str, float]:
    if kind == "length":
        return {f"length_{unit}": geometry.length(points)}
    if kind == "bidirectional":
        axes = geometry.bidirectional(points)
        return {f"long_axis_{unit}": axes.long, f"short_axis_{unit}": axes.short}
    if kind == "ellipse":
        return {
            f"area_{square}": geometry.ellipse_area(points),
            f"perimeter_{unit}": geometry.ellipse_perimeter(points),
        }
    if kind in ("polygon", "freehand"):
        return {
            f"area_{square}": geometry.polygon_area(points),
            f"perimeter_{unit}": geometry.perimeter(points),
        }
    raise ExchangeError(f"A mark is of a kind that can't be measured: {kind}.")
