"""`agreement`: Dice, surface Dice and HD95 of two masks of 512 × 512 × 300 voxels that are in memory, against
the faster of MONAI and SimpleITK. All three must find the same numbers.

The last picture is as bad as it gets, far from what two readers draw: each surface looks for the other from
afar. It is watched, and has no goal."""

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack

import numpy as np

from annotations.measures.agreement.masks import MaskPair
from benchmarks.measure import Result, compared
from tests.judges.agreement import asking_simpleitk
from tests.judges.agreement.asking_monai import Monai, NoMonai

SHAPE = (300, 512, 512)
SPACING_MM = (1.25, 0.7, 0.7)
TOLERANCE_MM = 2.0
ROUNDS = 3
GOAL = 3.0
SEED = 20260114

type Masks = tuple[np.ndarray, np.ndarray]


def run() -> list[Result]:
    with ExitStack() as stack:
        try:
            monai = stack.enter_context(Monai())
        except NoMonai as reason:
            print(f"Measured without MONAI. {reason}", file=sys.stderr)
            monai = None
        return [_line(name, masks(), goal, monai) for name, (masks, goal) in PICTURES.items()]


def _line(name: str, masks: Masks, goal: float, monai: Monai | None) -> Result:
    kept = monai.keep(*masks, SPACING_MM, TOLERANCE_MM) if monai else None
    measured: list[tuple[float, float]] = []
    wins: list[str] = []
    for _ in range(ROUNDS + 1):
        our_seconds, ours = _timed(lambda: _ours(masks))
        peers = {"SimpleITK": _timed(lambda: _simpleitk(masks))}
        if monai is not None and kept is not None:
            answer = monai.numbers(kept)
            peers["MONAI"] = (answer.pop("seconds"), answer)
        for peer, (_, theirs) in peers.items():
            assert all(abs(ours[key] - theirs[key]) < 1e-3 for key in ours), (peer, ours, theirs)
        fastest = min(peers, key=lambda peer: peers[peer][0])
        wins.append(fastest)
        measured.append((our_seconds, peers[fastest][0]))
    fastest = max(set(wins), key=wins.count)
    without = "" if monai else "; MONAI is not here"
    return compared(
        f"agreement, {name}",
        measured[1:],  # the first is for warming up
        unit="s",
        note=f"against {fastest}, the faster{without}",
        goal=goal,
        more_is_better=False,
    )


def _timed(work: Callable[[], dict[str, float]]) -> tuple[float, dict[str, float]]:
    started = time.perf_counter()
    numbers = work()
    return time.perf_counter() - started, numbers


def _ours(masks: Masks) -> dict[str, float]:
    pair = MaskPair(*masks, SPACING_MM)
    dice, surface_dice, hd95_mm = pair.overlap.dice, pair.surface_dice(TOLERANCE_MM), pair.hd95_mm
    assert dice is not None
    assert surface_dice is not None
    assert hd95_mm is not None
    return {"dice": dice, "surface_dice": surface_dice, "hd95_mm": hd95_mm}


def _simpleitk(masks: Masks) -> dict[str, float]:
    return asking_simpleitk.numbers(*asking_simpleitk.cut_out(*masks), SPACING_MM, TOLERANCE_MM)


# Masks ------------------------------------------------------------------------------------------


def _ball(centre, radii) -> tuple[tuple[slice, ...], np.ndarray]:
    """Where it lies, and its voxels there."""
    where = tuple(
        slice(max(0, int(c - r)), min(n, int(c + r) + 2))
        for c, r, n in zip(centre, radii, SHAPE, strict=True)
    )
    axes = np.ogrid[where]
    away = sum(((at - c) / r) ** 2 for at, c, r in zip(axes, centre, radii, strict=True))
    return where, np.asarray(away <= 1)


def _drawn(*balls) -> np.ndarray:
    mask = np.zeros(SHAPE, dtype=bool)
    for centre, radii in balls:
        where, voxels = _ball(centre, radii)
        mask[where] |= voxels
    return mask


def _lesions(random: np.random.Generator, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    places = random.uniform((20, 60, 60), (280, 450, 450), (count, 3))
    return list(zip(places, random.uniform(3, 15, (count, 3)), strict=True))


def _by_another_hand(random: np.random.Generator, balls) -> list:
    """Every fifth is missed, the others are a little off."""
    return [
        (centre + random.uniform(-2, 2, 3), radii * random.uniform(0.8, 1.2, 3))
        for at, (centre, radii) in enumerate(balls)
        if at % 5
    ]


def _organ() -> Masks:
    random = np.random.default_rng(SEED)
    lesions = _lesions(random, 15)
    first = _drawn(((150, 256, 256), (60, 100, 80)), *lesions)
    second = _drawn(((152, 258, 253), (61, 97, 82)), *_by_another_hand(random, lesions))
    return first, second


def _many_lesions() -> Masks:
    random = np.random.default_rng(SEED + 1)
    lesions = _lesions(random, 40)
    return _drawn(*lesions), _drawn(*_by_another_hand(random, lesions))


def _hardly_agreeing() -> Masks:
    return _drawn(((120, 200, 220), (50, 80, 70))), _drawn(((175, 300, 290), (45, 90, 60)))


PICTURES: dict[str, tuple[Callable[[], Masks], float]] = {
    "organ and lesions": (_organ, GOAL),
    "40 lesions": (_many_lesions, GOAL),
    "hardly agreeing": (_hardly_agreeing, 0.0),
}
