"""The mailbox: what is sent waits, what arrives acts once, what fails is tried again, refusals are told."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from network.federation import bell, messages, nodes
from network.models import Message, Node, ReceivedMessage

pytestmark = pytest.mark.django_db


@pytest.fixture
def porto(db) -> Node:
    return Node.objects.create(part="member", slug="porto", name="Porto", public_key="a" * 64)


@pytest.fixture
def our_hub(db) -> Node:
    return Node.objects.create(part="hub", slug="hub", name="Hub", public_key="b" * 64)


def incoming(*bodies: dict) -> list[dict]:
    return [{"id": f"m{at}", "kind": "said", "body": body} for at, body in enumerate(bodies)]


def test_who_waits_is_woken_after_the_commit(porto, kinds, monkeypatch, django_capture_on_commit_callbacks):
    rung = []
    monkeypatch.setattr(bell, "ring", rung.append)
    with django_capture_on_commit_callbacks(execute=True):
        messages.send(porto, "told", {})
        assert rung == []
    assert rung == [porto]


@pytest.mark.parametrize("kind", ["said", "unheard-of", "catalogue"])
def test_a_side_sends_its_own_kinds_only(porto, kinds, kind):
    with pytest.raises(ValueError, match="doesn't send"):
        messages.send(porto, kind, {})


def test_kinds_are_known_before_they_are_registered():
    with pytest.raises(ValueError, match="SENT_BY"):
        messages.register("gossip", lambda node, body: None)


def test_a_body_has_a_limit(porto, kinds, monkeypatch):
    monkeypatch.setattr(messages, "BODY_BYTES_MAX", 100)
    with pytest.raises(ValueError, match="too large"):
        messages.send(porto, "told", {"text": "x" * 100})


def test_what_has_expired_is_not_delivered(porto, kinds):
    messages.send(porto, "told", {"n": 1}, expires_at=timezone.now() - timedelta(seconds=1))
    messages.send(porto, "told", {"n": 2}, expires_at=timezone.now() + timedelta(hours=1))
    assert [each["body"] for each in messages.waiting(porto)] == [{"n": 2}]


def test_a_delivery_holds_as_much_as_fits_and_at_least_one(porto, kinds):
    for n in range(5):
        messages.send(porto, "told", {"n": n, "text": "x" * 100})
    assert len(messages.waiting(porto, size=10)) == 1
    assert len(messages.waiting(porto, size=250)) == 2
    assert len(messages.waiting(porto, count=3)) == 3


def test_a_newer_message_takes_the_place_of_one_that_waits(our_hub, kinds):
    messages.register("said", lambda node, body: None, is_replaced=True)
    for n in (1, 2):
        messages.send(our_hub, "said", {"n": n})
    assert [each["body"] for each in messages.waiting(our_hub)] == [{"n": 2}]


def test_a_sender_hears_once_that_its_message_arrived(porto, kinds):
    heard = []
    messages.register("told", lambda node, body: None, confirmed=lambda m: heard.append((m.pk, m.refused)))
    message = messages.send(porto, "told", {})
    for _ in range(2):
        messages.confirm(porto, {message.public_id: "No.", "unknown": ""})
    assert heard == [(message.pk, "No.")]


def test_a_sender_that_fails_at_hearing_so_does_not_send_again(porto, kinds):
    def fail(message: Message) -> None:
        raise RuntimeError("A mistake of ours.")

    messages.register("told", lambda node, body: None, confirmed=fail)
    message = messages.send(porto, "told", {})
    messages.confirm(porto, {message.public_id: ""})
    assert messages.waiting(porto) == []


def test_what_a_message_did_is_undone_when_it_fails_and_it_holds_up_the_rest(porto, kinds):
    def receive(node: Node, body: dict) -> None:
        Node.objects.filter(pk=node.pk).update(name="changed")
        if "fail" in body:
            raise RuntimeError("Not yet.")

    messages.register("said", receive)
    assert messages.accept(porto, incoming({"fail": 1}, {})) == {}
    porto.refresh_from_db()
    assert porto.name == "Porto"
    messages.register("said", lambda node, body: None)
    assert messages.accept(porto, incoming({"fail": 1}, {})) == {"m0": "", "m1": ""}


def test_a_message_that_always_fails_is_given_up_and_its_sender_told(porto, kinds, monkeypatch):
    monkeypatch.setattr(messages, "ATTEMPTS_MAX", 3)
    letters = incoming({"fail": "always"}, {"n": 1})
    assert messages.accept(porto, letters) == {}
    assert messages.accept(porto, letters) == {}
    done = messages.accept(porto, letters)
    assert "3 attempts" in done["m0"]
    assert done["m1"] == ""
    assert messages.accept(porto, letters) == done
    assert len(kinds) == 4


def test_a_database_that_is_away_is_no_fault_of_a_message(porto, kinds):
    def receive(node: Node, body: dict) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    messages.register("said", receive)
    with pytest.raises(OperationalError):
        messages.accept(porto, incoming({}))
    assert not ReceivedMessage.objects.exists()


def test_a_refusal_is_final_and_kept(porto, kinds):
    assert messages.accept(porto, incoming({"refuse": "Too old.\x1b[31m" + "x" * 600}, {})) == {
        "m0": ("Too old. [31m" + "x" * 600)[:500],
        "m1": "",
    }
    assert messages.accept(porto, incoming({}))["m0"].startswith("Too old.")
    assert ReceivedMessage.objects.get(uid="m0").refused.startswith("Too old.")


def test_an_unknown_kind_is_refused_not_kept_waiting(porto, kinds):
    done = messages.accept(porto, [{"id": "1", "kind": "from-the-future", "body": {}}])
    assert "older" in done["1"]


def test_ids_of_two_nodes_may_be_alike(porto, our_hub, kinds):
    assert messages.accept(porto, incoming({})) == {"m0": ""}
    assert messages.accept(our_hub, [{"id": "m0", "kind": "told", "body": {}}]) == {"m0": ""}
    assert [slug for slug, _ in kinds] == ["porto", "hub"]


def test_a_hub_that_was_left_is_none(our_hub):
    assert nodes.hub() == our_hub
    Node.objects.update(state=Node.State.LEFT)
    assert nodes.hub() is None
    assert not nodes.hub_is_known()
