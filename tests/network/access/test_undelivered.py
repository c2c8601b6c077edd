"""What the other side refuses is told to whoever sent it, with the reason and a way on."""

import base64

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import TestCase
from django.urls import reverse

from accounts.models import AuditRecord
from network.access import asking, deciding, documents
from network.access.states import State
from network.federation import messages
from network.models import AccessDocument, AccessGrant, AccessPart, AccessRequest, Listing, Message
from tests.cast import person, signed_in
from tests.network.access.conftest import PDF, agreed, approved, listed, there

pytestmark = pytest.mark.django_db

REASON = "lung is not in the catalogue of this node."


@pytest.fixture
def undelivered(researcher, prepared, lung_listing, carry, mailoutbox) -> AccessPart:
    """The node took its dataset out of the catalogue while the request was on its way."""
    asking.send(by=researcher, request=prepared)
    Listing.objects.filter(pk=lung_listing.pk).update(is_listed=False)
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert carry(is_expected=True) == [REASON, "No request here has this name."]
    return prepared.parts.get()


def refuse(kind: str, sentence: str = "The disk is full.") -> None:
    message = Message.objects.get(kind=kind, confirmed_at=None)
    messages.confirm(message.node, {message.public_id: sentence})


def text_of(user, name: str, key: str) -> str:
    return signed_in(user).get(reverse(name, args=[key])).content.decode()


def post(user, name: str, part: AccessPart):
    return signed_in(user).post(reverse(name, args=[part.public_id]))


def test_a_request_that_its_node_refuses_is_shown_with_the_reason(undelivered, researcher, mailoutbox):
    assert (undelivered.state, undelivered.undelivered) == (State.UNDELIVERED, REASON)
    text = text_of(researcher, "access-request", undelivered.request.public_id)
    assert "Not delivered" in text
    assert f"Node North did not take your request. Its answer: {REASON}" in text
    assert "Send again" in text
    [letter] = mailoutbox
    assert (letter.to, letter.subject) == (
        [researcher.email], "Something you sent did not reach Karlsund University Hospital",
    )  # fmt: skip
    assert AuditRecord.objects.filter(verb="access.undelivered", object_id=undelivered.pk).count() == 1
    assert not AccessRequest.objects.filter(hub__isnull=False).exists()


def test_it_is_sent_again_with_its_documents(undelivered, researcher, carry):
    Listing.objects.update(is_listed=True)
    assert post(researcher, "access-send-again", undelivered).status_code == 302
    assert carry() == ["access.request", "access.document"]
    undelivered.refresh_from_db()
    assert (undelivered.state, undelivered.undelivered) == (there().state, "") == (State.SENT, "")
    assert documents.content_of(AccessDocument.objects.get(request__hub__isnull=False)) == PDF
    with pytest.raises(ValidationError, match="has all of it"):
        asking.send_again(by=researcher, part=undelivered)
    assert not Message.objects.filter(confirmed_at=None).exists()


def test_what_left_the_catalogue_is_not_sent_again(undelivered, researcher, remote):
    Listing.objects.filter(pk=remote.pk).update(is_listed=False)
    with pytest.raises(ValidationError, match=r"no longer in the catalogue\. Give this part up\."):
        asking.send_again(by=researcher, part=undelivered)


def test_all_that_goes_to_the_node_goes_together(researcher, prepared, breast, member, lung_listing, carry):
    from network.access import cart

    breast_there = listed(breast)
    other = Listing.objects.create(
        node=member, slug="north--breast", title="Breast", organisation="Ribera", organisation_slug="ribera",
        country="ES", is_listed=True,
    )  # fmt: skip
    cart.add(by=researcher, listing=other, mode="view")
    Listing.objects.filter(pk=breast_there.pk).update(is_listed=False)
    asking.send(by=researcher, request=prepared)
    carry(is_expected=True)
    assert {part.state for part in prepared.parts.all()} == {State.UNDELIVERED}
    good, lost = prepared.parts.order_by("organisation_slug")
    asking.drop(by=researcher, part=lost)
    asking.send_again(by=researcher, part=good)
    assert carry() == ["access.request", "access.document"]
    assert there().organisation.slug == "karlsund"
    lost.refresh_from_db()
    assert lost.state == State.DROPPED


def test_a_part_that_is_given_up_leaves_nothing_to_withdraw(undelivered, researcher, carry):
    assert post(researcher, "access-drop", undelivered).status_code == 302
    undelivered.refresh_from_db()
    assert undelivered.state == State.DROPPED
    text = text_of(researcher, "access-request", undelivered.request.public_id)
    assert "its node never had it" in text
    assert "Send again" not in text
    with pytest.raises(ValidationError, match="gave it up"):
        asking.send_again(by=researcher, part=undelivered)
    asking.withdraw(by=researcher, request=undelivered.request)
    assert carry() == []


def test_withdrawn_before_the_refusal_is_over(researcher, prepared, lung_listing, carry, mailoutbox):
    asking.send(by=researcher, request=prepared)
    asking.withdraw(by=researcher, request=prepared)
    Listing.objects.filter(pk=lung_listing.pk).update(is_listed=False)
    with TestCase.captureOnCommitCallbacks(execute=True):
        carry(is_expected=True)
    assert prepared.parts.get().state == State.DROPPED
    assert mailoutbox == []


def test_an_answer_that_is_refused_is_written_again(asked, researcher, judge, carry):
    deciding.ask(by=judge, part=there(), text="Who works with it?")
    carry()
    asking.answer(by=researcher, part=asked, text="Two of us.")
    refuse("access.message")
    asked.refresh_from_db()
    assert asked.state == State.QUESTION
    text = text_of(researcher, "access-request", asked.request.public_id)
    assert "Not delivered: The disk is full. Write it again." in text
    asking.answer(by=researcher, part=asked, text="Two of us.")
    carry()
    asked.refresh_from_db()
    assert asked.state == State.SENT
    assert [row.text for row in there().messages.all()] == ["Who works with it?", "Two of us."]


def test_a_question_that_is_refused_waits_for_the_committee_again(asked, judge):
    deciding.ask(by=judge, part=there(), text="Who works with it?")
    refuse("access.asked")
    assert there().state == State.SENT
    assert "Not delivered: The disk is full." in text_of(judge, "access-part", there().public_id)


def test_an_agreement_that_is_refused_is_accepted_again(asked, researcher, judge, carry):
    approved(there(), judge)
    carry()
    agreed(asked)
    refuse("access.agreed")
    asked.refresh_from_db()
    assert (asked.state, asked.agreed_at) == (State.APPROVED, None)
    text = text_of(researcher, "access-request", asked.request.public_id)
    assert "Node North did not take your agreement: accept it again. Its answer: The disk is full." in text
    agreed(asked)
    carry()
    asked.refresh_from_db()
    assert (asked.state, asked.undelivered) == (State.GRANTED, "")
    assert AccessGrant.objects.count() == 1


def test_a_withdrawal_that_is_refused_is_sent_again(asked, researcher, judge, carry):
    approved(there(), judge)
    carry()
    agreed(asked)
    carry()
    asking.withdraw(by=researcher, request=asked.request)
    refuse("access.withdrawn")
    assert there().state == State.GRANTED
    text = text_of(researcher, "access-request", asked.request.public_id)
    assert "Node North did not take your withdrawal. Its answer: The disk is full." in text
    post(researcher, "access-send-again", asked)
    carry()
    asked.refresh_from_db()
    assert (asked.state, asked.undelivered) == (there().state, "") == (State.WITHDRAWN, "")


def test_a_document_that_is_refused_is_sent_again_alone(researcher, prepared, carry):
    asking.send(by=researcher, request=prepared)
    refuse("access.document")
    carry()
    part = prepared.parts.get()
    assert (part.state, part.undelivered) == (State.SENT, "“vote.pdf”: The disk is full.")
    assert "did not take a document" in text_of(researcher, "access-request", prepared.public_id)
    asking.send_again(by=researcher, part=part)
    assert carry() == ["access.document"]
    part.refresh_from_db()
    assert part.undelivered == ""
    assert AccessDocument.objects.get(request__hub__isnull=False).object_key


def test_a_committee_learns_that_its_decision_did_not_arrive(asked, judge, carry):
    approved(there(), judge, mode="view")
    refuse("access.state", "No request here has this name.")
    text = text_of(judge, "access-part", there().public_id)
    assert "the researcher does not know of it" in text
    assert "No request here has this name." in text
    approved(there(), judge, mode="count")
    carry()
    assert there().undelivered == ""


def test_what_is_confirmed_keeps_no_names_texts_or_documents(asked, researcher, judge, carry):
    deciding.ask(by=judge, part=there(), text="Who works with it?")
    carry()
    asking.answer(by=researcher, part=asked, text="Two of us.")
    approved(there(), judge, mode="view")
    carry()
    kept = "".join(str(message.body) for message in Message.objects.all())
    assert asked.request.public_id in kept
    for what in ("Mira", "mira@", "Two of us", "Who works", "purpose", base64.b64encode(PDF).decode()):
        assert what not in kept
    told = {name for message in Message.objects.all() for name in message.body}
    assert told == {"request", "organisation", "id", "state"}


def test_only_the_researcher_sends_again_or_gives_up(undelivered, judge):
    stranger = person("otto")
    for user in (judge, stranger):
        for name in ("access-send-again", "access-drop"):
            assert post(user, name, undelivered).status_code == 404
        for deed in (asking.send_again, asking.drop):
            with pytest.raises(PermissionDenied):
                deed(by=user, part=undelivered)
    undelivered.refresh_from_db()
    assert undelivered.state == State.UNDELIVERED
