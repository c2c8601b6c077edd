"""Volumes of a release as arrays."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nibabel
import numpy as np


@dataclass(frozen=True)
class Volume:
    """A NIfTI file of a release, read when its voxels are asked for."""

    name: str
    """Modality and identifier of its series, as in the paths: CT_4f0a…"""
    path: Path

    @property
    def modality(self) -> str:
        return self.name.partition("_")[0]

    @cached_property
    def _file(self) -> "nibabel.Nifti1Image":
        return nibabel.load(self.path)  # type: ignore[return-value]

    @cached_property
    def array(self) -> np.ndarray:
        """Shape (x, y, z), in the order of the file: index (i, j, k) lies at `affine @ (i, j, k, 1)`."""
        return np.asanyarray(self._file.dataobj)

    @property
    def affine(self) -> np.ndarray:
        """4 × 4: from indices to millimetres right, anterior and superior (RAS), not DICOM's LPS."""
        return np.asarray(self._file.affine)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self._file.shape)

    @property
    def spacing_mm(self) -> tuple[float, ...]:
        """Distance of neighbouring voxels along each axis of the array."""
        return tuple(float(length) for length in self._file.header.get_zooms()[:3])


@dataclass(frozen=True)
class Image(Volume):
    """A series. Values are rescaled: Hounsfield units for CT."""


@dataclass(frozen=True)
class Mask(Volume):
    """One segment on the grid of its image: 1 inside, 0 outside. All 0 where the reader called it absent."""

    label: str
    """The label's key."""
    reader: str
    state: str = ""
    """present, absent, indeterminate or not_assessed; "" where annotations.json isn't here"""
