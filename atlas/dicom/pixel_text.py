"""Which images may hold text in their pixels, and where the text is. Text itself never leaves this module.

Scanners that store what their screen shows, and programs that store pictures of results, draw names, numbers
and dates into the pixels, where no rule about attributes reaches them (PS3.15 E.3.1, Clean Pixel Data).
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from pydicom.dataset import Dataset

from atlas.dicom import values

# Modalities (PS3.3 C.7.3.1.1.1) whose images are pictures of a screen, photographs, projections that a
# technician or a workstation writes on, or scans of paper: one kind a line.
_MODALITIES = """
US IVUS BDUS OAM IOL KER VA SRF ECG EPS HD
ES GM SM XC OP OPT OPM OPV OCT IVOCT DMS DG TG BI LS
MG XA RF CR DX RG PX IO BMD RTIMAGE DF DS CF VF
OT SC DOC HC
"""
MODALITIES = set(_MODALITIES.split())

_SOP_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.7",  # Secondary Capture, and its four multi-frame classes below it
    "1.2.840.10008.5.1.4.1.1.3.1",  # Ultrasound Multi-frame
    "1.2.840.10008.5.1.4.1.1.6",  # Ultrasound, and its kin
    "1.2.840.10008.5.1.4.1.1.1",  # computed and digital radiography, mammography, intra-oral
    "1.2.840.10008.5.1.4.1.1.12",  # X-ray angiography and fluoroscopy
    "1.2.840.10008.5.1.4.1.1.77.1",  # visible light, and ophthalmic photographs
)
# Values that follow the first two of Image Type and tell of a picture made from a screen.
_SCREEN_WORDS = ("SCREEN", "CAPTURE", "SNAPSHOT", "PRINT", "REPORT", "DOSE", "PROTOCOL", "SUMMARY", "CHART")
_COLOURS = ("RGB", "PALETTE COLOR", "YBR_")
# Written by machines, with one bit or one number a pixel that nobody looks at as a picture.
_MASKS = {"SEG", "RTDOSE", "RTSTRUCT", "RTPLAN", "PR", "SR", "KO", "M3D"}


def may_hold_text(dataset: Dataset) -> bool:
    """Whether the header leaves it possible that its pixels hold text, and they should be searched.

    Slices as a CT, MR or PET scanner makes them are left out. "Burned In Annotation: NO" is no reason to
    leave an image out: the ones that hold names often say so.
    """
    modality = values.text(dataset, "Modality", length_max=16).upper()
    if modality in _MASKS:
        return False
    if values.text(dataset, "BurnedInAnnotation", length_max=16).upper() == "YES":
        return True
    if values.text(dataset, "ConversionType", length_max=16):  # it has been on film, paper, video or a screen
        return True
    if modality in MODALITIES or not modality:
        return True
    sop_class = values.uid(dataset, "SOPClassUID")
    if any(sop_class == one or sop_class.startswith(one + ".") for one in _SOP_CLASSES):
        return True
    image_type = values.text(dataset, "ImageType", length_max=256).upper()
    if any(word in image_type for word in _SCREEN_WORDS):
        return True
    photometric = values.text(dataset, "PhotometricInterpretation", length_max=16).upper()
    if photometric.startswith(_COLOURS):  # scanners measure numbers, colours are painted
        return True
    allocated = values.integer(dataset, "BitsAllocated")
    return allocated is not None and allocated == 8 and modality != "NM"


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle of pixels: `column` and `row` of its top left pixel, from 0, and its size.

    `frame` is a frame number from 1, or 0 for the same place on every frame. `score` is from 0 to 1: how
    sure the search was; 1 for a box that a person drew.
    """

    frame: int
    column: int
    row: int
    columns: int
    rows: int
    score: float = 1.0

    def __post_init__(self) -> None:
        if self.columns < 1 or self.rows < 1 or self.column < 0 or self.row < 0 or self.frame < 0:
            raise ValueError("A box has at least one pixel, inside the image.")

    def as_json(self) -> dict[str, int | float]:
        return asdict(self)

    def within(self, rows: int, columns: int) -> "Box | None":
        """The part of it inside an image of that size; None where there is none."""
        if self.row >= rows or self.column >= columns:
            return None
        return replace(
            self, columns=min(self.columns, columns - self.column), rows=min(self.rows, rows - self.row)
        )

    def overlap(self, other: "Box") -> float:
        """Common area by the area of the smaller one, whatever their frames."""
        right = min(self.column + self.columns, other.column + other.columns)
        bottom = min(self.row + self.rows, other.row + other.rows)
        across, down = right - max(self.column, other.column), bottom - max(self.row, other.row)
        if across <= 0 or down <= 0:
            return 0.0
        return across * down / min(self.columns * self.rows, other.columns * other.rows)

    def joined(self, other: "Box") -> "Box":
        """The smallest box around both."""
        column, row = min(self.column, other.column), min(self.row, other.row)
        return Box(
            frame=self.frame,
            column=column,
            row=row,
            columns=max(self.column + self.columns, other.column + other.columns) - column,
            rows=max(self.row + self.rows, other.row + other.rows) - row,
            score=max(self.score, other.score),
        )


def merged(boxes: Iterable[Box], *, overlap_min: float = 0.3) -> list[Box]:
    """Boxes of one frame (or all of every frame), with those that mark a place twice, and lines of text that
    stand close below each other, joined into one."""
    left, found = list(boxes), list[Box]()
    while left:
        box = left.pop()
        near = next((other for other in left + found if other.overlap(box) >= overlap_min), None)
        if near is None:
            found.append(box)
            continue
        (left if near in left else found).remove(near)
        left.append(near.joined(box))  # it has grown, and may reach others now
    return sorted(found, key=lambda one: (one.row, one.column))


def frames_to_search(number_of_frames: int, most: int) -> list[int]:
    """Frame numbers from 1: all of them, or `most` spread evenly with the first and the last."""
    if number_of_frames <= most:
        return list(range(1, number_of_frames + 1))
    return sorted({round(at) + 1 for at in np.linspace(0, number_of_frames - 1, most)})


USED_SHARE_MAX = 0.7
"""Where most pixels lie in less than this share of all values, both ranges are looked at."""


def renditions(array: np.ndarray, *, inverted: bool = False) -> Sequence[np.ndarray]:
    """Pictures to look for text in, (rows, columns, 3) of 8 bits, of one decoded frame.

    `array`: (rows, columns) stored values or (rows, columns, 3) RGB. Text is often drawn in the brightest
    or darkest value there is, outside of the range of the anatomy, or in a shade little above its ground:
    one picture is scaled to all values, one to those that most pixels have, and the last one spreads all
    values evenly.
    """
    if array.ndim == 3:
        return [_eight_bits(array)]
    numbers = array.astype(np.float32)
    finite = numbers[np.isfinite(numbers)]
    if finite.size == 0 or finite.min() == finite.max():
        return []
    numbers = np.nan_to_num(numbers, nan=float(finite.min()))
    darkest, brightest = float(finite.min()), float(finite.max())
    low, high = np.percentile(finite, [0.5, 99.9])
    shades = []
    if array.dtype == np.uint8:  # as the screen showed it
        shades.append(array)
    elif high - low < USED_SHARE_MAX * (brightest - darkest):
        shades.append(_scaled(numbers, darkest, brightest))
    if array.dtype != np.uint8 and high > low:
        shades.append(_scaled(numbers, low, high))
    distinct, inverse, counts = np.unique(array, return_inverse=True, return_counts=True)
    if len(distinct) < 4096 or high <= low:  # equalised: each shade's rank among all pixels
        rank = np.cumsum(counts) - counts / 2
        rank = (rank - rank[0]) / max(rank[-1] - rank[0], 1) * 255
        shades.append(rank.astype(np.uint8)[inverse].reshape(array.shape))
    else:
        order = np.searchsorted(np.quantile(finite, np.linspace(0, 1, 256)), numbers)
        shades.append(np.clip(order, 0, 255).astype(np.uint8))
    return [np.repeat((255 - one if inverted else one)[:, :, None], 3, axis=2) for one in shades]


def _scaled(numbers: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.clip((numbers - low) / (high - low) * 255, 0, 255).astype(np.uint8)


def _eight_bits(array: np.ndarray) -> np.ndarray:
    whole = array if array.dtype == np.uint8 else (array >> (8 * (array.dtype.itemsize - 1))).astype(np.uint8)
    return np.ascontiguousarray(whole[:, :, :3])
