"""The figures of a dataset: what they name, and what can't be had by subtracting one from another."""

from typing import Any

from network.disclosure import Policy
from network.figures import of_version
from tests.network.facts.world import Person, in_columns

POLICY = Policy(10)


def someone(at: int, **more: Any) -> Person:
    """A woman of 61 with one CT, unless `more` says otherwise."""
    series = {
        "modality": more.get("modality", "CT"),
        "body_part": "CHEST",
        "manufacturer": "Acme",
        "images": 9,
        "plane": None,
        "phases": None,
        "finding": more.get("finding", []),
    }
    studies = [
        {"position": n + 1, "days_since_first": 30 * n, "series": [series]}
        for n in range(more.get("studies", 1))
    ]
    results = [{"is_reference": True, "marks": [], "labels": more["labels"]}] if "labels" in more else []
    return Person(
        more.get("sex", "F"), more.get("age", 61), studies, [], results, more.get("agreement", []), f"p{at}"
    )


def figures(*groups: tuple[int, dict[str, Any]]) -> dict[str, Any]:
    """Of so many subjects each."""
    people: list[Person] = []
    for number, more in groups:
        people += [someone(len(people) + at, **more) for at in range(number)]
    return of_version(in_columns(people), POLICY, {})


def label(key: str) -> dict[str, Any]:
    return {"key": key, "code": "SCT:1", "state": "present", "lesions": 1, "longest_mm": 9, "volume_ml": 1}


# What is named -----------------------------------------------------------------------------------


def test_what_a_few_have_been_found_to_have_is_not_named() -> None:
    told = figures(
        (30, {"labels": [label("tumour")], "finding": ["lossy"]}),
        (3, {"labels": [label("node")], "finding": ["gantry_tilt"]}),
        (30, {}),
    )
    assert list(told["facets"]["label"]) == ["Tumour"]
    assert list(told["quality"]) == ["lossy"]


def test_scanners_of_a_few_are_named_only_in_a_dataset_with_a_number() -> None:
    assert figures((30, {}), (3, {"modality": "MR"}))["facets"]["modality"]["MR"] is None
    small = figures((5, {}), (3, {"modality": "MR"}))
    assert small["subjects"] is None
    assert not any(small["facets"].values())


# What can be subtracted --------------------------------------------------------------------------


def test_a_few_of_unknown_sex_or_age_are_not_what_is_left_of_all() -> None:
    told = figures((60, {}), (30, {"sex": "M", "age": 45}), (4, {"sex": "", "age": None}))["facets"]
    assert list(told["sex"]) == ["F"]
    assert list(told["age"]) == ["60-69"]


def test_two_sexes_are_told_where_all_are_known() -> None:
    assert list(figures((60, {}), (30, {"sex": "M"}))["facets"]["sex"]) == ["F", "M"]


def test_values_that_nobody_has_two_of_are_not_subtracted_either() -> None:
    told = figures((60, {}), (30, {"modality": "MR"}), (4, {"modality": "PT"}))["facets"]["modality"]
    assert told["CT"] is not None
    assert (told["MR"], told["PT"]) == (None, None)


def test_those_followed_less_those_with_so_many_time_points_are_never_a_few() -> None:
    """Two and three time points are told, four are of a few: so how many have two or more is not told."""
    told = figures((40, {}), (30, {"studies": 2}), (4, {"studies": 3}))
    assert told["facets"]["time_points"].get("2") is None or told["followed"] is None
    told = figures((14, {}), (40, {"studies": 2}), (30, {"studies": 3}), (4, {"studies": 4}))
    assert list(told["facets"]["time_points"]) == ["2", "3"]
    assert told["followed"] is None
    told = figures((40, {}), (50, {"studies": 2}), (30, {"studies": 3}))
    assert list(told["facets"]["time_points"]) == ["1", "2"]
    assert told["followed"] is not None, "thirty are left, and that is no secret"


def test_agreement_of_all_but_a_few_is_of_all() -> None:
    measured = {"dice": 0.9, "surface_dice": None, "hd95_mm": None, "unmatched": 0, "disagrees": False}
    for measured_of in range(30, 42, 3):
        told = figures((measured_of, {"agreement": [measured]}), (3, {}))
        assert told["agreement"]["dice"]["n"] == told["subjects"]
        assert told["agreement"]["hd95_mm"]["n"] is None
