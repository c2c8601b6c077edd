"""Submitting, returning and accepting a read: each once, by whom may, with what was there."""

import uuid

import pytest

from accounts import permissions
from accounts.models import AuditRecord
from annotations.models import Comment, Read, Review, Submission

from .conftest import edit

S = Read.State


def verdict(cast, kind, *, who="reviewer", round=1, text="Look at the margin."):
    return cast.post("review/", {"verdict": kind, "round": round, "text": text}, who=who)


def test_a_read_is_submitted_with_the_last_edit_and_then_locked(cast):
    cast.apply([edit(cast.length()), edit(cast.length())])
    answer = cast.submit()
    assert answer["state"] == "submitted"
    assert (answer["you"]["may_edit"], answer["you"]["may_submit"]) == (False, False)
    submission = Submission.objects.get(read=cast.read)
    assert (submission.round, submission.edit_number, submission.by) == (1, 2, cast.anna)
    assert AuditRecord.objects.filter(verb="read.submitted", object_id=cast.read.pk).count() == 1


@pytest.mark.parametrize(("number", "reason"), [(1, "has seen 1 of 2"), (3, "Only 2 of your 3")])
def test_a_submission_that_misses_edits_is_refused(cast, number, reason):
    cast.apply([edit(cast.length()), edit(cast.length())])
    response = cast.post("submit/", {"number": number})
    assert (response.status_code, reason in response.json()["reason"]) == (409, True)
    assert not Submission.objects.exists()


def test_a_required_label_needs_an_answer_even_if_only_absent(cast):
    cast.schema.labels[0]["required"] = True
    cast.schema.save()
    response = cast.post("submit/", {"number": 0})
    assert response.status_code == 409
    assert "Tumour" in response.json()["reason"]
    cast.apply([edit(cast.segment(state="absent"))])
    cast.submit()


def test_submitting_twice_is_submitting_once(cast):
    assert cast.submit() == cast.submit()
    assert Submission.objects.count() == 1
    assert AuditRecord.objects.filter(verb="read.submitted").count() == 1


def test_a_returned_read_goes_another_round(cast):
    cast.submit()
    assert verdict(cast, "return").json()["state"] == "returned"
    answer = cast.get("").json()
    assert (answer["round"], answer["you"]["may_edit"]) == (2, True)
    said = answer["review"]
    assert (said["verdict"], said["author"]) == ("return", cast.reviewer.display_name)
    assert said["text"] == Review.objects.get().text != ""
    cast.apply([edit(cast.length())])
    cast.read.refresh_from_db()
    assert cast.read.state == S.RETURNED
    cast.submit()
    assert verdict(cast, "accept", round=2).json()["state"] == "accepted"
    rounds = list(Review.objects.order_by("pk").values_list("submission__round", "verdict"))
    assert rounds == [(1, "return"), (2, "accept")]


def test_accepted_work_stays_as_it_is(cast):
    cast.submit()
    verdict(cast, "accept")
    assert cast.send([edit(cast.length())]).json()["results"][0]["status"] == "parked"
    assert cast.post("submit/", {"number": 0}).status_code == 409
    assert verdict(cast, "return").status_code == 409
    assert verdict(cast, "return", who="lead").status_code == 409


def test_a_double_click_on_a_verdict_counts_once(cast):
    cast.submit()
    assert [verdict(cast, "return").status_code for _ in range(2)] == [200, 200]
    cast.read.refresh_from_db()
    assert (cast.read.round, Review.objects.count()) == (2, 1)


def test_the_second_of_two_reviewers_is_told(cast):
    cast.submit()
    verdict(cast, "accept")
    response = verdict(cast, "accept", who="lead")
    assert response.status_code == 409
    assert "already" in response.json()["reason"]


def test_a_return_says_what_should_change_in_words_or_on_the_images(cast):
    cast.submit()
    response = verdict(cast, "return", text=" ")
    assert (response.status_code, list(response.json()["fields"])) == (400, ["text"])
    cast.post("comments/", {"text": "Too wide here."}, who="reviewer")
    assert verdict(cast, "return", text="").status_code == 200


@pytest.mark.parametrize("kind", ["accept", "return"])
def test_nothing_is_judged_before_it_is_submitted(cast, kind):
    assert verdict(cast, kind, who="lead").status_code == 409
    assert verdict(cast, kind).status_code == 404
    assert not Review.objects.exists()


def test_a_verdict_on_another_round_is_refused(cast):
    cast.submit()
    assert verdict(cast, "accept", round=2).status_code == 409


WHO_MAY = [
    # who, open, edits, submit, comment, review
    ("anna", 200, 200, 200, 403, 403),
    ("ben", 404, 404, 404, 404, 404),
    ("reviewer", 403, 403, 403, 201, 200),
    ("lead", 403, 403, 403, 201, 200),
    ("scientist", 403, 403, 403, 403, 403),
    ("outsider", 404, 404, 404, 404, 404),
    ("nobody", 401, 401, 401, 401, 401),
]


@pytest.mark.parametrize(("who", "opened", "edited", "submitted", "commented", "reviewed"), WHO_MAY)
def test_who_may_do_what_with_a_submitted_read(cast, who, opened, edited, submitted, commented, reviewed):
    cast.submit()
    assert cast.post("open/", who=who).status_code == opened
    assert cast.send([], who=who).status_code == edited
    assert cast.post("submit/", {"number": 0}, who=who).status_code == submitted
    assert cast.post("comments/", {"text": "Here."}, who=who).status_code == commented
    assert verdict(cast, "accept", who=who).status_code == reviewed


def test_a_lead_who_read_the_case_judges_nothing_on_it_until_accepted(cast):
    leads_read = Read.objects.create(case=cast.case, reader=cast.lead, schema=cast.schema)
    cast.submit()
    cast.submit(leads_read, who="lead")
    assert verdict(cast, "accept", who="lead").status_code == 404
    own = {"verdict": "accept", "round": 1, "text": ""}
    assert cast.post("review/", own, who="lead", read=leads_read).status_code == 403
    assert cast.post("comments/", {"text": "Mine."}, who="lead", read=leads_read).status_code == 403
    assert cast.post("review/", own, who="reviewer", read=leads_read).status_code == 200
    assert verdict(cast, "accept", who="lead").status_code == 200


def test_who_lost_the_reader_role_loses_the_read(cast):
    permissions.revoke(user=cast.anna, role="reader", scope=cast.project)
    assert cast.get("").status_code == 403
    assert "What you drew is kept" in cast.get("").content.decode()
    assert cast.send([edit(cast.length())]).status_code == 403


# Comments ---------------------------------------------------------------------------------------


def place(cast, **more):
    return {
        "text": "Too wide here.",
        "series": cast.ct.public_id,
        "sop": cast.sop(3),
        "frame": 1,
        "point_patient_mm": [1.0, 2.0, 3.0],
    } | more


def test_a_comment_is_pinned_and_numbered_and_reaches_the_reader_with_the_return(cast):
    cast.submit()
    written = cast.post("comments/", place(cast), who="reviewer").json()
    assert (written["number"], written["sop"], written["point_patient_mm"]) == (1, cast.sop(3), [1, 2, 3])
    assert cast.post("comments/", {"text": "In general."}, who="lead").json()["number"] == 2
    assert cast.get("").json()["comments"] == []
    verdict(cast, "return")
    assert [comment["number"] for comment in cast.get("").json()["comments"]] == [1, 2]


def test_the_comments_of_a_second_round_wait_for_its_verdict(cast):
    cast.submit()
    cast.post("comments/", {"text": "One."}, who="reviewer")
    verdict(cast, "return")
    cast.submit()
    cast.post("comments/", {"text": "Two."}, who="reviewer")
    assert [comment["text"] for comment in cast.get("").json()["comments"]] == ["One."]
    verdict(cast, "accept", round=2)
    assert [comment["text"] for comment in cast.get("").json()["comments"]] == ["One.", "Two."]


def test_the_reader_resolves_a_comment_once_it_is_theirs_to_deal_with(cast):
    cast.submit()
    comment = cast.post("comments/", {"text": "Here."}, who="reviewer").json()["id"]
    assert cast.post(f"comments/{comment}/resolve/").status_code == 404
    verdict(cast, "return")
    for _ in range(2):
        assert cast.post(f"comments/{comment}/resolve/").json()["resolved"] is True
    kept = Comment.objects.get(public_id=comment)
    assert kept.resolved_by == cast.anna
    assert AuditRecord.objects.filter(verb="comment.resolved").count() == 1
    assert cast.post(f"comments/{comment}/resolve/", who="ben").status_code == 404
    assert cast.post(f"comments/{comment}/resolve/", who="scientist").status_code == 403
    assert cast.post(f"comments/{uuid.uuid4().hex[:12]}/resolve/").status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"sop": "1.2.3"},
        {"frame": 2},
        {"frame": None},
        {"series": "000000000000"},
        {"point_patient_mm": [1, 2]},
        {"point_image": [1, 2]},
        {"text": ""},
        {"text": "a\0b"},
    ],
)
def test_a_comment_on_no_place_or_without_words_is_refused(cast, change):
    cast.submit()
    assert cast.post("comments/", place(cast, **change), who="reviewer").status_code == 400
    assert not Comment.objects.exists()


def test_comments_are_written_during_review_only(cast):
    assert cast.post("comments/", {"text": "Early."}, who="lead").status_code == 409
