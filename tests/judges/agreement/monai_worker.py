"""Runs in MONAI's own Python. Reads the name of a file of two masks from each line of its standard input, and
answers with a line of JSON: the numbers, and how long they took once the masks were in memory."""

import json
import sys
import time
import warnings

import numpy as np
import torch
from monai.metrics import compute_dice, compute_hausdorff_distance, compute_surface_dice

warnings.filterwarnings("ignore")


def numbers_of(first, second, spacing_mm, tolerance_mm):
    """The three numbers of masks bool[1, 1, slices, rows, columns]."""
    dice = compute_dice(first, second)
    surface = compute_surface_dice(
        first, second, class_thresholds=[tolerance_mm], include_background=True, spacing=spacing_mm
    )
    hd95 = compute_hausdorff_distance(
        first, second, include_background=True, percentile=95, spacing=spacing_mm
    )
    return {"dice": float(dice), "surface_dice": float(surface), "hd95_mm": float(hd95)}


loaded = {}
for line in sys.stdin:
    name = line.strip()
    if name not in loaded:
        file = np.load(name)
        masks = [torch.from_numpy(file[which])[None, None] for which in ("first", "second")]
        loaded = {name: (*masks, file["spacing_mm"].tolist(), float(file["tolerance_mm"]))}
    started = time.perf_counter()
    answer = numbers_of(*loaded[name])
    answer["seconds"] = time.perf_counter() - started
    print(json.dumps(answer), flush=True)
