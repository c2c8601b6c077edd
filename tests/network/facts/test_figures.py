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
