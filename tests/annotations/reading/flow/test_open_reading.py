"""A project that reads in the open: readers of a case look at what the others have handed in, and no more."""

import pytest

from accounts import permissions
from annotations.models import Case, Read
from annotations.reading import policies
from tests.annotations.reading.conftest import edit

from .conftest import design

MARKS = ("", "state/", "history/", "gestures/", "measurements/")


@pytest.fixture
def bens_work(cast):
    design(cast, blind=False)
    cast.apply([edit(cast.segment(note="ben-was-here"))], who="ben", read=cast.bens_read)
    cast.submit(cast.bens_read, "ben")
    return cast.bens_read


@pytest.mark.parametrize("road", MARKS)
def test_a_reader_looks_at_what_another_handed_in(cast, bens_work, road):
    assert cast.get(road, read=bens_work).status_code == 200
    assert cast.client("anna").get(f"/reads/{bens_work.public_id}/").status_code == 200


def test_they_are_named_in_the_read_to_go_to_and_fro(cast, bens_work):
    for read in (cast.read, bens_work):
        fellows = cast.get("", read=read).json()["fellows"]
        assert [(one["name"], one["is_yours"]) for one in fellows] == [
            ("Anna Of Cast", True),
            ("Ben Of Cast", False),
        ]
    assert cast.get("", read=bens_work).json()["you"] | {"id": 0} == {
        "id": 0,
        "name": "Anna Of Cast",
        "initials": "AC",
        "capacity": "fellow",
        "may_edit": False,
        "may_submit": False,
        "may_judge": False,
    }


def test_the_list_says_as_what_they_meet_it(cast, bens_work):
    rows = cast.client("anna").get("/api/v1/reads/").json()["results"]
    assert {row["id"]: row["capacity"] for row in rows} == {
        cast.read.public_id: "reader",
        bens_work.public_id: "fellow",
    }


@pytest.mark.parametrize("state", ["assigned", "in_progress"])
def test_work_under_way_stays_its_reader_s_own(cast, bens_work, state):
    Read.objects.filter(pk=bens_work.pk).update(state=state)
    for road in MARKS:
        assert cast.get(road, read=bens_work).status_code == 404
    assert len(cast.get("").json()["fellows"]) == 1


def test_a_returned_read_is_seen_as_it_was_handed_in(cast, bens_work):
    cast.post("review/", {"verdict": "return", "round": 1, "text": "Again."}, who="reviewer", read=bens_work)
    cast.apply([edit(cast.length())], who="ben", read=bens_work)
    assert len(cast.get("state/", read=bens_work).json()["annotations"]) == 1
    found = cast.get("", read=bens_work).json()
    assert (found["review"], found["comments"], found["incidental"]) == (None, [], [])


POSTS = {
    "edits/": {"edits": []},
    "submit/": {"number": 0},
    "open/": {},
    "review/": {"verdict": "accept", "round": 1},
    "comments/": {"text": "Here."},
    "lock-unaided/": {"number": 0},
}


@pytest.mark.parametrize("road", POSTS)
def test_they_change_and_judge_nothing(cast, bens_work, road):
    permissions.grant(user=cast.anna, role="reviewer", scope=cast.project)
    assert cast.post(road, POSTS[road], read=bens_work).status_code in (403, 404)
    assert Read.objects.get(pk=bens_work.pk).state == "submitted"


def test_who_does_not_read_the_case_looks_at_nothing(cast, bens_work):
    cast.read.delete()
    assert cast.get("", read=bens_work).status_code == 404
    set_aside = Read.objects.create(
        case=cast.case, reader=cast.anna, schema=cast.schema, state=Read.State.SET_ASIDE
    )
    assert cast.get("", read=bens_work).status_code == 404
    assert set_aside in policies.reads_for(cast.anna)


@pytest.mark.parametrize("purpose", [Case.Purpose.HIDDEN_REFERENCE, Case.Purpose.TRAINING])
def test_what_tests_readers_is_read_blind_even_here(cast, bens_work, purpose):
    Case.objects.filter(pk=cast.case.pk).update(purpose=purpose)
    assert cast.get("", read=bens_work).status_code == 404


def test_closed_again_it_is_gone(cast, bens_work):
    design(cast, blind=True)
    assert cast.get("", read=bens_work).status_code == 404
    assert cast.get("").json()["fellows"] == []


@pytest.mark.parametrize("state", Read.State.values)
@pytest.mark.parametrize("own", [None, "assigned", "submitted", "accepted", "set_aside"])
def test_both_questions_of_the_policy_have_the_same_answer(cast, bens_work, state, own):
    Read.objects.filter(pk=bens_work.pk).update(state=state)
    if own:
        Read.objects.filter(pk=cast.read.pk).update(state=own)
        permissions.grant(user=cast.lead, role="reader", scope=cast.project)
        Read.objects.create(case=cast.case, reader=cast.lead, schema=cast.schema, state=own)
    for who in ("anna", "ben", "reviewer", "lead", "scientist", "outsider"):
        person = getattr(cast, who)
        listed = set(policies.reads_for(person))
        for read in Read.objects.all():
            assert (policies.capacity_of(person, read) is not None) == (read in listed), (who, read.reader)
