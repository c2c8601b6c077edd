"""Reads that no longer count: set aside by a lead or because the reader left. Nothing of them is lost."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404

from accounts import permissions
from accounts.models import AuditRecord
from annotations.models import Edit, ParkedEdit, Read
from annotations.reading import journal, policies, review
from annotations.reading.aside import set_aside, take_up
from annotations.reading.projects import add_member, remove_member
from tests.annotations.reading.conftest import edit

State = Read.State


def state_of(read: Read) -> str:
    return Read.objects.get(pk=read.pk).state


def test_a_lead_sets_a_read_aside_and_takes_it_up_again(cast):
    cast.apply([edit(cast.length())])
    for _ in range(2):
        set_aside(by=cast.lead, read_id=cast.read.public_id)
    assert state_of(cast.read) == State.SET_ASIDE
    assert len(journal.state(cast.read).annotations) == 1
    for _ in range(2):
        take_up(by=cast.lead, read_id=cast.read.public_id)
    assert state_of(cast.read) == State.IN_PROGRESS
    cast.apply([edit(cast.length())])
    verbs = AuditRecord.objects.filter(verb__in=["read.set_aside", "read.taken_up"])
    assert [record.verb for record in verbs.order_by("pk")] == ["read.set_aside", "read.taken_up"]


@pytest.mark.parametrize(
    ("who", "refusal"),
    [("anna", PermissionDenied), ("ben", Http404), ("reviewer", Http404), ("outsider", Http404)],
)
def test_nobody_else_sets_it_aside(cast, who, refusal):
    with pytest.raises(refusal):
        set_aside(by=getattr(cast, who), read_id=cast.read.public_id)
    assert state_of(cast.read) == State.ASSIGNED


def test_a_lead_does_not_set_aside_their_own_read_to_look_at_the_others(cast):
    own = Read.objects.create(case=cast.case, reader=cast.lead, schema=cast.schema)
    with pytest.raises(ValidationError, match="Another lead"):
        set_aside(by=cast.lead, read_id=own.public_id)
    with pytest.raises(Http404):
        set_aside(by=cast.lead, read_id=cast.read.public_id)


def test_what_was_handed_in_is_judged_and_not_set_aside(cast):
    cast.submit()
    with pytest.raises(ValidationError, match="This read is submitted"):
        set_aside(by=cast.lead, read_id=cast.read.public_id)


def test_a_reader_may_look_at_a_read_that_was_set_aside_and_change_nothing(cast):
    cast.apply([edit(cast.length())])
    set_aside(by=cast.lead, read_id=cast.read.public_id)
    found = cast.get("").json()
    assert (found["state"], found["you"]["may_edit"]) == ("set_aside", False)
    assert len(cast.get("state/").json()["annotations"]) == 1
    [result] = cast.send([edit(cast.length())]).json()["results"]
    assert result["status"] == "parked"
    assert cast.post("submit/", {"number": 1}).status_code == 409


def test_who_saw_another_s_marks_meanwhile_does_not_take_it_up(cast):
    permissions.grant(user=cast.anna, role="reviewer", scope=cast.project)
    cast.submit(cast.bens_read, "ben")
    set_aside(by=cast.lead, read_id=cast.read.public_id)
    assert cast.get("state/", read=cast.bens_read).status_code == 200
    with pytest.raises(ValidationError, match="can't read it blind"):
        take_up(by=cast.lead, read_id=cast.read.public_id)


# A reader leaves ----------------------------------------------------------------------------------


def leave(cast):
    return remove_member(by=cast.lead, project=cast.project, user=cast.anna, role="reader")


def test_a_reader_who_is_removed_in_mid_read_loses_nothing(cast):
    cast.apply([edit(cast.length()), edit(cast.length())])
    assert leave(cast) == 0
    assert state_of(cast.read) == State.SET_ASIDE
    assert Edit.objects.filter(read=cast.read).count() == 2
    assert policies.reads_for(cast.lead).filter(pk=cast.read.pk).exists()


def test_what_was_on_its_way_when_they_were_removed_is_kept_aside(cast):
    cast.apply([edit(cast.length())])
    leave(cast)
    [result] = cast.send([edit(cast.length())]).json()["results"]
    assert result["status"] == "parked"
    assert ParkedEdit.objects.filter(read=cast.read).count() == 1
    assert Edit.objects.filter(read=cast.read).count() == 1


@pytest.mark.parametrize("road", ["", "state/", "history/", "parked/", "measurements/"])
def test_they_see_no_more_and_are_told_so(cast, road):
    cast.apply([edit(cast.length())])
    leave(cast)
    answer = cast.get(road)
    assert answer.status_code == 403
    assert "What you drew is kept" in answer.json()["reason"]


def test_their_page_says_it_too(cast):
    cast.apply([edit(cast.length())])
    leave(cast)
    page = cast.client("anna").get(f"/reads/{cast.read.public_id}/")
    assert page.status_code == 403
    assert "What you drew is kept" in page.content.decode()


def test_unopened_reads_are_taken_back_and_submitted_ones_stay(cast):
    unopened = cast.new_read()
    cast.submit()
    assert leave(cast) == 1
    assert not Read.objects.filter(pk=unopened.pk).exists()
    assert state_of(cast.read) == State.SUBMITTED
    assert review.judge(user=cast.reviewer, read_id=cast.read.public_id, verdict="accept", round=1)


def test_who_comes_back_goes_on_once_the_lead_takes_it_up(cast):
    cast.apply([edit(cast.length())])
    leave(cast)
    with pytest.raises(ValidationError, match="no reader of this project"):
        take_up(by=cast.lead, read_id=cast.read.public_id)
    add_member(by=cast.lead, project=cast.project, user=cast.anna, role="reader")
    take_up(by=cast.lead, read_id=cast.read.public_id)
    cast.apply([edit(cast.length())])


def test_the_case_page_offers_it(cast):
    cast.apply([edit(cast.length())])
    url = f"/projects/{cast.project.slug}/cases/314/"
    page = cast.client("lead").get(url).content.decode()
    assert page.count("Set aside") >= 2
    body = {"read": cast.read.public_id, "act": "set_aside"}
    assert cast.client("lead").post(f"{url}aside/", body).status_code == 302
    assert state_of(cast.read) == State.SET_ASIDE
    assert "Take up again" in cast.client("lead").get(url).content.decode()
    assert cast.client("lead").post(f"{url}aside/", body | {"act": "take_up"}).status_code == 302
    assert state_of(cast.read) == State.IN_PROGRESS
