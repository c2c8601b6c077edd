"""Small pictures of a series: the middle frame, windowed as it will be shown."""

import io

import numpy as np
from PIL import Image

SIDE_PX = 256


def thumbnail(
    array: np.ndarray,
    *,
    window: tuple[float | None, float | None],
    rescale: tuple[float, float],
    inverted: bool,
    row_mm: float | None,
    column_mm: float | None,
) -> bytes:
    """A WebP of at most 256 × 256 pixels with square pixels.

    `array`: (rows, columns) stored values or (rows, columns, 3) RGB. `window`: (center, width) of rescaled
    values, as in PS3.3 C.11.2.1.2; without one the 1st to 99th percentile. `rescale`: (slope, intercept).
    """
    shades = (
        _eight_bits(array)
        if array.ndim == 3
        else _windowed(np.nan_to_num(array) * rescale[0] + rescale[1], window, inverted)
    )
    picture = Image.fromarray(shades)
    rows, columns = shades.shape[:2]
    height, width = rows * (row_mm or 1.0), columns * (column_mm or 1.0)
    if not 0.1 < height / width < 10:  # a strip; its true shape would show nothing
        height, width = float(rows), float(columns)
    scale = SIDE_PX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    buffer = io.BytesIO()
    picture.resize(size, Image.Resampling.LANCZOS).save(buffer, "WEBP", quality=80)
    return buffer.getvalue()


def _windowed(numbers: np.ndarray, window: tuple[float | None, float | None], inverted: bool) -> np.ndarray:
    center, width = window
    if center is None or width is None:
        low, high = np.percentile(numbers, [1, 99])
        high = max(high, low + 1e-6)
    else:
        low, high = center - width / 2, center + width / 2
    shades = np.clip((numbers - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    return 255 - shades if inverted else shades


def _eight_bits(array: np.ndarray) -> np.ndarray:
    return array if array.dtype == np.uint8 else (array >> (8 * (array.dtype.itemsize - 1))).astype(np.uint8)
