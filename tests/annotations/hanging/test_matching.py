"""Which protocol a case opens with, and which series lands in which pane."""

import pytest

from annotations.reading.hanging import (
    BUILT_IN,
    EARLIEST,
    LAST,
    CaseImages,
    Hung,
    Protocol,
    Rules,
    Shown,
    Wanted,
    hang,
    hung_by,
)
from annotations.reading.hanging.matching import contains

FOUR_VIEWS = [("R", "CC"), ("L", "CC"), ("R", "MLO"), ("L", "MLO")]


def shown(name: str, modality: str = "CT", time_point: int = 0, frames: int = 100, **more) -> Shown:
    facts = {"description": name, "body_part": "CHEST", "number": 1} | more
    return Shown(id=name, time_point=time_point, modality=modality, frames=frames, **facts)


def case(*series: Shown) -> CaseImages:
    time_points = 1 + max(one.time_point for one in series)
    return CaseImages(series, time_points, " ".join(one.description for one in series if not one.time_point))


def opened(*series: Shown) -> Hung:
    return hung_by(BUILT_IN, case(*series))[0]


def ids(hung: Hung | None) -> list[str | None]:
    assert hung is not None
    return [place.series.id if place.series else None for place in hung.places]


def protocol(*panes: Wanted, rows: int = 1, **rules) -> Protocol:
    return Protocol("own", "Own", Rules(**rules), rows, len(panes) // rows, panes)


# Built in ---------------------------------------------------------------------------------------


def test_a_single_study_opens_its_largest_series_alone():
    hung = opened(shown("scout", frames=2), shown("lung", frames=300), shown("soft", frames=120))
    assert (hung.protocol.id, ids(hung)) == ("one", ["lung"])


def test_a_case_with_a_prior_opens_both_linked_and_the_prior_is_the_likest_series():
    hung = opened(
        shown("lung thin", frames=300, plane="axial"),
        shown("soft", frames=120, plane="axial"),
        shown("soft", time_point=1, frames=600, plane="axial"),
        shown("lung thin", time_point=1, frames=280, plane="axial"),
    )
    assert (hung.protocol.id, hung.protocol.link) == ("prior", True)
    assert [
        place.series and (place.series.description, place.series.time_point) for place in hung.places
    ] == [
        ("lung thin", 0),
        ("lung thin", 1),
    ]


def test_four_views_of_a_mammography_hang_right_beside_left():
    mammograms = [
        shown(f"{side}{view}", "MG", frames=1, sides=((side, view),)) for side, view in reversed(FOUR_VIEWS)
    ]
    hung = opened(*mammograms)
    assert (hung.protocol.id, hung.protocol.rows, hung.protocol.columns) == ("mammography", 2, 2)
    assert ids(hung) == ["RCC", "LCC", "RMLO", "LMLO"]


def test_four_views_in_one_series_hang_by_their_frames():
    hung = opened(shown("all", "MG", frames=4, sides=tuple(reversed(FOUR_VIEWS))))
    assert hung.protocol.id == "mammography"
    assert [place.frame for place in hung.places] == [3, 2, 1, 0]


@pytest.mark.parametrize(
    ("sides", "name"),
    [
        (FOUR_VIEWS[2:], "mammography-mlo"),
        (FOUR_VIEWS[:2], "mammography-cc"),
        (FOUR_VIEWS[::2], "mammography-right"),
        (FOUR_VIEWS[1::2], "mammography-left"),
        (FOUR_VIEWS[:1], "one"),
    ],
)
def test_a_mammography_of_fewer_views_hangs_what_there_is(sides, name):
    hung = opened(*(shown("".join(side), "MG", frames=1, sides=(side,)) for side in sides))
    assert hung.protocol.id == name


def test_pet_and_ct_hang_beside_each_other_and_fused():
    hung = opened(
        shown("CT WB", frames=260, frame_of_reference="1"),
        shown("PET NAC", "PT", frames=400, frame_of_reference="1"),
        shown("PET AC", "PT", frames=260, frame_of_reference="1"),
        shown("T1", "MR"),
    )
    assert hung.protocol.id == "pet-ct"
    assert ids(hung) == ["CT WB", "PET AC", "CT WB"]
    assert [place.fused and place.fused.id for place in hung.places] == [None, None, "PET AC"]
    assert [place.wanted.preset for place in hung.places] == ["ct-soft", "pt-suv-5", "ct-soft"]


def test_pet_on_another_frame_of_reference_is_laid_over_only_where_there_is_no_better():
    ct = shown("CT", frame_of_reference="1")
    here = shown("PET a", "PT", frames=10, frame_of_reference="1")
    there = shown("PET b", "PT", frames=400, frame_of_reference="2")
    assert opened(ct, there, here).places[2].fused is here


def test_phases_of_a_dynamic_series_hang_beside_each_other_at_the_same_place():
    hung = opened(shown("Dynamic", "MR", frames=40, phases=((0, 10), (10, 10), (20, 10), (30, 10))))
    assert hung.protocol.id == "phases"
    assert ids(hung) == ["Dynamic"] * 3
    assert [place.frame for place in hung.places] == [4, 14, 34]


def test_two_phases_are_too_few_to_hang_three():
    assert opened(shown("Dynamic", "MR", phases=((0, 10), (10, 10)))).protocol.id == "one"


def test_a_case_without_images_hangs_nothing():
    assert hung_by(BUILT_IN, CaseImages((), 1, "")) == []


def test_all_that_are_for_a_case_can_be_chosen_the_first_one_first():
    found = hung_by(BUILT_IN, case(shown("a"), shown("pet", "PT"), shown("b", time_point=1)))
    assert [one.protocol.id for one in found] == ["pet-ct", "prior", "one"]


# Rules ------------------------------------------------------------------------------------------

CHEST = (
    shown("CT Thorax native", frames=100),
    shown("CT Thorax contrast", frames=90),
    shown("old", time_point=1),
)


@pytest.mark.parametrize(
    ("rules", "is_met"),
    [
        ({}, True),
        ({"modalities": ("CT",)}, True),
        ({"modalities": ("CT", "PT")}, False),
        ({"body_part": "chest"}, True),
        ({"body_part": "ABDOMEN"}, False),
        ({"words": "thorax"}, True),
        ({"words": "abdomen, thorax contrast"}, True),
        ({"words": "old"}, False),
        ({"words": "-native"}, False),
        ({"priors_min": 1}, True),
        ({"priors_min": 2}, False),
        ({"priors_max": 0}, False),
        ({"priors_min": 1, "priors_max": 1}, True),
        ({"laterality": "L"}, False),
    ],
)
def test_all_rules_that_are_given_must_hold(rules, is_met):
    assert (hang(protocol(Wanted(), **rules), case(*CHEST)) is not None) is is_met


def test_side_and_view_of_a_rule_are_those_of_one_image():
    images = case(*(shown("".join(side), "MG", sides=(side,)) for side in [("R", "CC"), ("L", "MLO")]))
    assert hang(protocol(Wanted(), laterality="R", view="CC"), images)
    assert not hang(protocol(Wanted(), laterality="R", view="MLO"), images)


def test_a_protocol_that_must_be_complete_is_passed_over_where_an_image_is_missing():
    panes = (Wanted(modality="CT"), Wanted(modality="MR"))
    assert ids(hang(protocol(*panes), case(*CHEST))) == ["CT Thorax native", None]
    assert hang(protocol(*panes, complete=True), case(*CHEST)) is None


def test_a_protocol_that_finds_no_image_at_all_is_passed_over():
    assert hang(protocol(Wanted(modality="US")), case(*CHEST)) is None


# Panes ------------------------------------------------------------------------------------------


def test_two_panes_that_ask_for_the_same_show_two_series():
    assert ids(hang(protocol(Wanted(), Wanted()), case(*CHEST))) == [
        "CT Thorax native",
        "CT Thorax contrast",
    ]


def test_cuts_of_a_series_share_it():
    panes = [Wanted(cut=cut) for cut in ("", "sagittal", "coronal")]
    assert ids(hang(protocol(*panes), case(*CHEST))) == ["CT Thorax native"] * 3


def test_words_and_planes_choose_a_series():
    images = case(
        shown("T1 post", "MR", frames=90, plane="axial"),
        shown("T1 post", "MR", frames=20, plane="sagittal", number=7),
        shown("T1", "MR", frames=200, plane="sagittal"),
    )
    [place] = hang(protocol(Wanted(words="t1 post", plane="sagittal")), images).places  # type: ignore[union-attr]
    assert getattr(place.series, "number", None) == 7


def test_time_points_count_back_from_the_newest_and_the_earliest_is_not_the_current_one():
    images = case(*(shown(f"scan {at}", time_point=at) for at in range(4)))
    panes = [Wanted(study=at) for at in (0, 1, 2, EARLIEST)]
    assert ids(hang(protocol(*panes), images)) == ["scan 0", "scan 1", "scan 2", "scan 3"]
    assert ids(hang(protocol(Wanted(), Wanted(study=EARLIEST)), case(shown("only")))) == ["only", None]


def test_the_last_phase_is_the_last():
    images = case(shown("d", "MR", phases=((0, 4), (4, 4), (8, 5))))
    assert hang(protocol(Wanted(phase=LAST)), images).places[0].frame == 10  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("words", "text", "has"),
    [
        ("", "anything", True),
        (" , ", "anything", True),
        ("T1 POST", "Ax t1 fs post", True),
        ("t1 post", "t1 pre", False),
        ("dyn, dce", "DCE perfusion", True),
        ("t1 -post", "t1 post", False),
        ("t1 −post", "t1 post", False),
        ("-", "a - b", True),
    ],
)
def test_words_between_commas_are_choices_and_a_minus_excludes(words, text, has):
    assert contains(words, text) is has
