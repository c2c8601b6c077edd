"""Two masks compared: the first case that docs/agreement.md works through by hand, brute force, odd ones."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.measures.agreement.masks import MaskPair, hd95_mm, overlap, surface, surface_dice
from annotations.measures.agreement.voxels import Grid, Voxels, finer, on_grid, together, union, volume_mm3

SPACING = (5.0, 1.0, 0.5)


def squares() -> tuple[np.ndarray, np.ndarray]:
    """Three by three voxels each, the second one column to the right."""
    first, second = np.zeros((3, 8, 8), dtype=bool), np.zeros((3, 8, 8), dtype=bool)
    first[1, 1:4, 1:4] = True
    second[1, 1:4, 2:5] = True
    return first, second


def grid(name="a", *, slices=6, rows=32, columns=48, spacing=SPACING, origin=(0, 0, 0), space="here") -> Grid:
    origins = np.array(origin, dtype=float) + np.arange(slices)[:, None] * np.array([0, 0, spacing[0]])
    return Grid(
        name=name,
        space=space,
        rows=rows,
        columns=columns,
        origins_mm=origins,
        along_row=np.array([1.0, 0, 0]),
        along_column=np.array([0, 1.0, 0]),
        row_mm=spacing[1],
        column_mm=spacing[2],
    )


def test_the_masks_of_the_docs_have_the_numbers_worked_out_there():
    first, second = squares()
    assert overlap(first, second).dice == pytest.approx(12 / 18)
    assert surface_dice(first, second, SPACING, 0.4) == pytest.approx(12 / 18)
    assert surface_dice(first, second, SPACING, 0.5) == 1.0
    assert hd95_mm(first, second, SPACING) == pytest.approx(0.5)
    assert MaskPair(first, second, SPACING).volumes_mm3 == pytest.approx((22.5, 22.5))


def test_both_empty_is_no_number_but_an_agreement():
    empty = np.zeros((3, 4, 5), dtype=bool)
    found = overlap(empty, empty)
    assert (found.dice, found.both_empty) == (None, True)
    assert surface_dice(empty, empty, SPACING, 2.0) is None
    assert hd95_mm(empty, empty, SPACING) is None


def test_with_one_empty_mask_nothing_overlaps_and_there_is_no_distance():
    first, _ = squares()
    empty = np.zeros_like(first)
    assert overlap(first, empty).dice == 0.0
    assert surface_dice(first, empty, SPACING, 2.0) == 0.0
    assert hd95_mm(empty, first, SPACING) is None


def test_masks_of_different_shapes_have_no_common_grid():
    with pytest.raises(ValueError, match="no common grid"):
        overlap(np.zeros((1, 2, 3), dtype=bool), np.zeros((1, 3, 2), dtype=bool))


def test_the_rim_of_an_image_is_a_surface():
    full = np.ones((4, 5, 6), dtype=bool)
    assert surface(full).sum() == 4 * 5 * 6 - 2 * 3 * 4


def brute_force(first, second, spacing):
    """Distances of every surface voxel to every other, surfaces voxel by voxel."""

    def surface_points(mask):
        padded = np.pad(mask, 1)
        found = []
        for z, y, x in np.argwhere(mask) + 1:
            near = [padded[z + a, y + b, x + c] for a, b, c in np.vstack((np.eye(3), -np.eye(3))).astype(int)]
            if not all(near):
                found.append((z - 1, y - 1, x - 1))
        return np.array(found) * np.array(spacing)

    one, other = surface_points(first), surface_points(second)
    apart = np.linalg.norm(one[:, None] - other[None], axis=2)
    return apart.min(axis=1), apart.min(axis=0)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), tolerance=st.sampled_from([0.0, 0.5, 1.0, 2.5]))
def test_any_two_masks_have_the_numbers_of_brute_force(seed, tolerance):
    random = np.random.default_rng(seed)
    shape = random.integers(1, 9, 3)
    first, second = (random.random(shape) < random.uniform(0.05, 0.95) for _ in range(2))
    if not first.any() or not second.any():
        return
    one, other = brute_force(first, second, SPACING)
    pair = MaskPair(first, second, SPACING)
    assert pair.hd95_mm == pytest.approx(max(np.percentile(one, 95), np.percentile(other, 95)))
    near = (one <= tolerance).sum() + (other <= tolerance).sum()
    assert pair.surface_dice(tolerance) == pytest.approx(near / (len(one) + len(other)))
    assert pair.overlap.dice == pytest.approx(2 * (first & second).sum() / (first.sum() + second.sum()))


def test_marks_of_one_grid_are_compared_wherever_they_were_cut_out():
    first, second = squares()
    pair = MaskPair.of(Voxels.of(first), Voxels.of(second), grid())
    assert pair.overlap == overlap(first, second)
    boxes, corner = together((Voxels.of(first), Voxels.of(second)))
    assert corner == (1, 1, 1)
    assert [box.shape for box in boxes] == [(1, 3, 4)] * 2
    assert union((Voxels.of(first), Voxels.of(second))).count == 12


def test_a_volume_counts_each_slice_with_the_thickness_it_stands_for():
    first, _ = squares()
    assert volume_mm3(Voxels.of(first), grid()) == pytest.approx(9 * 2.5)
    uneven = grid(slices=3)
    uneven.origins_mm[:, 2] = [0, 4, 10]
    assert volume_mm3(Voxels.of(first), uneven) == pytest.approx(9 * 0.5 * 5)  # half of 4 and half of 6


def test_a_mark_on_another_series_is_laid_on_the_finer_grid():
    coarse = grid("coarse", slices=3, rows=16, columns=24, spacing=(10.0, 2.0, 1.0), origin=(0.25, 0.5, 2.5))
    fine = grid("fine")
    assert finer(coarse, fine) is fine
    mask = np.zeros((3, 16, 24), dtype=bool)
    mask[1, 2:5, 3:7] = True
    laid = on_grid(Voxels.of(mask), coarse, fine)
    assert laid.count == mask.sum() * 8
    assert laid.corner == (2, 4, 6)
    assert volume_mm3(laid, fine) == pytest.approx(volume_mm3(Voxels.of(mask), coarse))


def test_a_mark_lies_at_the_same_place_on_a_series_that_runs_the_other_way():
    first, _ = squares()
    forward, backward = grid("forward"), grid("backward")
    backward.origins_mm[:] = forward.origins_mm[::-1]
    laid = on_grid(Voxels.of(first), forward, backward)
    assert laid.corner[0] == 4  # slice 1 of six, seen from the other end
    there_and_back = on_grid(laid, backward, forward)
    assert there_and_back.corner == Voxels.of(first).corner
    assert (there_and_back.mask == Voxels.of(first).mask).all()


def test_a_mark_on_a_tilted_series_is_found_point_by_point():
    """The short way along rows and the long way through every voxel agree; tilted, volume is kept."""
    random = np.random.default_rng(2)
    mask = np.zeros((6, 32, 48), dtype=bool)
    mask[1:5, 8:20, 12:30] = random.random((4, 12, 18)) < 0.8
    fine = grid("fine", slices=12, rows=64, columns=96, spacing=(2.4, 0.5, 0.25), origin=(0.1, 0.2, 0.3))
    straight = on_grid(Voxels.of(mask), grid(), fine)
    nearly = replace(fine, along_row=np.array([1.0, 2e-3, 0]) / np.hypot(1, 2e-3))
    slow = on_grid(Voxels.of(mask), grid(), nearly)
    assert straight.count == pytest.approx(slow.count, rel=0.01)
    pair = MaskPair.of(straight, slow, fine)
    assert pair.overlap.dice > 0.98
    c, s = np.cos(0.3), np.sin(0.3)
    tilted = replace(
        grid("tilted", slices=90, rows=160, columns=160, spacing=(0.5, 0.5, 0.5), origin=(0, 0, 0)),
        along_column=np.array([0, c, s]),
        origins_mm=np.array([0, 8.0, -8.0]) + np.arange(90)[:, None] * 0.5 * np.array([0, -s, c]),
    )
    block = np.zeros((6, 32, 48), dtype=bool)
    block[1:5, 8:20, 12:30] = True
    laid = on_grid(Voxels.of(block), grid(), tilted)
    assert volume_mm3(laid, tilted) == pytest.approx(volume_mm3(Voxels.of(block), grid()), rel=0.03)


def test_outside_of_the_other_series_there_is_nothing():
    first, _ = squares()
    far = grid("far", origin=(0, 0, 1000.0))
    assert on_grid(Voxels.of(first), grid(), far).count == 0


def test_marks_without_a_common_frame_of_reference_are_refused():
    first, _ = squares()
    with pytest.raises(ValueError, match="spaces"):
        on_grid(Voxels.of(first), grid(), grid("b", space="elsewhere"))
