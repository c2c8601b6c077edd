"""Pictures of a frame for clients that can't window themselves (PS3.18 8.3.5): JPEG, PNG or WebP, 8 bits."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

SIDE_PX_MAX = 4096
FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}


@dataclass(frozen=True, slots=True)
class Window:
    """`shape`: linear (PS3.3 C.11.2.1.2.1), linear-exact (C.11.2.1.3.2) or sigmoid (C.11.2.1.3.1)."""

    center: float
    width: float
    shape: str = "linear"


@dataclass(frozen=True, slots=True)
class Viewport:
    """The box (columns × rows) the picture must fit, and the region of the image it shows, in its pixels:
    (first column, first row, columns, rows). Negative columns or rows turn the picture over."""

    columns: int
    rows: int
    region: tuple[float, float, float, float] | None = None


def rendered(
    array: np.ndarray,
    *,
    media_type: str,
    window: Window | None,
    rescale: tuple[float, float],
    is_inverted: bool,
    aspect: float = 1.0,
    viewport: Viewport | None = None,
    quality: int = 90,
) -> bytes:
    """`array`: (rows, columns) stored values or (rows, columns, 3) RGB. `rescale`: (slope, intercept).
    `aspect`: height of a pixel by its width. Without a window the 1st to 99th percentile are shown."""
    shades = _eight_bits(array) if array.ndim == 3 else _windowed(array, window, rescale, is_inverted)
    picture = _fitted(Image.fromarray(shades), viewport, aspect)
    buffer = io.BytesIO()
    kind = FORMATS[media_type]
    options = {} if kind == "PNG" else {"quality": quality}
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def _windowed(
    array: np.ndarray, window: Window | None, rescale: tuple[float, float], is_inverted: bool
) -> np.ndarray:
    shares: np.ndarray
    numbers = np.nan_to_num(array.astype(np.float32)) * rescale[0] + rescale[1]
    if window is None:
        low, high = np.percentile(numbers, [1, 99])
        window = Window((low + high) / 2, max(high - low, 1e-6), "linear-exact")
    center, width = window.center, window.width
    if window.shape == "sigmoid":
        with np.errstate(over="ignore"):
            shares = 1 / (1 + np.exp(-4 * (numbers - center) / width))
    elif window.shape == "linear-exact" or width <= 1:
        shares = (numbers - center) / width + 0.5
    else:
        shares = (numbers - (center - 0.5)) / (width - 1) + 0.5
    shades = (np.clip(shares, 0, 1) * 255 + 0.5).astype(np.uint8)
    return 255 - shades if is_inverted else shades


def _eight_bits(array: np.ndarray) -> np.ndarray:
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    return (array >> (8 * (array.dtype.itemsize - 1))).astype(np.uint8)


def _fitted(picture: Image.Image, viewport: Viewport | None, aspect: float) -> Image.Image:
    """Square pixels; no larger than the viewport, and never larger than SIDE_PX_MAX."""
    if viewport and viewport.region:
        left, top, columns, rows = viewport.region
        left, top = min(round(left), picture.width - 1), min(round(top), picture.height - 1)
        right, bottom = left + max(1, round(abs(columns))), top + max(1, round(abs(rows)))
        picture = picture.crop((left, top, min(right, picture.width), min(bottom, picture.height)))
        if columns < 0:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if rows < 0:
            picture = picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    width, height = float(picture.width), float(picture.height)
    if aspect > 1:
        height *= aspect
    else:
        width /= aspect
    if viewport:
        scale = min(viewport.columns / width, viewport.rows / height)
    else:
        scale = min(1.0, SIDE_PX_MAX / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return picture if size == picture.size else picture.resize(size, Image.Resampling.BICUBIC)
