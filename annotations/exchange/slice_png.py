"""Pictures of single slices, for those who train on PNG: 8 bits by one window, or colours as they are."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True)
class Shades:
    """Values up to `low` are 0, from `high` on 255, those between in proportion; or the other way round."""

    low: float
    high: float
    is_inverted: bool = False

    def of(self, values: NDArray[np.generic], slope: float, intercept: float) -> NDArray[np.uint8]:
        """Of stored values, [rows, columns]."""
        numbers = np.nan_to_num(values.astype(np.float64)) * slope + intercept
        shares = np.clip((numbers - self.low) / max(self.high - self.low, 1e-9), 0, 1)
        shades = np.floor(shares * 255 + 0.5).astype(np.uint8)
        return 255 - shades if self.is_inverted else shades


def png(picture: NDArray[np.uint8]) -> bytes:
    """[rows, columns] grey or [rows, columns, 3] colours; no time or name is in it."""
    stream = BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(stream, "PNG", compress_level=6)
    return stream.getvalue()


def eight_bits(colours: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Colours with more bits lose the lowest."""
    if colours.dtype == np.uint8:
        return colours.astype(np.uint8, copy=False)
    return (colours.astype(np.int64) >> (8 * (colours.dtype.itemsize - 1))).astype(np.uint8)
