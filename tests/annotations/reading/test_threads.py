"""Comments as threads, their settling, and the reasons for which a read goes back."""

import pytest

from accounts.models import AuditRecord
from annotations.models import Comment, Read, Review


def commented(cast, *, is_returned=True):
    """A comment of the reviewer on the reader's first round."""
    cast.submit()
    comment = cast.post("comments/", {"text": "Part of it?"}, who="reviewer").json()["id"]
    if is_returned:
        sent = {"verdict": "return", "round": 1}
        assert cast.post("review/", sent, who="reviewer").status_code == 200
    return comment


def reply(cast, comment, text="Yes.", who="anna", **options):
    return cast.post(f"comments/{comment}/replies/", {"text": text}, who=who, **options)


def test_reader_and_reviewer_talk_in_a_thread(cast):
    comment = commented(cast)
    first = reply(cast, comment).json()
    assert (first["number"], first["reply_to"], first["author"]) == (2, comment, cast.anna.display_name)
    assert reply(cast, comment, "Then outline it.", who="reviewer").status_code == 201
    texts = [(one["text"], one["reply_to"]) for one in cast.get("").json()["comments"]]
    assert texts == [("Part of it?", None), ("Yes.", comment), ("Then outline it.", comment)]
    assert cast.get("", who="reviewer").json()["comments"] == cast.get("").json()["comments"]


def test_an_answer_to_an_answer_belongs_to_no_thread_of_its_own(cast):
    comment = commented(cast)
    answer = reply(cast, comment).json()["id"]
    assert reply(cast, answer).status_code == 404
    assert cast.post(f"comments/{answer}/resolve/").status_code == 404


def test_the_reader_keeps_their_own_words_while_the_next_round_is_under_review(cast):
    comment = commented(cast)
    reply(cast, comment, "Outlined.")
    cast.submit()
    reply(cast, comment, "Not yet right.", who="reviewer")
    assert [one["text"] for one in cast.get("").json()["comments"]] == ["Part of it?", "Outlined."]
    seen = [one["text"] for one in cast.get("", who="reviewer").json()["comments"]]
    assert seen == ["Part of it?", "Outlined.", "Not yet right."]


def test_a_thread_that_is_settled_is_reopened_before_it_goes_on(cast):
    comment = commented(cast)
    cast.post(f"comments/{comment}/resolve/")
    assert reply(cast, comment).status_code == 409
    for _ in range(2):
        answer = cast.post(f"comments/{comment}/reopen/")
        assert (answer.status_code, answer.json()["resolved"]) == (200, False)
    assert AuditRecord.objects.filter(verb="comment.reopened").count() == 1
    assert reply(cast, comment).status_code == 201
    kept = Comment.objects.get(public_id=comment)
    assert (kept.resolved_at, kept.resolved_by) == (None, None)


def test_a_reviewer_reopens_what_was_settled_too_soon_and_returns_without_more_words(cast):
    comment = commented(cast)
    cast.post(f"comments/{comment}/resolve/")
    cast.submit()
    assert cast.post(f"comments/{comment}/reopen/", who="reviewer").status_code == 200
    assert cast.post("review/", {"verdict": "return", "round": 2}, who="reviewer").status_code == 200
    assert cast.get("").json()["comments"][0]["resolved"] is False


@pytest.mark.parametrize("who", ["ben", "outsider", "scientist", "nobody"])
def test_nobody_else_has_a_say_in_it(cast, who):
    comment = commented(cast)
    for road in ("replies", "resolve", "reopen"):
        status = cast.post(f"comments/{comment}/{road}/", {"text": "x"}, who=who).status_code
        assert status in (401, 403, 404)
    assert Comment.objects.count() == 1


def test_a_comment_that_the_reader_cannot_see_yet_cannot_be_answered(cast):
    comment = commented(cast, is_returned=False)
    assert reply(cast, comment).status_code == 404
    assert cast.post(f"comments/{comment}/reopen/").status_code == 404


def test_a_reviewer_who_got_the_case_to_read_has_no_say_any_more(cast):
    comment = commented(cast)
    Read.objects.create(case=cast.case, reader=cast.lead, schema=cast.schema)
    assert reply(cast, comment, who="lead").status_code == 404


def test_nothing_is_added_to_accepted_work(cast):
    comment = commented(cast)
    cast.submit()
    cast.post("review/", {"verdict": "accept", "round": 2}, who="reviewer")
    assert reply(cast, comment, who="reviewer").status_code == 409
    assert reply(cast, comment).status_code == 403


@pytest.mark.parametrize("text", ["", "  ", "a\0b", "x" * 4001])
def test_an_answer_without_words_is_refused(cast, text):
    assert reply(cast, commented(cast), text).status_code == 400


# Reasons ----------------------------------------------------------------------------------------


def returns(cast, **sent):
    return cast.post("review/", {"verdict": "return", "round": 1} | sent, who="reviewer")


def test_a_read_goes_back_for_reasons_that_the_reader_sees(cast):
    cast.submit()
    assert returns(cast, reasons=["outline", "missed", "outline"]).status_code == 200
    assert cast.get("").json()["review"]["reasons"] == ["missed", "outline"]
    assert Review.objects.get().reasons == ["missed", "outline"]
    assert AuditRecord.objects.get(verb="read.returned").facts["reasons"] == "missed,outline"


def test_something_else_must_be_said(cast):
    cast.submit()
    assert returns(cast, reasons=["other"]).status_code == 400
    assert returns(cast, reasons=["other"], text="The wrong patient.").status_code == 200


@pytest.mark.parametrize("reasons", [["ugly"], "outline", [1], ["outline"] * 9])
def test_reasons_are_those_of_the_list(cast, reasons):
    cast.submit()
    assert returns(cast, reasons=reasons).status_code == 400
    assert not Review.objects.exists()


def test_accepted_work_has_no_reasons(cast):
    cast.submit()
    sent = {"verdict": "accept", "round": 1, "reasons": ["outline"]}
    assert cast.post("review/", sent, who="reviewer").status_code == 200
    assert Review.objects.get().reasons == []
