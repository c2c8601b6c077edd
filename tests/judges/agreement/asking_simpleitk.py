"""SimpleITK's numbers for two masks: overlap measures, and distance maps of the surfaces."""

import numpy as np
import SimpleITK as sitk

CROSS = sitk.sitkCross


def numbers(
    first: np.ndarray, second: np.ndarray, spacing_mm: tuple[float, float, float], tolerance_mm: float
) -> dict[str, float]:
    """dice, surface_dice and hd95_mm of bool[slices, rows, columns], neither empty.

    Cut out to both masks first, with a free border: distance maps of the rest would only cost time.
    """
    images = [_image(mask, spacing_mm) for mask in (first, second)]
    overlap = sitk.LabelOverlapMeasuresImageFilter()
    overlap.Execute(images[0], images[1])
    surfaces = [image - sitk.BinaryErode(image, (1, 1, 1), CROSS) for image in images]
    ways = []
    for here, there in ((0, 1), (1, 0)):
        away = sitk.SignedMaurerDistanceMap(
            surfaces[there], insideIsPositive=False, squaredDistance=False, useImageSpacing=True
        )
        at = sitk.GetArrayViewFromImage(surfaces[here]) > 0
        ways.append(np.abs(sitk.GetArrayViewFromImage(away)[at]))
    near = sum(int((way <= tolerance_mm).sum()) for way in ways)
    return {
        "dice": overlap.GetDiceCoefficient(),
        "surface_dice": near / sum(way.size for way in ways),
        "hd95_mm": max(float(np.percentile(way, 95)) for way in ways),
    }


def cut_out(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both masks in the box that holds both, with a border of one voxel."""
    either = first | second
    where = []
    for axis in range(3):
        set_at = np.flatnonzero(either.any(axis=tuple(other for other in range(3) if other != axis)))
        where.append(slice(set_at[0], set_at[-1] + 1))
    one, other = (np.pad(mask[tuple(where)], 1) for mask in (first, second))
    return one, other


def _image(mask: np.ndarray, spacing_mm: tuple[float, float, float]) -> sitk.Image:
    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    image.SetSpacing(tuple(float(step) for step in reversed(spacing_mm)))
    return image
