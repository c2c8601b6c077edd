"""Parts by subject: what holds for every seed, every share and every way a release grows."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.cohort.splits import (
    STRATUM_LENGTH_MAX,
    TEST,
    TRAIN,
    VALIDATION,
    Design,
    Placed,
    SplitError,
    Stratum,
    as_json,
    assign,
    from_json,
)

SITES = ("nordhain", "lund", "turku")
strata = st.builds(
    Stratum,
    site=st.sampled_from(SITES),
    labels=st.sets(st.sampled_from(["lesion", "node", "cyst"])).map(lambda one: tuple(sorted(one))),
)
subjects = st.dictionaries(st.integers(0, 10_000).map(lambda n: f"N-{n}"), strata, max_size=120)
seeds = st.text(min_size=1, max_size=8)
stratifications = st.sets(st.sampled_from(["site", "label"])).map(tuple)


@st.composite
def designs(draw: st.DrawFn) -> Design:
    common: dict[str, Any] = {"seed": draw(seeds), "stratify": draw(stratifications)}
    common["held_out_sites"] = draw(st.sampled_from([(), ("turku",)]))
    if draw(st.booleans()):
        test = draw(st.integers(0, 60))
        folds = draw(st.integers(2, 10))
        return Design(kind="folds", train=0, validation=0, test=test, folds=folds, **common)
    first, second = sorted((draw(st.integers(0, 100)), draw(st.integers(0, 100))))
    return Design(train=first, validation=second - first, test=100 - second, **common)


def off_by_a_subject_or_more(
    design: Design, who: dict[str, Stratum], placed: dict[str, Placed]
) -> list[tuple[str, Placed, int]]:
    """Places whose number of subjects in a stratum isn't their share rounded down or up."""
    sizes: Counter[str] = Counter()
    held: Counter[tuple[str, Placed]] = Counter()
    for name, stratum in who.items():
        if stratum.site not in design.held_out_sites:
            sizes[design.stratum_of(stratum)] += 1
            held[design.stratum_of(stratum), placed[name]] += 1
    whole = sum(design.places.values())
    return [
        (name, place, held[name, place])
        for name, size in sizes.items()
        for place, weight in design.places.items()
        if abs(held[name, place] * whole - size * weight) >= whole
    ]


@given(subjects, designs())
def test_every_stratum_has_its_shares_to_within_a_subject(who: dict[str, Stratum], design: Design) -> None:
    placed = assign(who, {}, design)
    assert set(placed) == set(who)
    assert off_by_a_subject_or_more(design, who, placed) == []


@given(subjects, designs())
def test_a_held_out_site_is_in_the_test_and_nowhere_else(who: dict[str, Stratum], design: Design) -> None:
    for name, place in assign(who, {}, design).items():
        if who[name].site in design.held_out_sites:
            assert place == Placed(TEST)
        else:
            assert place in design.places


@given(subjects, designs(), st.lists(st.integers(0, 120), max_size=4))
def test_who_was_placed_stays_when_a_release_grows_and_the_shares_still_hold(
    who: dict[str, Stratum], design: Design, sizes: list[int]
) -> None:
    names = list(who)
    before: dict[str, Placed] = {}
    for size in [*sorted(sizes), len(names)]:
        some = {name: who[name] for name in names[:size]}
        placed = assign(some, before, design)
        assert {name: placed[name] for name in before} == before
        assert off_by_a_subject_or_more(design, some, placed) == []
        before = placed


@given(subjects, designs(), st.data())
def test_subjects_that_left_and_labels_that_changed_move_nobody(
    who: dict[str, Stratum], design: Design, data: st.DataObject
) -> None:
    before = assign(who, {}, design)
    gone = data.draw(st.sets(st.sampled_from(sorted(who)))) if who else set()
    other = {name: Stratum(one.site, ("seen later",)) for name, one in who.items() if name not in gone}
    assert assign(other, before, design) == {name: before[name] for name in other}
    new = {f"new {number}": Stratum("lund") for number in range(7)}
    grown = assign(other | new, before, design)
    assert set(grown) == set(other | new)
    assert {name: grown[name] for name in other} == {name: before[name] for name in other}


@given(subjects, designs(), st.randoms(use_true_random=False))
def test_the_order_of_subjects_means_nothing(who: dict[str, Stratum], design: Design, chance: Any) -> None:
    names = list(who)
    chance.shuffle(names)
    assert assign({name: who[name] for name in names}, {}, design) == assign(who, {}, design)


@given(st.sets(seeds, min_size=2, max_size=2))
def test_another_seed_gives_other_parts(two: set[str]) -> None:
    who = {f"N-{number}": Stratum("lund") for number in range(200)}
    first, second = (assign(who, {}, Design(seed=seed)) for seed in two)
    assert first != second
    assert Counter(first.values()) == Counter(second.values())


def test_the_parts_of_a_seed_are_the_same_for_ever() -> None:
    """Fixed here, as a release of next year must place its subjects like that of today."""
    who = {f"N-{number:02d}": Stratum("lund" if number % 2 else "turku") for number in range(20)}
    placed = assign(who, {}, Design(seed="respond"))
    assert sorted(name for name, place in placed.items() if place.part == TEST) == ["N-06", "N-14", "N-17"]
    assert sorted(n for n, place in placed.items() if place.part == VALIDATION) == ["N-09", "N-10", "N-19"]


def test_many_small_strata_together_have_the_shares_of_the_whole() -> None:
    """A stratum of one goes whole to some part; if all went to the largest, nothing would be tested."""
    who = {f"N-{number}": Stratum(f"site {number}") for number in range(200)}
    counts = Counter(place.part for place in assign(who, {}, Design()).values())
    assert counts == {TRAIN: 140, VALIDATION: 30, TEST: 30}


def test_folds_have_a_test_of_their_own_that_no_fold_holds() -> None:
    who = {f"N-{number}": Stratum("lund") for number in range(100)}
    design = Design(kind="folds", train=0, validation=0, test=20, folds=5)
    counts = Counter(assign(who, {}, design).values())
    assert counts == {Placed(TEST): 20} | {Placed(TRAIN, fold): 16 for fold in range(5)}


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"kind": "thirds"}, "not 'thirds'"),
        ({"train": 80}, "make 110 percent together"),
        ({"train": 110, "validation": -10, "test": 0}, "between 0 and 100"),
        ({"train": 70.5, "validation": 14.5}, "whole numbers"),
        ({"train": True}, "whole numbers"),
        ({"folds": 5}, "choose one or the other"),
        ({"kind": "folds", "folds": 5}, "train and validation have no share"),
        ({"kind": "folds", "train": 0, "validation": 0, "folds": 1}, "between 2 and 20"),
        ({"kind": "folds", "train": 0, "validation": 0, "test": 100, "folds": 2}, "nothing for the folds"),
        ({"stratify": ["age"]}, "not by 'age'"),
        ({"stratify": "site"}, "stratify is a list of texts"),
        ({"held_out_sites": [3]}, "held_out_sites is a list of texts"),
        ({"seed": ""}, "between 1 and 100 characters"),
        ({"seed": 3}, "seed is a text"),
        ({"sites": []}, "no field 'sites'"),
        ([], "an object"),
    ],
)
def test_a_design_that_cannot_be_carried_out_says_why(fields: Any, says: str) -> None:
    with pytest.raises(SplitError, match=says):
        from_json(fields)


@given(designs())
def test_a_design_comes_back_from_json(design: Design) -> None:
    assert from_json(as_json(design)) == design


def test_the_order_of_strata_and_sites_makes_no_other_design() -> None:
    one = Design(stratify=("site", "label"), held_out_sites=("b", "a"))
    other = Design(stratify=("label", "site"), held_out_sites=("a", "b", "a"))
    assert as_json(one) == as_json(other)


def test_strata_with_long_names_keep_apart() -> None:
    long = [f"{'x' * 60}{number}" for number in range(5)]
    labels = [(*long, end) for end in ("z1", "z2")]
    first, second = (Design().stratum_of(Stratum("lund", one)) for one in labels)
    assert len(first) == len(second) == STRATUM_LENGTH_MAX
    assert first != second
