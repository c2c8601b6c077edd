"""An accepted read is opened again by a lead who says why; what rests on it is decided again."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404

from accounts.models import AuditRecord
from annotations.models import ReadingDesign, ReferenceStandard, Submission
from annotations.reading import aside, review
from annotations.reading.reopening import reopen
from atlas.api.errors import Conflict
from tests.annotations.reading.adjudication.conftest import box

SQUARE = {2: box(4, 4, 10, 10)}
WHY = "The second lesion was overlooked."


@pytest.fixture
def agreed(reading):
    """Three readers drew the same, so the case has a reference standard."""
    for name in reading.reads:
        reading.draw(name, SQUARE)
    reading.hand_in()
    reading.decided()
    assert ReferenceStandard.objects.get().how == "agreed"
    return reading


def reopened(reading, name="anna", *, by="lead", reason=WHY):
    read = reading.reads[name]
    return reopen(by=getattr(reading.cast, by), read_id=read.public_id, reason=reason)


def test_its_reader_goes_on_in_another_round_and_is_told_why(agreed):
    read = reopened(agreed)
    assert (read.state, read.round) == ("returned", 2)
    seen = agreed.cast.get("", read=read).json()
    assert seen["you"]["may_edit"]
    assert seen["review"] is None, "the round before was accepted: nothing was returned"
    assert [comment["text"] for comment in seen["comments"]] == [WHY]
    agreed.draw("anna", {2: box(20, 20, 5, 5)})
    assert AuditRecord.objects.get(verb="read.reopened").object_id == read.pk


def test_the_case_has_no_reference_until_it_is_decided_again(agreed):
    before = Submission.objects.get(read=agreed.reads["anna"])
    reopened(agreed)
    assert not ReferenceStandard.objects.exists()
    assert agreed.decided().compared_at is None, "somebody is still at it"
    agreed.draw("anna", {2: box(20, 20, 5, 5)})
    agreed.cast.submit(agreed.reads["anna"])
    agreed.cast.post("review/", {"verdict": "accept", "round": 2}, who="reviewer", read=agreed.reads["anna"])
    assert agreed.decided().needs_adjudication
    before.refresh_from_db()
    assert before.round == 1, "what was accepted stays as it was handed in"


@pytest.mark.parametrize(
    ("by", "refused"), [("anna", PermissionDenied), ("reviewer", PermissionDenied), ("outsider", Http404)]
)
def test_only_a_lead_does_so(agreed, by, refused):
    with pytest.raises(refused):
        reopened(agreed, by=by)


def test_not_without_a_reason_nor_before_it_is_accepted(agreed):
    with pytest.raises(ValidationError, match="Say why"):
        reopened(agreed, reason="  ")
    reopened(agreed)
    with pytest.raises(ValidationError, match="only accepted"):
        reopened(agreed)


def test_who_has_seen_another_s_marks_would_not_read_blind(agreed):
    review.note_that_marks_were_seen(agreed.cast.anna, agreed.reads["ben"])
    with pytest.raises(ValidationError, match="can't read it blind"):
        reopened(agreed)
    ReadingDesign.objects.update(blind=False)
    agreed.design.refresh_from_db()
    assert reopened(agreed).state == "returned"


def test_an_adjudication_is_reopened_and_set_aside_before_what_it_rests_on(disputed):
    adjudication = disputed.adjudication()
    disputed.settle(adjudication, choice={"take": "union"})
    disputed.cast.submit(adjudication, who="reviewer")
    with pytest.raises(ValidationError, match="rests on this read"):
        reopened(disputed)
    lead = disputed.cast.lead
    opened = reopen(by=lead, read_id=adjudication.public_id, reason="Too large.")
    assert (opened.state, disputed.case.needs_adjudication) == ("returned", True)
    assert not ReferenceStandard.objects.exists()
    assert disputed.settle(adjudication, choice={"take": "intersection"}).status_code == 200
    disputed.cast.submit(adjudication, who="reviewer")
    assert ReferenceStandard.objects.get().submission.round == 2

    reopen(by=lead, read_id=adjudication.public_id, reason="The reads were wrong.")
    aside.set_aside(by=lead, read_id=adjudication.public_id)
    assert reopened(disputed).state == "returned"

    disputed.draw("anna", {2: box(20, 20, 5, 5)})
    disputed.cast.submit(disputed.reads["anna"])
    verdict = {"verdict": "accept", "round": 2}
    disputed.cast.post("review/", verdict, who="reviewer", read=disputed.reads["anna"])
    disputed.decided()
    answer = disputed.begin()  # it judged marks that were replaced
    assert (answer.status_code, "Name somebody else" in answer.json()["reason"]) == (409, True)
    with pytest.raises(Conflict, match="Name somebody else"):
        aside.take_up(by=lead, read_id=adjudication.public_id)


def test_the_page_of_the_case_reopens_it(agreed):
    client, project = agreed.cast.client("lead"), agreed.cast.project
    page = f"/projects/{project.slug}/cases/{agreed.case.number}/"
    sent = {"read": agreed.reads["anna"].public_id, "reason": WHY}
    assert f'action="{page}reopen/"' in client.get(page).content.decode()
    answer = client.post(f"{page}reopen/", sent, follow=True).content.decode()
    assert "goes on with it, and finds your reason among the comments." in answer
    agreed.reads["anna"].refresh_from_db()
    assert agreed.reads["anna"].state == "returned"
