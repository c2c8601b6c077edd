"""What is known of a series' frames, from its manifest: sizes, places, spacing. Kept in memory a while."""

import gzip
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from atlas.archive.storage import storage
from atlas.models import Series

SERIES_KEPT = 256  # in memory of each process; a thousand frames take about 100 kB


@dataclass(frozen=True)
class Grid:
    """The pixels of one frame: size, place and spacing. None where the image doesn't say."""

    rows: int
    columns: int
    row_mm: float | None  # between rows
    column_mm: float | None  # between columns
    spacing_source: str  # pixel, estimated, imager (at the detector of a projection) or none
    orientation: tuple[float, ...] | None
    origin_patient_mm: tuple[float, ...] | None

    @property
    def spacing_mm(self) -> tuple[float, float] | None:
        """Between rows and between columns; None where the image is not calibrated."""
        if self.spacing_source not in ("pixel", "estimated") or not self.row_mm or not self.column_mm:
            return None
        return self.row_mm, self.column_mm


@dataclass(frozen=True)
class Frames:
    """The frames of one generation of a series, by SOP Instance UID and frame number."""

    in_patient: bool
    grids: dict[tuple[str, int], Grid]
    spoiled: frozenset[str]  # what its quality findings say can't be trusted: millimetres, volume, …
    stacks: tuple[range, ...]  # the frames of each stack (phase, plane), by their number in `grids`

    def stack_of(self) -> dict[tuple[str, int], int]:
        """By frame: which stack it belongs to."""
        keys = list(self.grids)
        return {keys[index]: number for number, stack in enumerate(self.stacks) for index in stack}

    def size(self, sop_instance_uid: str, frame_number: int) -> tuple[int, int] | None:
        """(rows, columns)."""
        grid = self.grids.get((sop_instance_uid, frame_number))
        return (grid.rows, grid.columns) if grid else None


def frames_of(series: Series) -> Frames | None:
    """None while the series has no manifest yet."""
    if not series.manifest_key:
        return None
    return _frames(series.pk, series.generation, series.manifest_key)


@lru_cache(maxsize=SERIES_KEPT)
def _frames(series_pk: int, generation: int, manifest_key: str) -> Frames:
    with storage().open(manifest_key) as file:
        return from_manifest(json.loads(gzip.decompress(file.read())))


def from_manifest(manifest: dict[str, Any]) -> Frames:
    """The grids of all frames of a series manifest (see the API's description of it)."""
    columns = manifest["frames"]
    positions = columns["position"] or [None] * len(columns["sop"])
    grids = {}
    for index, key in enumerate(zip(columns["sop"], columns["frame"], strict=True)):
        own = manifest["overrides"].get(str(index), {})
        spacing = own.get("spacing") or manifest["spacing"]
        pixel = own.get("pixel") or manifest["pixel"]
        orientation = own.get("orientation") or manifest["orientation"]
        grids[key] = Grid(
            rows=pixel["rows"],
            columns=pixel["columns"],
            row_mm=spacing.get("row_mm"),
            column_mm=spacing.get("column_mm"),
            spacing_source=spacing["source"],
            orientation=tuple(orientation) if orientation else None,
            origin_patient_mm=tuple(positions[index]) if positions[index] else None,
        )
    spoiled = frozenset(what for finding in manifest["findings"] for what in finding["spoils"])
    phases = manifest.get("phases") or [{"first": 0, "count": len(grids)}]
    stacks = tuple(range(phase["first"], phase["first"] + phase["count"]) for phase in phases)
    return Frames(manifest["geometry"] == "patient", grids, spoiled, stacks)
