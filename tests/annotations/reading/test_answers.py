"""Answers: to the questions of a schema, about labels, about proposals; and what a read still owes."""

import json
import uuid
from copy import deepcopy
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from annotations.models import Annotation
from annotations.reading import schemas
from annotations.reading.answers import Owed, Things, owed
from annotations.reading.journal.answers import answer_id

from .conftest import LABELS, edit, plane_value

CASES = json.loads((Path(__file__).parent / "missing_cases.json").read_text())
NOW = "2026-11-22T10:00:00Z"


def choice(*names, **more):
    return {"type": "choice", "options": [{"name": name} for name in names]} | more


QUESTIONS = [
    {"text": "Contrast given", "of": "case"} | choice("Yes", "No"),
    {"text": "Image quality", "of": "series", "only": ["CT"]} | choice("Good", "Poor"),
    {"text": "Days since surgery", "of": "study", "type": "number", "unit": "d", "least": 0, "most": 400},
    {"text": "Margin", "of": "annotation", "only": ["tumour"]}
    | choice("Smooth", "Spiculated", type="choices"),
    {"text": "First seen", "of": "annotation", "type": "date"},
    {"text": "Remark", "of": "case", "type": "text", "when": {"question": "contrast_given", "is": ["No"]}},
]


@pytest.fixture
def asked(cast):
    """The cast, whose reads answer the questions above."""
    known, _ = schemas.write_schema(
        by=cast.lead, project=cast.project, labels=cast.schema.labels, seen_version=1, questions=QUESTIONS[:1]
    )
    questions = [*known.questions, *deepcopy(QUESTIONS[1:])]
    schema, moved = schemas.write_schema(
        by=cast.lead, project=cast.project, labels=known.labels, seen_version=2, questions=questions
    )
    assert (schema.version, moved) == (3, 2)
    cast.read.refresh_from_db()
    return cast


def answer(value, *, of="case", about="", key="contrast_given", seen=0, **more):
    body = {"answer": key, "of": of, "id": str(about), "value": value} | more
    return edit(body, answer_id(answer=key, of=of, about=str(about)), seen=seen)


def refused(cast, *edits):
    [*_, result] = cast.send(list(edits)).json()["results"]
    assert result["status"] == "refused", result
    return result["reason"]


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda case: case["name"])
def test_what_is_owed(case):
    things = Things(
        studies=CASES["studies"],
        series=[tuple(one) for one in CASES["series"]],
        marks=[tuple(one) for one in case["marks"]],
    )
    said = {(of, about, key): value for of, about, key, value in case["said"]}
    assert owed(CASES["labels"], CASES["questions"], things, said) == [Owed(*one) for one in case["owed"]]


def test_answers_are_saved_beside_the_marks_and_changed_like_them(asked):
    mark = uuid.uuid4()
    asked.apply(
        [
            edit(asked.length(), mark),
            answer("yes"),
            answer("good", of="series", about=asked.ct.public_id, key="image_quality"),
            answer(12.5, of="study", about=asked.ct.study.public_id, key="days_since_surgery"),
            answer(["smooth", "spiculated"], of="annotation", about=mark, key="margin"),
            answer("2024-02-29", of="annotation", about=mark, key="first_seen"),
            answer("absent", of="label", about="node", key="state"),
        ]
    )
    asked.apply([answer("no", seen=1)])
    found = asked.get("state/").json()
    assert [one["value"]["kind"] for one in found["annotations"]] == ["length"]
    said = {one["value"]["answer"]: one["value"]["value"] for one in found["answers"]}
    assert said == {
        "contrast_given": "no",
        "image_quality": "good",
        "days_since_surgery": 12.5,
        "margin": ["smooth", "spiculated"],
        "first_seen": "2024-02-29",
        "state": "absent",
    }
    assert asked.get("measurements/").json()[0]["kind"] == "length"


def test_an_answer_that_was_taken_back_can_be_given_again(asked):
    first = answer("yes")
    asked.apply([first])
    gone = answer("yes", seen=1) | {"value": None}
    asked.apply([gone])
    assert asked.get("state/").json()["answers"] == []
    asked.apply([answer("no", seen=2)])
    [kept] = asked.get("state/").json()["answers"]
    assert (kept["value"]["value"], kept["version"]) == ("no", 3)


def test_two_windows_that_answer_the_same_question_meet_in_a_conflict(asked):
    asked.apply([answer("yes")])
    [result] = asked.send([answer("no")]).json()["results"]
    assert (result["status"], result["current"]["value"]) == ("conflict", "yes")


def test_an_answer_at_another_id_than_its_questions_is_refused(asked):
    body = {"answer": "contrast_given", "of": "case", "id": "", "value": "yes"}
    assert "id that the answer" in refused(asked, edit(body))


@pytest.mark.parametrize(
    ("value", "options"),
    [
        ("maybe", {}),
        (["yes"], {}),
        (None, {}),
        ({"yes": 1}, {}),
        ("yes", {"key": "nothing"}),
        ("yes", {"key": "margin"}),
        ("yes", {"of": "study"}),
        ("yes", {"of": "everything"}),
        ("good", {"key": "image_quality", "of": "series", "about": "elsewhere"}),
        (-1, {"key": "days_since_surgery", "of": "study"}),
        (True, {"key": "days_since_surgery", "of": "study"}),
        ("12", {"key": "days_since_surgery", "of": "study"}),
        ([], {"key": "margin", "of": "annotation"}),
        (["smooth", "smooth"], {"key": "margin", "of": "annotation"}),
        ([["smooth"]], {"key": "margin", "of": "annotation"}),
        ("2024-02-30", {"key": "first_seen", "of": "annotation"}),
        ("20240229", {"key": "first_seen", "of": "annotation"}),
        ("", {"key": "remark"}),
        ("x" * 4001, {"key": "remark"}),
        ("perhaps", {"key": "state", "of": "label", "about": "node"}),
        ("absent", {"key": "state", "of": "label", "about": "nothing"}),
        ("absent", {"key": "state"}),
        ("accepted", {"key": "proposal", "of": "imported", "about": "nothing", "at": NOW}),
    ],
)
def test_what_is_no_answer_is_refused_with_a_sentence_and_kept_aside(asked, value, options):
    abouts = {"study": asked.ct.study.public_id, "annotation": uuid.uuid4()}
    about = options.get("about", abouts.get(options.get("of", "case"), ""))
    before = [edit(asked.length(), about)] if options.get("of") == "annotation" else []
    assert refused(asked, *before, answer(value, **(options | {"about": about}))).endswith(".")
    assert asked.get("state/").json()["answers"] == []


def test_answers_about_another_case_are_refused(asked):
    other = asked.other_series
    assert "not in this read" in refused(
        asked, answer("good", of="series", about=other.public_id, key="image_quality")
    )
    assert "not in this read" in refused(
        asked, answer(3, of="study", about=other.study.public_id, key="days_since_surgery")
    )
    assert "not in this read" in refused(
        asked, answer("2024-02-29", of="annotation", about=uuid.uuid4(), key="first_seen")
    )


def test_a_mark_never_becomes_an_answer_nor_an_answer_a_mark(asked):
    here = answer("yes")
    asked.apply([here])
    key = here["object"]["annotation"]
    assert "stays" in refused(asked, edit(asked.length(), key, seen=1))
    assert "isn't in this read" in refused(asked, edit(plane_value([(1, 1)]), key, sop=asked.sop()))
    assert Annotation.objects.get(annotation_id=key).value["value"] == "yes"


def test_answers_stay_with_a_deleted_mark_so_that_undo_brings_both_back(asked):
    mark = uuid.uuid4()
    asked.apply([edit(asked.length(), mark)])
    asked.apply([edit(None, mark, seen=1)])
    asked.apply([answer("2024-02-29", of="annotation", about=mark, key="first_seen")])


def test_nobody_sees_another_readers_answers(asked):
    asked.apply([answer("no"), answer("Allergic to iodine", key="remark")])
    for path in ("", "state/", "history/", "measurements/"):
        own = asked.get(path, who="ben", read=asked.bens_read)
        assert own.status_code == 200
        assert "Allergic" not in own.content.decode()
        assert asked.get(path, who="ben").status_code == 404


def test_submitting_asks_for_what_is_missing_and_names_it(asked):
    questions = deepcopy(asked.lead and schemas.current_schema(asked.project).questions)
    for question in questions:
        question["required"] = question["key"] in ("image_quality", "margin", "remark")
    labels = [label | {"required": label["key"] == "node"} for label in LABELS]
    schemas.write_schema(
        by=asked.lead, project=asked.project, labels=labels, seen_version=3, questions=questions
    )
    asked.read.refresh_from_db()
    mark = uuid.uuid4()
    asked.apply([edit(asked.length(), mark), answer("no")])
    refusal = asked.post("submit/", {"number": 2})
    assert refusal.status_code == 409
    told = refusal.json()["reason"]
    for words in ("Lymph node", "“Image quality”, series 1", "“Margin”, Tumour 1", "“Remark”"):
        assert words in told
    asked.apply(
        [
            answer("absent", of="label", about="node", key="state"),
            answer("poor", of="series", about=asked.ct.public_id, key="image_quality"),
            answer(["smooth"], of="annotation", about=mark, key="margin"),
            answer("none", key="remark"),
        ]
    )
    asked.submit()


def test_a_label_stated_absent_and_marked_present_is_not_handed_in(asked):
    mark = uuid.uuid4()
    asked.apply([edit(asked.length(), mark), answer("absent", of="label", about="tumour", key="state")])
    refusal = asked.post("submit/", {"number": 2})
    assert "Tumour (stated not there, yet marked as present)" in refusal.json()["reason"]


# The schema ---------------------------------------------------------------------------------------


def test_questions_get_keys_that_stay(asked):
    known = deepcopy(schemas.current_schema(asked.project).questions)
    assert [one["key"] for one in known][:3] == ["contrast_given", "image_quality", "days_since_surgery"]
    known[0]["text"] = "Contrast"
    schema, _ = schemas.write_schema(
        by=asked.lead, project=asked.project, labels=asked.schema.labels, seen_version=3, questions=known
    )
    assert (schema.version, schema.questions[0]["key"]) == (4, "contrast_given")
    same, moved = schemas.write_schema(
        by=asked.lead, project=asked.project, labels=asked.schema.labels, seen_version=4
    )
    assert (same, moved) == (schema, 0)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"text": ""}, "text"),
        ({"of": "patient"}, "of"),
        ({"type": "colour"}, "type"),
        ({"options": [{"name": "Only one"}]}, "options"),
        ({"options": [{"name": "Same"}, {"name": "same"}]}, "options"),
        ({"type": "code"}, "options"),
        ({"of": "annotation", "only": ["nothing"]}, "only"),
        ({"of": "series", "only": ["; drop"]}, "only"),
        ({"when": {"question": "later", "is": ["x"]}}, "when"),
        ({"key": "made_up"}, "key"),
        ({"type": "number", "least": "a lot"}, "least"),
        ({"type": "number", "least": 5, "most": 5}, "most"),
        ({"type": "number", "unit": "x" * 17}, "unit"),
    ],
)
def test_a_question_at_fault_is_named_with_its_field(cast, wrong, field):
    question = {"text": "Margin", "of": "case"} | choice("Smooth", "Spiculated") | wrong
    with pytest.raises(ValidationError) as refusal:
        schemas.write_schema(
            by=cast.lead,
            project=cast.project,
            labels=cast.schema.labels,
            seen_version=1,
            questions=[question],
        )
    assert f"q0.{field}" in refusal.value.message_dict


# What was done, and what was kept aside -----------------------------------------------------------


def test_gestures_are_listed_newest_first_without_voxels(asked):
    segment, group = uuid.uuid4(), uuid.uuid4()
    asked.apply(
        [
            edit(asked.segment(), segment, group=group),
            edit(plane_value([(1, 1)]), segment, sop=asked.sop(0), group=group),
            edit(plane_value([(1, 1)]), segment, sop=asked.sop(1), group=group),
            answer("yes"),
        ]
    )
    undone = edit(None, segment, sop=asked.sop(0), seen=1, inverts=group)
    asked.apply([undone, edit(None, segment, seen=1, group=undone["group"], inverts=group)])
    found = asked.get("gestures/").json()
    assert not found["more"]
    lines = [
        [(one["what"], one["slices"], (one["value"] or {}).get("kind")) for one in line["changes"]]
        for line in found["groups"]
    ]
    assert lines == [[("deleted", 1, "segment")], [("made", 0, None)], [("made", 2, "segment")]]
    assert [line["number"] for line in found["groups"]] == [6, 4, 3]
    assert found["groups"][0]["inverts"] == str(group)
    assert "rle" not in json.dumps(found)
    first = asked.get("gestures/?groups=1").json()
    assert (len(first["groups"]), first["more"]) == (1, True)
    rest = asked.get(f"gestures/?before={first['groups'][-1]['number']}").json()
    assert [line["number"] for line in rest["groups"]] == [4, 3]


def test_the_marks_as_they_stood_after_any_edit(asked):
    mark = uuid.uuid4()
    asked.apply([edit(asked.length(), mark), answer("yes"), edit(None, mark, seen=1)])
    counts = []
    for number in range(4):
        found = asked.get(f"state/?at={number}").json()
        counts.append((found["number"], len(found["annotations"]), len(found["answers"])))
    assert counts == [(0, 0, 0), (1, 1, 0), (2, 1, 1), (3, 0, 1)]
    for wrong in ("4", "-1", "now", "9" * 20):
        assert asked.get(f"state/?at={wrong}").status_code == 400


def test_a_reviewer_goes_back_but_not_beyond_what_was_handed_in(asked):
    asked.apply([edit(asked.length()), edit(asked.length())])
    asked.submit()
    assert len(asked.get("state/?at=1", who="reviewer").json()["annotations"]) == 1
    asked.post("review/", {"verdict": "return", "round": 1, "text": "Once more."}, who="reviewer")
    asked.apply([edit(asked.length())])
    assert asked.get("state/?at=3", who="reviewer").status_code == 400
    assert len(asked.get("gestures/", who="reviewer").json()["groups"]) == 2


def test_older_gestures_come_page_by_page_and_none_twice(asked):
    asked.apply([edit(asked.length()) for _ in range(7)])
    newest = asked.get("history/?groups=3").json()["groups"]
    ended = min(edits["number"] for group in newest for edits in group["edits"])
    older = asked.get(f"history/?groups=3&before={ended}").json()["groups"]
    assert [one["edits"][0]["number"] for one in [*older, *newest]] == [2, 3, 4, 5, 6, 7]


def test_a_change_kept_aside_is_listed_until_its_reader_has_settled_it(asked):
    mark = uuid.uuid4()
    asked.apply([edit(asked.length(), mark)])
    stale = edit(asked.length(), mark)
    asked.send([stale])
    path = f"parked/{stale['id']}/settle/"
    assert asked.post(path, who="ben").status_code == 404
    assert asked.post(path, who="reviewer").status_code == 404
    assert len(asked.get("parked/").json()["results"]) == 1
    for _ in range(2):
        assert asked.post(path).status_code == 204
    assert asked.get("parked/").json()["results"] == []
    assert asked.post(f"parked/{uuid.uuid4()}/settle/").status_code == 404
