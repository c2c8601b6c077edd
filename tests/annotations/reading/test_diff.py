"""What changed since a round: voxels, fields and answers, for whoever may see the marks."""

import base64
import uuid

import numpy as np
import pytest

from annotations.measures import masks
from annotations.models import LabelSchema, Read
from annotations.reading.journal.answers import answer_id
from tests.annotations.reading.conftest import COLUMNS, ROWS, edit, plane_value

SQUARE = [(row, column) for row in range(10, 14) for column in range(10, 14)]
MOVED = [(row, column) for row in range(11, 15) for column in range(10, 14)]


def returned(cast, read=None):
    """Handed in once and returned: round 2 begins."""
    cast.submit(read)
    sent = {"verdict": "return", "round": 1, "text": "Look again."}
    assert cast.post("review/", sent, who="reviewer", read=read).status_code == 200


def diff(cast, who="anna", query="", **options):
    answer = cast.get(f"diff/{query}", who=who, **options)
    assert answer.status_code == 200, answer.content
    return answer.json()


def segment(cast, voxels=SQUARE, mark=None):
    mark = mark or uuid.uuid4()
    cast.apply([edit(cast.segment(), mark), edit(plane_value(voxels), mark, sop=cast.sop(2))])
    return mark


def voxels_of(runs):
    plane = masks.decode(base64.b64decode(runs), ROWS, COLUMNS)
    return {(int(row), int(column)) for row, column in np.argwhere(plane)}


def test_nothing_changed_is_said_in_so_many_words(cast):
    segment(cast)
    returned(cast)
    found = diff(cast)
    assert (found["from"]["round"], found["number"], found["unchanged"]) == (1, 2, 1)
    assert (found["marks"], found["answers"]) == ([], [])


def test_voxels_that_came_and_went_are_told_by_slice(cast):
    mark = segment(cast)
    returned(cast)
    cast.apply([edit(plane_value(MOVED), mark, sop=cast.sop(2), seen=1)])
    cast.apply([edit(plane_value([(5, 5)]), mark, sop=cast.sop(3))])
    [change] = diff(cast)["marks"]
    assert (change["annotation"], change["what"], change["changed"]) == (str(mark), "changed", [])
    assert change["voxels"] == {"added": 5, "removed": 4, "kept": 12}
    by_slice = {plane["sop"]: plane for plane in change["planes"]}
    assert voxels_of(by_slice[cast.sop(2)]["added"]) == set(MOVED) - set(SQUARE)
    assert voxels_of(by_slice[cast.sop(2)]["removed"]) == set(SQUARE) - set(MOVED)
    assert voxels_of(by_slice[cast.sop(3)]["added"]) == {(5, 5)}
    assert by_slice[cast.sop(3)]["removed"] is None
    voxel_ml = 0.5 * 0.8 * 2.5 / 1000
    before, after = change["numbers"]["before"], change["numbers"]["after"]
    assert before["volume_ml"] == pytest.approx(16 * voxel_ml)
    assert after["volume_ml"] == pytest.approx(17 * voxel_ml)


def test_a_slice_that_was_emptied_is_all_removed(cast):
    mark = segment(cast)
    returned(cast)
    cast.apply([edit(None, mark, sop=cast.sop(2), seen=1)])
    [change] = diff(cast)["marks"]
    assert change["voxels"] == {"added": 0, "removed": 16, "kept": 0}
    assert voxels_of(change["planes"][0]["removed"]) == set(SQUARE)


def test_a_mark_that_was_moved_tells_its_millimetres_before_and_after(cast):
    mark = uuid.uuid4()
    cast.apply([edit(cast.length(), mark)])
    returned(cast)
    cast.apply([edit(cast.length(end=(14.0, 0.0, 0.0), note="spicule"), mark, seen=1)])
    [change] = diff(cast)["marks"]
    assert sorted(change["changed"]) == ["note", "place"]
    assert change["numbers"]["before"]["length_mm"] == pytest.approx(10)
    assert change["numbers"]["after"]["length_mm"] == pytest.approx(14)
    assert (change["before"]["note"], change["after"]["note"]) == ("", "spicule")


def test_marks_that_were_added_or_removed_are_told_as_such(cast):
    old, new = uuid.uuid4(), uuid.uuid4()
    cast.apply([edit(cast.length(), old)])
    returned(cast)
    cast.apply([edit(None, old, seen=1), edit(cast.length(label="node"), new)])
    found = {change["annotation"]: change for change in diff(cast)["marks"]}
    assert {key: change["what"] for key, change in found.items()} == {str(new): "added", str(old): "removed"}
    assert found[str(old)]["after"] is None
    assert found[str(new)]["before"] is None
    assert found[str(old)]["numbers"]["before"]["length_mm"] == pytest.approx(10)
    assert found[str(old)]["numbers"]["after"] == {}


def test_what_was_undone_again_is_no_change(cast):
    mark = segment(cast)
    returned(cast)
    cast.apply([edit(plane_value(MOVED), mark, sop=cast.sop(2), seen=1)])
    cast.apply([edit(plane_value(SQUARE), mark, sop=cast.sop(2), seen=2)])
    assert diff(cast)["marks"] == []


QUESTIONS = [
    {
        "key": "margin", "text": "Margin", "of": "annotation", "only": [], "type": "choice",
        "options": [
            {"key": "smooth", "name": "Smooth", "code": None},
            {"key": "rough", "name": "Rough", "code": None},
        ],
        "unit": "", "least": None, "most": None, "required": False, "when": None,
    },
    {
        "key": "remark", "text": "Remark", "of": "case", "only": [], "type": "text", "options": [],
        "unit": "", "least": None, "most": None, "required": False, "when": None,
    },
]  # fmt: skip


def answer(question, of, about, value, seen=0):
    said = {"answer": question, "of": of, "id": about, "value": value}
    return edit(said, answer_id(answer=question, of=of, about=about), seen=seen)


def test_answers_before_and_after_stand_beside_their_mark_or_by_themselves(cast):
    LabelSchema.objects.filter(pk=cast.schema.pk).update(questions=QUESTIONS)
    mark = uuid.uuid4()
    cast.apply([edit(cast.length(), mark), answer("margin", "annotation", str(mark), "smooth")])
    returned(cast)
    cast.apply(
        [answer("margin", "annotation", str(mark), "rough", seen=1), answer("remark", "case", "", "New.")]
    )
    found = diff(cast)
    [change] = found["marks"]
    assert (change["what"], change["changed"], change["voxels"]["added"]) == ("changed", [], 0)
    assert change["answers"] == [
        {"answer": "margin", "of": "annotation", "id": str(mark), "before": "smooth", "after": "rough"}
    ]
    assert found["answers"] == [{"answer": "remark", "of": "case", "id": "", "before": None, "after": "New."}]
    assert found["unchanged"] == 0


# Which rounds, and for whom ---------------------------------------------------------------------


def test_reviewers_compare_what_was_handed_in_and_never_work_under_way(cast):
    mark = segment(cast)
    returned(cast)
    cast.apply([edit(plane_value(MOVED), mark, sop=cast.sop(2), seen=1)])
    assert cast.get("diff/", who="reviewer").status_code == 409
    cast.submit()
    found = diff(cast, who="reviewer")
    assert (found["from"]["round"], found["number"]) == (1, 3)
    assert found["marks"][0]["voxels"] == {"added": 4, "removed": 4, "kept": 12}
    assert diff(cast) == found


def test_any_earlier_round_can_be_compared_with(cast):
    mark = segment(cast)
    returned(cast)
    cast.apply([edit(plane_value(MOVED), mark, sop=cast.sop(2), seen=1)])
    cast.submit()
    cast.post("review/", {"verdict": "return", "round": 2, "text": "More."}, who="reviewer")
    cast.apply([edit(plane_value([*MOVED, (20, 20)]), mark, sop=cast.sop(2), seen=2)])
    assert [one["round"] for one in diff(cast)["rounds"]] == [1, 2]
    assert diff(cast)["marks"][0]["voxels"] == {"added": 1, "removed": 0, "kept": 16}
    assert diff(cast, query="?from=1")["marks"][0]["voxels"] == {"added": 5, "removed": 4, "kept": 12}
    for query in ("?from=3", "?from=0", "?from=x", "?from="):
        assert cast.get(f"diff/{query}").status_code == 400


def test_a_first_round_has_nothing_before_it(cast):
    assert cast.get("diff/").status_code == 409
    cast.submit()
    assert cast.get("diff/").status_code == 409
    assert cast.get("diff/", who="reviewer").status_code == 409


def test_another_reader_learns_nothing(cast):
    segment(cast)
    returned(cast)
    for who, status in (("ben", 404), ("scientist", 403), ("outsider", 404), ("nobody", 401)):
        assert cast.get("diff/", who=who).status_code == status
    Read.objects.create(case=cast.case, reader=cast.lead, schema=cast.schema)
    assert cast.get("diff/", who="lead").status_code == 404


def test_it_costs_the_same_queries_however_many_marks(cast, django_assert_max_num_queries):
    marks = [segment(cast) for _ in range(6)]
    returned(cast)
    for mark in marks:
        cast.apply([edit(plane_value(MOVED), mark, sop=cast.sop(2), seen=1)])
    diff(cast)
    with django_assert_max_num_queries(16):
        assert len(diff(cast)["marks"]) == 6
