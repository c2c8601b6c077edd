"""Every kind of figure on its way into the journal: on an image, on a cut through the images, and hostile."""

import pytest

from annotations.measures.figures import POINTS_LEAST_AND_MOST
from annotations.models import Annotation
from tests.annotations.reading.conftest import edit

SQUARE = [[0.0, 0.0, 0.0], [10.0, 0.0, 0.0], [10.0, 5.0, 0.0], [0.0, 5.0, 0.0]]
BOX = [[0.0, 0.0, 0.0], [10.0, 0.0, 0.0], [0.0, 5.0, 0.0], [0.0, 0.0, 7.5]]
SAGITTAL = {"origin": [3.0, 0.0, 0.0], "row": [0.0, 1.0, 0.0], "column": [0.0, 0.0, -1.0]}
ON_CUT = [[3.0, 1.0, -2.0], [3.0, 4.0, 2.0]]


@pytest.fixture(autouse=True)
def takes_every_kind(cast):
    kinds = ["segment", *POINTS_LEAST_AND_MOST]
    cast.schema.labels = [
        *cast.schema.labels,
        {"key": "any", "name": "Any", "color": "#ffffff", "kinds": kinds},
    ]
    cast.schema.save()


def figure(cast, kind, points, **more):
    return cast.length(kind=kind, label="any", points_patient_mm=points, **more)


def on_cut(cast, points=ON_CUT, plane=SAGITTAL, kind="length"):
    value = figure(cast, kind, points, plane=plane)
    del value["sop"], value["frame"]
    return value


def points_of(kind):
    least, _ = POINTS_LEAST_AND_MOST[kind]
    special = {"box": BOX, "rectangle": SQUARE}
    return special.get(kind) or [[float(3 * i), float(i * i), 0.0] for i in range(least)]


@pytest.mark.parametrize("kind", POINTS_LEAST_AND_MOST)
def test_every_kind_is_kept_as_it_was_drawn_and_measured(cast, kind):
    value = figure(cast, kind, points_of(kind))
    [result] = cast.apply([edit(value)])
    assert result["version"] == 1
    assert Annotation.objects.get(read=cast.read).value == value
    [measured] = cast.get("measurements/").json()
    assert measured["problem"] is None
    numbers = set(measured) - {"annotation", "kind", "label", "series", "estimated", "problem"}
    assert bool(numbers) == (kind not in ("point", "arrow"))


@pytest.mark.parametrize("kind", POINTS_LEAST_AND_MOST)
def test_too_few_and_too_many_points_are_refused(cast, kind):
    least, most = POINTS_LEAST_AND_MOST[kind]
    for count in {least - 1, most + 1}:
        points = [[float(i), float(i * i % 7), 0.0] for i in range(count)]
        [result] = cast.send([edit(figure(cast, kind, points))]).json()["results"]
        assert result["status"] == "refused"
        assert "points" in result["reason"]


def test_a_mark_on_a_cut_needs_no_image_and_is_measured(cast):
    cast.apply([edit(on_cut(cast))])
    [measured] = cast.get("measurements/").json()
    assert measured["length_mm"] == pytest.approx(5.0)


def _hostile(cast):
    yield "right angles", figure(cast, "rectangle", [*SQUARE[:3], [2.0, 5.0, 0.0]])
    yield "right angles", figure(cast, "box", [*BOX[:3], [5.0, 0.0, 7.5]])
    yield "a width, a height", figure(cast, "box", [*BOX[:3], BOX[0]])
    yield (
        "position in the patient",
        figure(cast, "box", None, points_image=[[1, 1]] * 4)
        | {
            "series": cast.us.public_id,
            "sop": cast.sop(0, cast.us),
        },
    )
    yield "true or false", figure(cast, "point", [[0.0, 0.0, 0.0]], locked="yes")
    yield "has no `sop`", figure(cast, "length", ON_CUT, plane=SAGITTAL)
    yield "don't lie on the cut", on_cut(cast, [[3.0, 0.0, 0.0], [3.5, 4.0, 0.0]])
    yield "right angle to each other", on_cut(cast, plane={**SAGITTAL, "row": [0.0, 2.0, 0.0]})
    yield "right angle to each other", on_cut(cast, plane={**SAGITTAL, "row": SAGITTAL["column"]})
    yield "3 numbers each", on_cut(cast, plane={**SAGITTAL, "origin": [0.0, 0.0, True]})
    yield "3 numbers each", on_cut(cast, plane={**SAGITTAL, "origin": [1e9, 0.0, 0.0]})
    yield "has an `origin`", on_cut(cast, plane={**SAGITTAL, "name": "somebody"})
    yield "has an `origin`", on_cut(cast, plane="sagittal")
    yield "nothing can be cut", on_cut(cast) | {"series": cast.us.public_id}
    yield "not in the case", on_cut(cast) | {"series": cast.other_series.public_id}


def test_hostile_figures_and_cuts_are_refused_with_a_reason(cast):
    for reason, value in _hostile(cast):
        [result] = cast.send([edit(value)]).json()["results"]
        assert (result["status"], reason in result["reason"]) == ("refused", True), (reason, result)
    assert not Annotation.objects.filter(read=cast.read).exists()


def test_a_mark_can_be_locked_and_unlocked(cast):
    value = figure(cast, "point", [[0.0, 0.0, 0.0]], locked=True)
    sent = edit(value)
    cast.apply([sent])
    annotation = sent["object"]["annotation"]
    cast.apply([edit({**value, "locked": False}, annotation, seen=1)])
    assert Annotation.objects.get(read=cast.read).value["locked"] is False
