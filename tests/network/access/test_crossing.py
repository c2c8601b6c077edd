"""A request made at a hub for another node's datasets, as both sides see it."""

import base64
import datetime

import pytest
from django.core.exceptions import PermissionDenied
from django.test import TestCase
from django.utils import timezone

from accounts.models import ExternalIdentity, User
from network.access import asking, deciding, documents, ending, policies, receiving, states
from network.access.states import State
from network.federation.messages import Refused
from network.models import (
    AccessDocument,
    AccessGrant,
    AccessMessage,
    AccessPart,
    AccessRequest,
    Listing,
    Node,
)
from tests.network.access.conftest import NEXT_YEAR, PDF, agreed, approved, there

pytestmark = pytest.mark.django_db


def test_a_request_arrives_with_its_person_and_documents(asked, researcher, lung, lung_listing, hub):
    part = there()
    assert (part.organisation, part.state) == (lung.organisation, State.SENT)
    assert [(item.listing, item.mode) for item in part.items.all()] == [(lung_listing, "download")]
    request = part.request
    assert (request.title, request.affiliation) == ("Small nodules", "University of Lund, radiology")
    assert request.email == "mira@example.org"
    visitor = request.by
    assert visitor != researcher
    assert (visitor.display_name, visitor.has_usable_password()) == ("Mira Holm", False)
    identity = ExternalIdentity.objects.get(user=visitor)
    assert (identity.issuer, identity.subject) == ("https://hub.example", researcher.public_id)
    document = AccessDocument.objects.get(request=request)
    assert documents.content_of(document) == PDF
    assert policies.own_requests(visitor).count() == 0  # it is seen where it was made


def test_states_and_questions_flow_both_ways(asked, researcher, judge, lung, carry):
    deciding.ask(by=judge, part=there(), text="Who works with it?")
    carry()
    asked.refresh_from_db()
    assert asked.state == State.QUESTION
    assert [(m.is_of_committee, m.by, m.text) for m in asked.messages.all()] == [
        (True, None, "Who works with it?")
    ]
    asking.answer(by=researcher, part=asked, text="Two of us.")
    carry()
    assert there().state == State.SENT
    assert [m.text for m in there().messages.all()] == ["Who works with it?", "Two of us."]
    approved(there(), judge, mode="view")
    carry()
    asked.refresh_from_db()
    assert asked.state == State.APPROVED
    item = asked.items.get()
    assert (item.granted_mode, item.ends_on) == ("view", NEXT_YEAR)
    assert states.terms_sha256(asked) == states.terms_sha256(there())
    agreed(asked)
    assert not AccessGrant.objects.exists()  # not before the node has heard
    carry()
    asked.refresh_from_db()
    assert asked.state == there().state == State.GRANTED
    grant = AccessGrant.objects.get()
    assert (grant.user, grant.dataset, grant.mode) == (there().request.by, lung, "view")


def test_a_refusal_and_its_reason_come_back(asked, judge, carry):
    deciding.refuse(by=judge, part=there(), reason="No vote.")
    carry()
    asked.refresh_from_db()
    assert (asked.state, asked.reason) == (State.REFUSED, "No vote.")


def test_agreeing_to_what_was_changed_meanwhile_opens_nothing(asked, judge, carry):
    approved(there(), judge, mode="view")
    carry()
    approved(there(), judge, mode="count")  # on its way while the researcher agrees
    agreed(asked)
    carry()
    asked.refresh_from_db()
    assert not AccessGrant.objects.exists()
    assert (asked.state, asked.agreed_at) == (State.APPROVED, None)
    assert asked.items.get().granted_mode == "count"
    agreed(asked)
    carry()
    assert AccessGrant.objects.get().mode == "count"


def test_a_withdrawal_at_the_hub_ends_access_at_the_node(asked, researcher, judge, carry):
    approved(there(), judge)
    carry()
    agreed(asked)
    carry()
    asking.withdraw(by=researcher, request=asked.request)
    carry()
    asked.refresh_from_db()
    assert there().state == asked.state == State.WITHDRAWN
    assert not policies.grants_that_hold(there().request.by).exists()


def test_what_was_withdrawn_is_not_open_again_by_an_older_word(granted, researcher, member, carry):
    asking.withdraw(by=researcher, request=granted.request)
    receiving.state(member, said(granted))
    granted.refresh_from_db()
    assert granted.state == State.WITHDRAWN
    carry()
    granted.refresh_from_db()
    assert there().state == granted.state == State.WITHDRAWN


def test_withdrawing_and_approving_cross_on_the_way(asked, researcher, judge, carry):
    approved(there(), judge)
    asking.withdraw(by=researcher, request=asked.request)
    carry()
    asked.refresh_from_db()
    assert there().state == State.WITHDRAWN
    assert asked.state == State.WITHDRAWN
    assert not AccessGrant.objects.exists()


def test_what_a_committee_withdraws_or_time_ends_is_told(asked, judge, carry, lung):
    approved(there(), judge)
    carry()
    agreed(asked)
    carry()
    yesterday = timezone.localdate() - datetime.timedelta(days=1)
    there().items.update(ends_on=yesterday)
    ending.run()
    carry()
    asked.refresh_from_db()
    assert asked.state == there().state == State.ENDED
    assert asked.agreed_sha256 == states.terms_sha256(asked)  # on record as it was accepted


def test_a_node_speaks_of_its_own_parts_only(asked, researcher, breast_listing):
    other = Node.objects.create(part="member", slug="east", name="East", public_key="c" * 64)
    body = {
        "request": asked.request.public_id, "organisation": "karlsund", "state": "granted", "conditions": "",
        "agreement": "", "reason": "", "items": [],
    }  # fmt: skip
    with pytest.raises(Refused, match="No request here"):
        receiving.state(other, body)
    with pytest.raises(Refused, match="No request here"):
        receiving.asked(other, {**body, "id": "1", "text": "Give me your password."})
    asked.refresh_from_db()
    assert asked.state == State.SENT


def said(part: AccessPart, **facts) -> dict:
    """What the node says of the part, other than it is."""
    item = part.items.get()
    told = {
        "request": part.request.public_id, "organisation": "karlsund", "state": part.state, "reason": "",
        "conditions": part.conditions, "agreement": part.agreement,
        "items": [
            {"dataset": "lung", "mode": item.granted_mode, "ends_on": str(NEXT_YEAR), "withdrawn": False}
        ],
    }  # fmt: skip
    return {**told, **facts}


def test_a_nodes_word_opens_nothing_at_the_hub(asked, member):
    with pytest.raises(Refused, match="has accepted no agreement"):
        receiving.state(member, said(asked, state="granted"))
    asked.refresh_from_db()
    assert asked.state == State.SENT
    assert not AccessGrant.objects.exists()


@pytest.fixture
def granted(asked, judge, carry) -> AccessPart:
    """Accepted at the hub, open at the node."""
    approved(there(), judge, mode="view")
    carry()
    agreed(asked)
    carry()
    asked.refresh_from_db()
    assert asked.state == State.GRANTED
    return asked


@pytest.mark.parametrize(
    "facts",
    [
        {"agreement": "All rights are the hospital's."},
        {"conditions": "Pay."},
        {"items": [{"dataset": "lung", "mode": "count", "ends_on": str(NEXT_YEAR), "withdrawn": False}]},
        {"items": []},
        {"state": "approved", "agreement": "All rights are the hospital's."},
        {"state": "approved"},
        {"state": "sent"},
    ],
)
def test_what_was_accepted_stays_word_for_word(granted, member, facts):
    with pytest.raises(Refused, match="has accepted"):
        receiving.state(member, said(granted, **facts))
    now = AccessPart.objects.get(pk=granted.pk)
    assert (now.state, now.agreement, now.conditions) == (State.GRANTED, granted.agreement, "")
    assert now.agreed_sha256 == states.terms_sha256(now)


def test_an_end_changes_nothing_of_what_was_accepted(granted, member):
    receiving.state(
        member, said(granted, state="withdrawn", reason="A breach.", agreement="Other.", items=[])
    )
    now = AccessPart.objects.get(pk=granted.pk)
    assert (now.state, now.reason, now.agreement) == (State.WITHDRAWN, "A breach.", granted.agreement)
    assert now.agreed_sha256 == states.terms_sha256(now)


def test_a_refusal_meets_the_agreement_on_its_way(asked, judge, carry):
    approved(there(), judge, mode="view")
    carry()
    deciding.refuse(by=judge, part=there(), reason="No vote.")
    agreed(asked)
    carry()
    asked.refresh_from_db()
    assert (asked.state, asked.reason, asked.items.get().granted_mode) == (State.REFUSED, "No vote.", "")
    assert not AccessGrant.objects.exists()


def test_another_hub_speaks_of_its_own_requests_only(asked, hub):
    Node.objects.filter(pk=hub.pk).update(state="left")
    other = Node.objects.create(part="hub", slug="other", name="Other hub", public_key="d" * 64)
    for kind, more in (
        ("access.withdrawn", {}),
        ("access.agreed", {"organisation": "karlsund", "sha256": "0" * 64}),
        ("access.message", {"organisation": "karlsund", "id": "1", "text": "Hello"}),
        ("access.document", {"id": "1", "content": ""}),
    ):
        with pytest.raises(Refused):
            receiving.KINDS[kind](other, {"request": asked.request.public_id, **more})
    assert there().state == State.SENT


def request_body(**facts) -> dict:
    told = {
        "request": "abc123",
        "person": {"sub": "xyz", "given_name": "Mira", "family_name": "Holm", "email": "mira@example.org"},
        "affiliation": "Lund", "title": "Nodules", "purpose": "We train.", "use_terms": ["DUO:0000037"],
        "documents": [],
        "parts": [{"organisation": "karlsund", "items": [{"dataset": "lung", "mode": "view"}]}],
    }  # fmt: skip
    return {**told, **facts}


def test_an_account_here_with_the_same_address_is_not_taken_over(hub, researcher, lung_listing):
    receiving.request(hub, request_body())
    visitor = there().request.by
    assert visitor != researcher
    assert visitor.email == ""
    assert there().request.email == "mira@example.org"


@pytest.mark.parametrize("how", ["account", "later", "earlier", "e-mail"])
def test_nobody_decides_about_what_they_asked_for_at_a_hub(
    hub, judge, colleague, lung_listing, how, mailoutbox
):
    """The same person, though the request may have come with another account."""
    identity = ExternalIdentity(user=judge, issuer=hub.address, subject="xyz")
    mine = {"sub": "xyz", "given_name": "Anna", "family_name": "Rossi", "email": "a@elsewhere.example"}
    if how in ("account", "earlier"):
        identity.save()
    if how == "earlier":
        receiving.request(hub, request_body(person=mine, request="before"))
        identity.delete()
    if how == "e-mail":
        mine["email"] = judge.email.upper()
    waiting = policies.waiting_for_committee(judge)
    with TestCase.captureOnCommitCallbacks(execute=True):
        receiving.request(hub, request_body(person=mine))
    part = AccessPart.objects.get(request__uid="abc123")
    if how == "later":
        ExternalIdentity.objects.update(user=judge)
    else:
        assert [letter.to for letter in mailoutbox] == [[colleague.email]]
    assert policies.waiting_for_committee(judge) == waiting
    assert policies.waiting_for_committee(colleague) > 0
    for deed in (
        lambda: approved(part, judge, mode="view"),
        lambda: deciding.refuse(by=judge, part=part, reason="No."),
        lambda: deciding.ask(by=judge, part=part, text="Who?"),
    ):
        with pytest.raises(PermissionDenied, match="Someone else"):
            deed()
    approved(part, colleague, mode="view")


@pytest.mark.parametrize(
    "facts",
    [
        {"request": "../x"},
        {"request": 5},
        {"person": {}},
        {"person": {"sub": "x" * 301}},
        {"person": {"given_name": "Nobody"}},
        {"title": ""},
        {"title": "a" * 201},
        {"purpose": "a" * 10_001},
        {"use_terms": ["DUO:1234567"]},
        {"use_terms": "all"},
        {"parts": []},
        {"parts": [{"organisation": "karlsund", "items": []}]},
        {"parts": [{"organisation": "karlsund", "items": [{"dataset": "lung", "mode": "own"}]}]},
        {"parts": [{"organisation": "karlsund", "items": [{"dataset": "secret", "mode": "view"}]}]},
        {"parts": [{"organisation": "ribera", "items": [{"dataset": "lung", "mode": "view"}]}]},
        {"parts": [{"organisation": "karlsund", "items": [{"dataset": "lung", "mode": "view"}]}] * 2},
        {"documents": [{"id": "1", "name": "x.exe", "size": 5, "sha256": "0" * 64}]},
        {"documents": [{"id": "1", "name": "x.pdf", "size": 5_000_001, "sha256": "0" * 64}]},
        {"documents": [{"id": "1", "name": "x.pdf", "size": 5, "sha256": "0" * 63}]},
    ],
)
def test_what_is_not_a_request_is_refused_in_a_sentence(hub, lung_listing, breast_listing, facts):
    from django.db import transaction

    with pytest.raises(Refused) as refused, transaction.atomic():
        receiving.request(hub, request_body(**facts))
    assert str(refused.value).endswith(".")
    assert not AccessRequest.objects.exists()
    assert not User.objects.filter(external_identities__isnull=False).exists()


def test_what_is_not_listed_here_is_not_asked_for_here(hub, lung_listing):
    Listing.objects.update(is_listed=False)
    with pytest.raises(Refused, match="not in the catalogue"):
        receiving.request(hub, request_body())


def test_a_document_has_to_be_the_one_announced(hub, lung_listing):
    import hashlib

    announced = {"id": "1", "name": "vote.pdf", "size": len(PDF), "sha256": hashlib.sha256(PDF).hexdigest()}
    receiving.request(hub, request_body(documents=[announced]))
    for content in (b"%PDF-another", PDF + b"x"):
        with pytest.raises(Refused, match="not the one"):
            receiving.document(
                hub, {"request": "abc123", "id": "1", "content": base64.b64encode(content).decode()}
            )
    with pytest.raises(Refused, match="can't be read"):
        receiving.document(hub, {"request": "abc123", "id": "1", "content": "%%%"})
    assert AccessDocument.objects.get().object_key == ""


def test_hidden_signs_of_another_node_are_left_out(hub, lung_listing):
    receiving.request(hub, request_body(title="Nod\x00ules\u202e", purpose="<b>We</b>\ntrain.\x07"))
    assert there().request.title == "Nodules"
    assert there().request.purpose == "<b>We</b>\ntrain."


def test_a_message_that_comes_twice_is_kept_once(asked, hub):
    body = {"request": asked.request.public_id, "organisation": "karlsund", "id": "m1", "text": "More."}
    receiving.message(hub, body)
    receiving.message(hub, body)
    assert AccessMessage.objects.filter(text="More.").count() == 1
