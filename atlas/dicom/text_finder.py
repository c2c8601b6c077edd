"""Finds text in pictures with an OCR model that ships with rapidocr (PP-OCR by PaddlePaddle, Apache-2.0).

Nothing is downloaded and nothing leaves the machine. What the model reads is used to tell text from anatomy
and is dropped at once: only places are returned.
"""

import threading
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from atlas.dicom.pixel_text import Box, merged, renditions

TILE_SIDE = 1280
"""Larger pictures are searched in tiles: the model would see them at half their size, and small text not."""
TILE_OVERLAP = 200
"""A line of text cut by one tile is whole in the next, or found in two parts."""
SEARCHED_SIDE_MAX = 2560
"""Pictures larger than this are scaled down to it: a mammogram's text is as large as its pixels are small."""
SIDES_RATIO_MAX = 3
SIDE_MIN = 128
"""Narrow and tiny pictures get a margin: the model would blow their shorter side up to 736 pixels."""
READABLE_MIN = 0.5
"""The model's own certainty that it read a text, from 0 to 1."""
AREA_SHARE_MAX = 0.5
"""What fills more of a picture than this is an outline, not a line of text."""
MARGIN_SHARE = 0.1
"""Of a box's height: the model's boxes may cut off what stands below and above a line."""

# Marks of side and view that technicians put on projections: letters of lead, not of a person.
_SIDES = "L R LEFT RIGHT LI RE"
_VIEWS = "CC MLO ML LM LMO AT SIO XCCL XCCM ISO CV SPOT MAG AP PA LAT"
HARMLESS = {
    *_SIDES.split(),
    *_VIEWS.split(),
    *(side + view for side in ("L", "R") for view in _VIEWS.split()),
}
HARMLESS_MIN = 0.8

_one_at_a_time = threading.Lock()


def find_text(array: np.ndarray, *, inverted: bool = False, frame: int = 0) -> list[Box]:
    """Where text stands in one decoded frame, (rows, columns) or (rows, columns, 3) RGB.

    `inverted` for MONOCHROME1. Marks of side and view alone ("R", "LMLO") are no finding. `frame` is put
    into the boxes.
    """
    rows, columns = array.shape[:2]
    found: list[Found] = []
    pictures = renditions(array, inverted=inverted)
    for number, picture in enumerate(pictures, start=1):
        is_rough = number == len(pictures) > 1  # the last one is mostly noise
        found += _in_picture(picture, TILE_SIDE if is_rough else SEARCHED_SIDE_MAX)
    boxes = []
    for low, high, score in found:
        margin = max(2, round(MARGIN_SHARE * min(high[0] - low[0], high[1] - low[1])))
        column, row = max(0, int(low[0]) - margin), max(0, int(low[1]) - margin)
        right, bottom = int(np.ceil(high[0])) + margin, int(np.ceil(high[1])) + margin
        box = Box(frame, column, row, max(1, right - column), max(1, bottom - row), round(score, 3))
        inside = box.within(rows, columns)
        if inside:
            boxes.append(inside)
    return merged(boxes)


type Found = tuple[np.ndarray, np.ndarray, float]
"""(column, row) of the top left and of the bottom right corner, in pixels, and the score."""


def _in_picture(picture: np.ndarray, side_max: int) -> list[Found]:
    rows, columns = picture.shape[:2]
    scale = min(1.0, side_max / max(rows, columns))
    if scale < 1:
        size = max(1, round(columns * scale)), max(1, round(rows * scale))
        picture = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))
    found = []
    for top, left in _tiles(*picture.shape[:2]):
        tile = picture[top : top + TILE_SIDE, left : left + TILE_SIDE]
        for low, high, score in _in_tile(tile):
            corner = np.array([left, top])
            found.append(((low + corner) / scale, (high + corner) / scale, score))
    return found


def _tiles(rows: int, columns: int) -> Iterator[tuple[int, int]]:
    """The top left corners of tiles that cover a picture, and the whole line of text at each border."""
    for top in _starts(rows):
        for left in _starts(columns):
            yield top, left


def _starts(length: int) -> list[int]:
    if length <= TILE_SIDE:
        return [0]
    count = -(-(length - TILE_OVERLAP) // (TILE_SIDE - TILE_OVERLAP))
    return [round(at) for at in np.linspace(0, length - TILE_SIDE, count)]


def _in_tile(tile: np.ndarray) -> list[Found]:
    if int(tile.max()) - int(tile.min()) < 2:
        return []
    rows, columns = tile.shape[:2]
    side_min = max(SIDE_MIN, max(rows, columns) // SIDES_RATIO_MAX)
    margins = ((0, max(0, side_min - rows)), (0, max(0, side_min - columns)), (0, 0))
    padded = np.ascontiguousarray(np.pad(tile, margins)[:, :, ::-1])  # the model takes BGR
    with _one_at_a_time:
        result: Any = _engine()(padded, use_det=True, use_cls=True, use_rec=True)
    if getattr(result, "boxes", None) is None or getattr(result, "txts", None) is None:
        return []
    found = []
    for corners, words, score in zip(result.boxes, result.txts, result.scores, strict=True):
        low, high = corners.min(axis=0), corners.max(axis=0)
        outlines = float(np.prod(high - low)) > AREA_SHARE_MAX * rows * columns
        if _is_text(words, float(score)) and not outlines:
            found.append((low, high, float(score)))
    return found


def _is_text(words: str, score: float) -> bool:
    if score < READABLE_MIN or not any(character.isalnum() for character in words):
        return False
    plain = "".join(character for character in words.upper() if character.isalnum())
    return not (plain in HARMLESS and score >= HARMLESS_MIN)


@lru_cache(maxsize=1)
def _engine() -> Any:
    """The model, loaded on first use (under a second, about 150 MB). One thread: workers are many."""
    from rapidocr import RapidOCR

    return RapidOCR(
        params={
            "Global.log_level": "critical",  # it would log what it reads
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
