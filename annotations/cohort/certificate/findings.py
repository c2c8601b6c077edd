"""What reading one file back has found, and where it differs first."""

from dataclasses import dataclass, fields
from typing import Any

from annotations.exchange.source import ExchangeError


class Differs(ExchangeError):
    """A file does not hold what was accepted; the text says where."""


@dataclass
class Findings:
    """Counts over the voxels, masks, numbers and coordinates of one file.

    Distances are in millimetres; None where the format has nothing of the kind. `overlapping` counts masks
    that share voxels with another of the same read; `overlapping_flattened` those that a label map cut.
    """

    voxels_compared: int = 0
    voxels_that_differ: int = 0
    voxels_within_tolerance: int = 0
    images_by_the_writers_decoder: int = 0
    masks: int = 0
    masks_on_the_grid: int = 0
    empty: int = 0
    empty_kept: int = 0
    overlapping: int = 0
    overlapping_kept: int = 0
    overlapping_flattened: int = 0
    regions_compared: int = 0
    numbers_compared: int = 0
    coordinates_compared: int = 0
    largest_place_mm: float | None = None
    largest_surface_distance_mm: float | None = None
    first_difference: str = ""

    def place(self, off_mm: float) -> None:
        """A voxel lies so far from where its image has it."""
        self.largest_place_mm = max(self.largest_place_mm or 0.0, off_mm)

    def surface(self, off_mm: float) -> None:
        self.largest_surface_distance_mm = max(self.largest_surface_distance_mm or 0.0, off_mm)

    def differ(self, voxels: int, sentence: str) -> None:
        """So many voxels do; the first sentence is kept."""
        self.voxels_that_differ += voxels
        self.first_difference = self.first_difference or sentence

    def require_none(self) -> None:
        """Raises Differs with the first place where a voxel differs, and how many do."""
        if self.voxels_that_differ:
            more = "1 voxel differs" if self.voxels_that_differ == 1 else f"{self.voxels_that_differ} differ"
            raise Differs(f"{self.first_difference} ({more} in this file)")

    def as_json(self) -> dict[str, Any]:
        return {
            one.name: getattr(self, one.name)
            for one in fields(self)
            if one.name != "first_difference" and getattr(self, one.name) is not None
        }


def at(slice_index: int, row: int, column: int) -> str:
    """A place as a person finds it in the viewer; all three count from 1."""
    return f"slice {slice_index + 1}, row {row + 1}, column {column + 1}"
