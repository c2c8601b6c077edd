"""What is kept for a while, and what for ever."""

from datetime import timedelta

import pytest
from django.utils import timezone

from network.federation import catalogue
from network.federation.tasks import clear_messages_between_nodes
from network.models import Message, Node, ReceivedMessage, SeenNonce

NOW = timezone.now()
LONG_AGO = NOW - timedelta(days=40)
YESTERDAY = NOW - timedelta(days=1)


@pytest.fixture
def nodes(db) -> list[Node]:
    return [
        Node.objects.create(part=Node.Part.MEMBER, slug=name, name=name.title(), public_key=name)
        for name in ("north", "south")
    ]


def test_old_messages_go_and_the_last_catalogue_of_each_node_stays(nodes) -> None:
    kept = []
    for node in nodes:
        for kind, confirmed_at, stays in (
            (catalogue.KIND, LONG_AGO, False),
            (catalogue.KIND, LONG_AGO, True),  # the last of them
            ("answer", LONG_AGO, False),
            ("answer", YESTERDAY, True),
            ("answer", None, True),
        ):
            one = Message.objects.create(node=node, kind=kind, body={}, confirmed_at=confirmed_at)
            kept += [one.pk] if stays else []
    clear_messages_between_nodes(0)
    assert sorted(Message.objects.values_list("pk", flat=True)) == sorted(kept)


def test_what_nobody_fetched_goes_a_week_after_it_expired(nodes) -> None:
    for expires_at in (LONG_AGO, YESTERDAY, None):
        Message.objects.create(node=nodes[0], kind="question", body={}, expires_at=expires_at)
    clear_messages_between_nodes(0)
    assert set(Message.objects.values_list("expires_at", flat=True)) == {YESTERDAY, None}


def test_nonces_go_when_they_expire_and_notes_of_messages_after_a_month(nodes) -> None:
    for at in (YESTERDAY, timezone.now() + timedelta(minutes=5)):
        SeenNonce.objects.create(node=nodes[0], nonce=f"nonce-{at:%d%H%M%S}", expires_at=at)
    for number, at in enumerate((LONG_AGO, YESTERDAY)):
        one = ReceivedMessage.objects.create(node=nodes[0], uid=f"message{number}", done_at=at)
        ReceivedMessage.objects.filter(pk=one.pk).update(done_at=at)
    clear_messages_between_nodes(0)
    assert SeenNonce.objects.count() == 1
    assert ReceivedMessage.objects.get().uid == "message1"
