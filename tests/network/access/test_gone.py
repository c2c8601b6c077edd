"""A node leaves: what waits for it ends on both sides, in words, and is told once."""

import pytest
from django.core.exceptions import ValidationError
from django.test import TestCase
from django.urls import reverse

from accounts import permissions
from network.access import asking, cart, deciding, gone, receiving
from network.access.states import State
from network.federation import joining, membership, messages
from network.models import AccessPart, AccessRequest, Listing, Message, Node
from tests.cast import person, signed_in
from tests.network.access.conftest import agreed, approved, there

pytestmark = pytest.mark.django_db


@pytest.fixture
def leave(member):
    """The node leaves its hub."""

    def leave() -> None:
        with TestCase.captureOnCommitCallbacks(execute=True):
            membership.left(member)

    return leave


def page_of(part: AccessPart) -> str:
    client = signed_in(part.request.by)
    return client.get(reverse("access-request", args=[part.request.public_id])).content.decode()


def test_what_waits_for_a_node_that_leaves_ends_and_says_what_to_do(asked, leave, mailoutbox):
    leave()
    asked.refresh_from_db()
    assert asked.state == State.GONE
    text = page_of(asked)
    assert "Its node has left the network" in text
    assert "Node North has left the network: nobody there answers this any more." in text
    assert f'href="{reverse("catalogue")}">Look for other datasets' in text
    assert "Withdraw this request" not in text
    (letter,) = mailoutbox
    assert letter.to == [asked.request.by.email]
    assert letter.subject == "The node of Karlsund University Hospital has left the network"
    assert "Lung nodules" in letter.body
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert gone.end() == 0
    assert len(mailoutbox) == 1


def test_an_administrator_removes_it_and_it_is_the_same(asked, member):
    administrator = person("ines")
    permissions.grant(user=administrator, role="administrator", scope=None)
    with TestCase.captureOnCommitCallbacks(execute=True):
        membership.remove(by=administrator, node=member)
    asked.refresh_from_db()
    assert asked.state == State.GONE


def test_a_node_that_is_suspended_is_waited_for(asked, member):
    administrator = person("ines")
    permissions.grant(user=administrator, role="administrator", scope=None)
    with TestCase.captureOnCommitCallbacks(execute=True):
        membership.suspend(by=administrator, node=member)
    asked.refresh_from_db()
    assert asked.state == State.SENT


def test_one_letter_tells_of_all_that_was_asked_there(researcher, prepared, member, leave, mailoutbox):
    other = Listing.objects.create(
        node=member, slug="north--breast", title="Breast", organisation="Ribera", organisation_slug="ribera",
        country="ES", is_listed=True,
    )  # fmt: skip
    cart.add(by=researcher, listing=other, mode="view")
    asking.send(by=researcher, request=prepared)
    leave()
    assert {part.state for part in prepared.parts.all()} == {State.GONE}
    (letter,) = mailoutbox
    assert "Lung nodules" in letter.body
    assert "Breast" in letter.body


def test_an_agreement_can_no_longer_be_accepted_and_nothing_says_granted(asked, judge, carry, leave):
    approved(there(), judge)
    carry()
    leave()
    text = page_of(asked)
    assert "Accept: open access" not in text
    assert "Not granted" in text
    with pytest.raises(ValidationError, match="has left the network"):
        agreed(asked)


def test_what_was_granted_is_left_to_who_granted_it(asked, judge, carry, leave):
    approved(there(), judge)
    carry()
    agreed(asked)
    carry()
    leave()
    asked.refresh_from_db()
    assert asked.state == State.GRANTED


def test_what_other_nodes_decide_goes_on(researcher, prepared, breast_listing, other_judge, leave):
    cart.add(by=researcher, listing=breast_listing, mode="view")
    asking.send(by=researcher, request=prepared)
    leave()
    here = prepared.parts.get(node=None)
    assert here.state == State.SENT
    assert "Withdraw this request" in page_of(here)
    asking.withdraw(by=researcher, request=prepared)
    assert sorted(prepared.parts.values_list("state", flat=True)) == ["gone", "withdrawn"]
    assert not Message.objects.filter(confirmed_at=None).exists()


def test_a_node_that_comes_back_is_asked_anew(asked, member, judge, leave):
    leave()
    Node.objects.filter(pk=member.pk).update(state="active")
    approved(there(), judge)
    state = Message.objects.get(kind="access.state")
    with pytest.raises(messages.Refused):
        receiving.state(member, state.body)
    asked.refresh_from_db()
    assert asked.state == State.GONE


def test_at_the_node_nobody_decides_any_more_for_a_hub_that_it_left(asked, judge, monkeypatch, mailoutbox):
    monkeypatch.setattr(joining, "_call", lambda *args: {})
    with TestCase.captureOnCommitCallbacks(execute=True):
        joining.leave(by=None)
    part = there()
    assert part.state == State.GONE
    assert mailoutbox == []
    text = signed_in(judge).get(reverse("access-part", args=[part.public_id])).content.decode()
    assert "This node has left the hub where it was asked" in text
    with pytest.raises(ValidationError, match="has left the network"):
        deciding.ask(by=judge, part=part, text="Who works with it?")
    assert not AccessRequest.objects.filter(parts__state__in=["sent"], hub__isnull=False).exists()


def test_what_was_sent_while_it_left_ends_with_the_next_hour(asked, member):
    Node.objects.filter(pk=member.pk).update(state="left")
    assert gone.end() == 1
    asked.refresh_from_db()
    assert asked.state == State.GONE
