"""One mask of several readers': counted by hand, and STAPLE against a plain reading of its paper."""

import numpy as np
import pytest

from annotations.measures import consensus


def masks_of(readers, seed=1):
    """Balls that differ a little in place and size."""
    random = np.random.default_rng(seed)
    z, y, x = np.ogrid[:8, :20, :20]
    return [
        (z - 4) ** 2 * 4 + (y - 10 - random.normal()) ** 2 + (x - 10 - random.normal()) ** 2
        < (6 + random.normal()) ** 2
        for _ in range(readers)
    ]


@pytest.mark.parametrize("readers", [2, 3, 4, 7])
def test_at_least_so_many_set_a_voxel(readers):
    masks = masks_of(readers)
    patterns = consensus.patterns_of(masks)
    votes = np.sum(masks, axis=0)
    for count in range(1, readers + 1):
        assert (consensus.at_least(patterns, count) == (votes >= count)).all()
    assert (
        consensus.voxels_by_votes(patterns, readers).tolist()
        == np.bincount(votes.ravel(), minlength=readers + 1).tolist()
    )


@pytest.mark.parametrize(("voters", "most"), [(2, 2), (3, 2), (4, 3), (5, 3)])
def test_a_majority_is_more_than_half(voters, most):
    assert consensus.majority_of(voters) == most


def plain_staple(masks, rounds=500):
    """Voxel by voxel, as equations (13) to (15), (18) and (19) of the paper have it."""
    said = np.array([mask.ravel() for mask in masks]).astype(float)
    prior = said.mean()
    p = np.full(len(masks), 0.99999)
    q = np.full(len(masks), 0.99999)
    for _ in range(rounds):
        a = prior * np.prod(np.where(said == 1, p[:, None], 1 - p[:, None]), axis=0)
        b = (1 - prior) * np.prod(np.where(said == 1, 1 - q[:, None], q[:, None]), axis=0)
        weights = a / (a + b)
        p = (said * weights).sum(axis=1) / weights.sum()
        q = ((1 - said) * (1 - weights)).sum(axis=1) / (1 - weights).sum()
    return weights.reshape(masks[0].shape), p, q


@pytest.mark.parametrize("readers", [3, 4, 5])
def test_staple_by_patterns_is_staple_by_voxels(readers):
    masks = masks_of(readers, seed=readers)
    found = consensus.staple(consensus.patterns_of(masks), readers)
    weights, p, q = plain_staple(masks)
    assert (found.mask == (weights >= 0.5)).all()
    assert found.sensitivity == pytest.approx(p, abs=1e-6)
    assert found.specificity == pytest.approx(q, abs=1e-6)


def test_staple_of_more_readers_than_a_table_holds_is_the_same(monkeypatch):
    patterns = consensus.patterns_of(masks_of(4))
    table = consensus.staple(patterns, 4)
    monkeypatch.setattr(consensus, "_TABLE_VOTERS_MAX", 2)
    sorting = consensus.staple(patterns, 4)
    assert (table.mask == sorting.mask).all()
    assert table.sensitivity == sorting.sensitivity


def test_staple_of_readers_who_all_say_the_same_is_what_they_say():
    mask = masks_of(1)[0]
    for same in (mask, np.zeros_like(mask), np.ones_like(mask)):
        found = consensus.staple(consensus.patterns_of([same] * 3), 3)
        assert (found.mask == same).all()
        assert all(0.99 <= each <= 1 for each in (*found.sensitivity, *found.specificity))


@pytest.mark.parametrize("readers", [0, 33])
def test_one_to_thirty_two_readers_make_a_consensus(readers):
    with pytest.raises(ValueError, match="One to 32"):
        consensus.patterns_of([np.zeros((1, 1, 1), dtype=bool)] * readers)
