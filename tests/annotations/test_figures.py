"""Numbers of drawn figures against closed forms that the viewer's tests read, too; and what is no figure."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from annotations.measures.figures import POINTS_LEAST_AND_MOST, check_figure
from annotations.measures.geometry import GeometryError
from annotations.reading import measurements, schemas
from annotations.reading.frames import Frames, Grid
from annotations.reading.journal import Mark
from annotations.reading.journal.values import KINDS

CASES = json.loads((Path(__file__).parent / "measures" / "cases.json").read_text())["cases"]
SOP = "1.2.3"


def measured(case: dict[str, Any]) -> dict[str, float]:
    spacing = case["spacing"]
    in_patient = "points_patient_mm" in case
    grid = Grid(
        rows=512,
        columns=512,
        row_mm=spacing["row_mm"],
        column_mm=spacing["column_mm"],
        spacing_source=spacing["source"],
        orientation=tuple(case["orientation"]) if in_patient else None,
        origin_patient_mm=(0.0, 0.0, 0.0) if in_patient else None,
    )
    frames = Frames(in_patient, {(SOP, 1): grid}, frozenset(), (range(1),))
    points = {key: case[key] for key in ("points_patient_mm", "points_image") if key in case}
    value = {"kind": case["kind"], "label": "lesion", "series": "series", "sop": SOP, "frame": 1, **points}
    return measurements.measured(Mark(uuid4(), 1, value), frames, []).numbers


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_figure_measures_what_its_closed_form_says(case):
    found = measured(case)
    assert {name: found[name] for name in case["numbers"]} == pytest.approx(case["numbers"], rel=1e-4)


def test_every_kind_with_numbers_has_a_case():
    assert {case["kind"] for case in CASES} == set(POINTS_LEAST_AND_MOST) - {"point", "arrow"}


def test_labels_can_take_every_kind_that_the_journal_knows():
    assert set(schemas.KINDS) == set(KINDS)


@pytest.mark.parametrize(
    ("kind", "points"),
    [
        ("rectangle", [[0, 0], [10, 0], [12, 5], [2, 5]]),  # leans
        ("rectangle", [[0, 0], [10, 5], [10, 0], [0, 5]]),  # crosses itself
        ("rectangle", [[0, 0], [0, 0], [5, 5], [5, 5]]),  # has no width
        ("rectangle", [[0, 0], [10, 0], [10, 5], [5, 5]]),  # sides that differ
        ("box", [[0, 0, 0], [10, 0, 0], [0, 10, 0], [0, 0, 0]]),  # has no depth
        ("box", [[0, 0, 0], [10, 0, 0], [5, 10, 0], [0, 0, 5]]),  # leans
    ],
)
def test_what_is_no_rectangle_and_no_box_is_refused(kind, points):
    with pytest.raises(GeometryError):
        check_figure(kind, points)


def test_an_angle_without_an_arm_says_so():
    case = {
        "kind": "angle",
        "spacing": {"row_mm": 1.0, "column_mm": 1.0, "source": "pixel"},
        "points_image": [[5, 5], [5, 5], [9, 5]],
    }
    assert measured(case) == {}
