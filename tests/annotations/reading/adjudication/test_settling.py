"""What an adjudicator decides becomes marks of their own; what the readers drew stays as it is."""

import base64

import numpy as np
import pytest

from accounts.models import AuditRecord
from annotations.api.read_json import state_json
from annotations.measures import masks
from annotations.models import (
    AdjudicatedLesion,
    Annotation,
    Edit,
    MaskPlane,
    Read,
    ReferenceStandard,
)
from annotations.reading import journal
from tests.annotations.reading.adjudication.conftest import box
from tests.annotations.reading.conftest import COLUMNS, ROWS, edit, plane_value


def voxels_of(planes):
    """bool by index of the slice, of planes as the API has them."""
    return {
        int(plane["sop"].rsplit(".", 1)[1]): masks.decode(base64.b64decode(plane["rle"]), ROWS, COLUMNS)
        for plane in planes
    }


def result_voxels(adjudication):
    return voxels_of(state_json(journal.state(adjudication))["planes"])


def everything_of(reading):
    """All that is kept of the readers' reads, byte by byte."""
    found = []
    for model in (Edit, Annotation, MaskPlane):
        rows = model.objects.filter(read__in=reading.reads.values()).order_by("pk")
        found.append(
            [
                {key: bytes(value) if isinstance(value, memoryview) else value for key, value in row.items()}
                for row in rows.values()
            ]
        )
    found.append(list(Read.objects.filter(kind="read").order_by("pk").values()))
    return found


def drawn(reading):
    """What Anna, Ben and Cara drew, as bool[3, slices, rows, columns]."""
    stacks = []
    for name in ("anna", "ben", "cara"):
        stack = np.zeros((6, ROWS, COLUMNS), dtype=bool)
        for plane in journal.state(reading.reads[name]).planes:
            index = int(plane.sop_instance_uid.rsplit(".", 1)[1])
            stack[index] = masks.decode(plane.runs, plane.rows, plane.columns)
        stacks.append(stack)
    return np.array(stacks)


@pytest.mark.parametrize(
    ("choice", "least"),
    [
        ({"take": "union"}, 1),
        ({"take": "at_least", "at_least": 2}, 2),
        ({"take": "majority"}, 2),
        ({"take": "intersection"}, 3),
    ],
)
def test_a_merge_holds_the_voxels_that_enough_readers_set(disputed, choice, least):
    adjudication = disputed.adjudication()
    before = everything_of(disputed)
    answer = disputed.settle(adjudication, choice=choice)
    assert answer.status_code == 200, answer.content
    wanted = drawn(disputed).sum(axis=0) >= least
    written = result_voxels(adjudication)
    assert sorted(written) == np.flatnonzero(wanted.any(axis=(1, 2))).tolist()
    for index, plane in written.items():
        assert (plane == wanted[index]).all()
    lesion = answer.json()["lesion"]
    assert lesion["state"] == "settled"
    assert lesion["result_numbers"]["volume_mm3"] == pytest.approx(wanted.sum() * 0.5 * 0.8 * 2.5)
    assert everything_of(disputed) == before


def test_a_preview_is_what_settling_writes_and_writes_nothing(disputed):
    adjudication = disputed.adjudication()
    for choice in disputed.shown(adjudication)["lesions"][0]["options"]:
        if choice["take"] in ("drawn", "absent"):
            continue
        path = "adjudication/lesions/1/preview/"
        sent = {key: choice[key] for key in ("take", "read", "at_least") if key in choice}
        preview = disputed.cast.post(path, sent, who="reviewer", read=adjudication).json()
        assert not Annotation.objects.filter(read=adjudication, value__isnull=False).exists()
        if choice["volume_mm3"] is not None:
            assert preview["numbers"]["volume_mm3"] == pytest.approx(choice["volume_mm3"])
        lesion = disputed.settle(adjudication, choice=sent).json()["lesion"]
        written = result_voxels(adjudication)
        promised = voxels_of(preview["planes"])
        assert written.keys() == promised.keys()
        assert all((written[index] == promised[index]).all() for index in written)
        version = lesion["version"]
        opened = disputed.cast.post(
            "adjudication/lesions/1/open/", {"version": version}, who="reviewer", read=adjudication
        )
        assert opened.json()["lesion"]["state"] == "open"


def test_one_readers_marks_are_taken_as_they_were_drawn(disputed):
    adjudication = disputed.adjudication()
    ben = disputed.reads["ben"]
    before = everything_of(disputed)
    answer = disputed.settle(adjudication, choice={"take": "read", "read": ben.public_id})
    assert answer.status_code == 200, answer.content
    ours, theirs = journal.state(adjudication), journal.state(ben)
    assert [mark.value for mark in ours.annotations] == [mark.value for mark in theirs.annotations]
    assert ours.annotations[0].annotation_id != theirs.annotations[0].annotation_id
    assert sorted((plane.sop_instance_uid, plane.runs) for plane in ours.planes) == sorted(
        (plane.sop_instance_uid, plane.runs) for plane in theirs.planes
    )
    assert everything_of(disputed) == before


def test_a_result_is_one_gesture_and_another_choice_takes_its_place(disputed):
    adjudication = disputed.adjudication()
    disputed.settle(adjudication, choice={"take": "union"})
    first = AdjudicatedLesion.objects.get().result
    disputed.settle(adjudication, choice={"take": "intersection"})
    second = AdjudicatedLesion.objects.get().result
    assert first != second
    marks = journal.state(adjudication).annotations
    assert [str(mark.annotation_id) for mark in marks] == second
    assert Edit.objects.filter(read=adjudication).values("group").distinct().count() == 2
    assert marks[0].value["origin"] == {"from": "adjudication"}


def test_of_two_pages_the_second_decision_is_refused_and_loses_nothing(disputed):
    adjudication = disputed.adjudication()
    body = {"choice": {"take": "union"}, "reason": "All of it.", "version": 0}
    path = "adjudication/lesions/1/settle/"
    assert disputed.cast.post(path, body, who="reviewer", read=adjudication).status_code == 200
    second = disputed.cast.post(
        path, body | {"choice": {"take": "intersection"}}, who="reviewer", read=adjudication
    )
    assert second.status_code == 409
    assert "meanwhile" in second.json()["reason"]
    row = AdjudicatedLesion.objects.get()
    assert (row.choice, row.version) == ({"take": "union"}, 1)
    opened = disputed.cast.post(
        "adjudication/lesions/1/open/", {"version": 0}, who="reviewer", read=adjudication
    )
    assert opened.status_code == 409


def test_a_reason_is_asked_for_where_readers_disagree(disputed):
    adjudication = disputed.adjudication()
    answer = disputed.settle(adjudication, reason="  ", choice={"take": "union"})
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["reason"]
    assert not Edit.objects.filter(read=adjudication).exists()


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"choice": {"take": "vote"}}, "choice"),
        ({"choice": {"take": "at_least", "at_least": 4}}, "choice"),
        ({"choice": {"take": "at_least"}}, "choice"),
        ({"choice": {"take": "read", "read": "nobody"}}, "choice"),
        ({"choice": {"take": "drawn"}}, "annotations"),
        ({"choice": {"take": "union"}, "state": "maybe"}, "state"),
        ({"choice": {"take": "union"}, "label": "spleen"}, "label"),
        ({"choice": {"take": "union"}, "label": "node"}, "choice"),
        ({"choice": {"take": "union"}, "answers": {"age": 3}}, "answers"),
        ({"choice": {"take": "union"}, "answers": {"malignancy": 9}}, "choice"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field_and_writes_nothing(disputed, sent, field):
    adjudication = disputed.adjudication()
    answer = disputed.settle(adjudication, **sent)
    assert answer.status_code == 400, answer.content
    assert field in answer.json()["fields"]
    assert not Edit.objects.filter(read=adjudication).exists()
    assert AdjudicatedLesion.objects.get().version == 0


def test_there_is_no_fourth_lesion(disputed):
    adjudication = disputed.adjudication()
    body = {"choice": {"take": "union"}, "version": 0, "reason": "x"}
    for path, sent in (("settle/", body), ("open/", {"version": 0}), ("preview/", {"take": "union"})):
        answer = disputed.cast.post(f"adjudication/lesions/4/{path}", sent, who="reviewer", read=adjudication)
        assert answer.status_code == 404


def test_what_was_drawn_anew_is_the_result_and_stays_when_it_is_opened_again(disputed):
    adjudication = disputed.adjudication()
    disputed.reads["reviewer"] = adjudication
    mark = disputed.draw("reviewer", {2: box(5, 5, 6, 6)})
    assert disputed.shown(adjudication)["extra"] == [str(mark)]
    answer = disputed.settle(adjudication, choice={"take": "drawn"}, annotations=[str(mark)])
    assert answer.status_code == 200, answer.content
    lesion = answer.json()["lesion"]
    assert lesion["result"] == [str(mark)]
    assert lesion["result_numbers"]["volume_mm3"] == pytest.approx(36 * 0.5 * 0.8 * 2.5)
    assert disputed.shown(adjudication)["extra"] == []
    disputed.cast.post(
        "adjudication/lesions/1/open/", {"version": lesion["version"]}, who="reviewer", read=adjudication
    )
    assert [one.annotation_id for one in journal.state(adjudication).annotations] == [mark]


def test_a_result_may_be_drawn_on_afterwards_and_says_so(disputed):
    adjudication = disputed.adjudication()
    disputed.settle(adjudication, choice={"take": "union"})
    before = disputed.shown(adjudication)["lesions"][0]
    assert before["edited"] is False
    (mark,) = before["result"]
    changed = edit(plane_value(box(4, 4, 2, 2)), mark, sop=disputed.cast.sop(4), seen=1)
    disputed.cast.apply([changed], who="reviewer", read=adjudication)
    after = disputed.shown(adjudication)["lesions"][0]
    assert (after["edited"], after["state"]) == (True, "settled")
    assert after["result_numbers"]["volume_mm3"] == pytest.approx(before["result_numbers"]["volume_mm3"] - 12)


def test_a_deleted_result_makes_the_lesion_lost_and_it_can_not_be_handed_in(disputed):
    adjudication = disputed.adjudication()
    disputed.settle(adjudication, choice={"take": "union"})
    (mark,) = disputed.shown(adjudication)["lesions"][0]["result"]
    disputed.cast.apply([edit(None, mark, seen=1)], who="reviewer", read=adjudication)
    assert disputed.shown(adjudication)["lesions"][0]["state"] == "lost"
    adjudication.refresh_from_db()
    refused = disputed.cast.post(
        "submit/", {"number": adjudication.last_edit_number}, who="reviewer", read=adjudication
    )
    assert refused.status_code == 409
    assert "lesion 1 is without the marks of the result" in refused.json()["reason"]
    assert disputed.settle(adjudication, choice={"take": "union"}).status_code == 200


def test_nothing_there_is_a_result_too(disputed):
    adjudication = disputed.adjudication()
    answer = disputed.settle(adjudication, choice={"take": "absent"}, reason="A vessel.")
    assert answer.json()["lesion"]["result"] == []
    assert answer.json()["settled"] == 1
    disputed.cast.submit(adjudication, who="reviewer")
    assert ReferenceStandard.objects.get(case=disputed.case).submission.read == adjudication


# Answers ------------------------------------------------------------------------------------------


@pytest.fixture
def answered(reading):
    """All draw the same. Anna and Ben answer 4 and 2, Cara nothing."""
    for name, malignancy in (("anna", 4), ("ben", 2), ("cara", None)):
        mark = reading.draw(name, {2: box(4, 4, 10, 10)})
        if malignancy is not None:
            reading.answer(name, "malignancy", malignancy, about=mark)
        reading.answer(name, "quality", 7, of="case")
    reading.hand_in()
    reading.decided()
    return reading


def test_where_answers_differ_one_is_chosen(answered):
    adjudication = answered.adjudication()
    (asked,) = answered.shown(adjudication)["lesions"][0]["answers"]
    by_name = {name: asked["said"][read.public_id] for name, read in answered.reads.items()}
    assert by_name == {"anna": 4, "ben": 2, "cara": None}
    assert asked["differs"] is True
    refused = answered.settle(adjudication, choice={"take": "union"})
    assert refused.status_code == 400
    assert "“Malignancy”" in refused.json()["fields"]["answers"][0]
    settled = answered.settle(adjudication, choice={"take": "union"}, answers={"malignancy": 3})
    assert settled.status_code == 200, settled.content
    assert settled.json()["lesion"]["answers"][0]["chosen"] == 3


def test_with_a_readers_marks_come_their_answers(answered):
    adjudication = answered.adjudication()
    ben = answered.reads["ben"].public_id
    settled = answered.settle(adjudication, choice={"take": "read", "read": ben})
    assert settled.json()["lesion"]["answers"][0]["chosen"] == 2
    cara = answered.reads["cara"].public_id  # who gave none
    assert answered.settle(adjudication, choice={"take": "read", "read": cara}).status_code == 400


def test_what_all_answered_alike_about_the_case_is_taken_over_at_once(answered):
    adjudication = answered.adjudication()
    shown = answered.cast.post("adjudication/agreed/", {}, who="reviewer", read=adjudication).json()
    quality = next(one for one in shown["answers"] if one["answer"] == "quality")
    assert (quality["differs"], quality["chosen"]) == (False, 7)
    assert shown["settled"] == 0  # the lesion is disputed: nobody settles it unseen


def test_an_answer_about_the_case_that_differs_must_be_given_before_it_is_handed_in(reading):
    for name, quality in (("anna", 7), ("ben", 3), ("cara", 3)):
        reading.answer(name, "quality", quality, of="case")
    reading.hand_in()
    reading.decided()
    adjudication = reading.adjudication()
    refused = reading.cast.post("submit/", {"number": 0}, who="reviewer", read=adjudication)
    assert refused.status_code == 409
    assert "“Image quality”" in refused.json()["reason"]
    reading.reads["reviewer"] = adjudication
    reading.answer("reviewer", "quality", 5, of="case")
    reading.cast.submit(adjudication, who="reviewer")


# What agrees --------------------------------------------------------------------------------------


def test_all_that_agrees_is_settled_in_one_go(reading):
    for name in reading.reads:
        reading.draw(name, {2: box(4, 4, 6, 6)})
        reading.measure(name, label="node")
    reading.draw("anna", {3: box(20, 20, 6, 6)})
    reading.hand_in()
    reading.decided()
    adjudication = reading.adjudication()
    shown = reading.shown(adjudication)
    assert [lesion["agree"] for lesion in shown["lesions"]] == [False, True, True]
    assert shown["agreeing"] == 2
    settled = reading.cast.post("adjudication/agreed/", {}, who="reviewer", read=adjudication).json()
    assert [lesion["state"] for lesion in settled["lesions"]] == ["open", "settled", "settled"]
    assert settled["agreeing"] == 0


def test_a_lesion_of_measures_is_taken_from_a_reader_or_measured_anew(reading):
    for name, end in (("anna", 10.0), ("ben", 11.0)):
        reading.measure(name, end=(end, 0.0, 0.0))
    reading.hand_in()
    reading.decided()
    adjudication = reading.adjudication()
    (lesion,) = reading.shown(adjudication)["lesions"]
    assert [option["take"] for option in lesion["options"]] == ["read", "read", "drawn", "absent"]
    assert lesion["series"] is None
    ben = reading.reads["ben"].public_id
    assert lesion["numbers"]["reads"][ben]["longest_mm"] == pytest.approx(11.0)
    settled = reading.settle(adjudication, choice={"take": "read", "read": ben}).json()["lesion"]
    assert settled["result_numbers"]["longest_mm"] == pytest.approx(11.0)


# The end ------------------------------------------------------------------------------------------


def test_handing_it_in_makes_the_reference_standard_and_leaves_the_reads(disputed):
    adjudication = disputed.adjudication()
    before = everything_of(disputed)
    refused = disputed.cast.post("submit/", {"number": 0}, who="reviewer", read=adjudication)
    assert refused.status_code == 409
    assert "lesion 1 is still open" in refused.json()["reason"]
    disputed.settle(adjudication, choice={"take": "staple"})
    answer = disputed.cast.submit(adjudication, who="reviewer")
    assert answer["state"] == "accepted"
    reference = ReferenceStandard.objects.get(case=disputed.case)
    assert (reference.how, reference.submission.read) == ("adjudicated", adjudication)
    assert not disputed.case.needs_adjudication
    assert everything_of(disputed) == before
    for path, sent in (
        ("lesions/1/settle/", {"choice": {"take": "union"}, "version": 1, "reason": "x"}),
        ("lesions/1/open/", {"version": 1}),
        ("agreed/", {}),
    ):
        late = disputed.cast.post(f"adjudication/{path}", sent, who="reviewer", read=adjudication)
        assert late.status_code == 409, path
    disputed.decided()
    assert ReferenceStandard.objects.get(case=disputed.case) == reference
    assert disputed.begin("lead").status_code == 409


def test_what_was_decided_is_in_the_audit_trail(disputed):
    adjudication = disputed.adjudication()
    disputed.settle(adjudication, choice={"take": "majority"})
    disputed.cast.post("adjudication/lesions/1/open/", {"version": 1}, who="reviewer", read=adjudication)
    facts = dict(AuditRecord.objects.filter(verb__startswith="adjudication.").values_list("verb", "facts"))
    assert facts["adjudication.settled"] == {"lesion": 1, "take": "majority"}
    assert facts["adjudication.opened"] == {"lesion": 1}
