"""The mailbox between nodes: at least once, in order for each node, acted upon once.

`send` writes a row in the caller's transaction; it stays until the other side has confirmed it. On a hub the
node fetches it, at a node the agent brings it to the hub. What arrives is handed to the function that was
registered for its kind, in one transaction with the note that it was received, so a message that comes twice
acts once.
"""

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Q, TextField
from django.db.models.functions import Cast, Length
from django.utils import timezone, translation

from network.federation import bell
from network.models import Message, Node, ReceivedMessage

logger = logging.getLogger(__name__)

type Receive = Callable[[Node, dict[str, Any]], None]
type Confirmed = Callable[[Message], None]

SENT_BY: dict[str, Node.Part] = {
    "question": Node.Part.HUB,
    "question.withdrawn": Node.Part.HUB,
    "access.request": Node.Part.HUB,
    "access.document": Node.Part.HUB,
    "access.message": Node.Part.HUB,
    "access.agreed": Node.Part.HUB,
    "access.withdrawn": Node.Part.HUB,
    "catalogue": Node.Part.MEMBER,
    "answer": Node.Part.MEMBER,
    "access.state": Node.Part.MEMBER,
    "access.asked": Node.Part.MEMBER,
    "invitation": Node.Part.MEMBER,
    "person": Node.Part.MEMBER,
}
"""Every kind of message, and which side sends it: from the other side it is refused."""

BODY_BYTES_MAX = 8 * 1024 * 1024
ATTEMPTS_MAX = 30
"""With the pauses between them about half an hour; then a message that fails no longer holds up the rest."""

REASON_MAX = 500


class Refused(Exception):
    """This message can't be accepted, now or later. Its text is a sentence that the sender gets to see."""


@dataclass(frozen=True)
class _Kind:
    receive: Receive
    confirmed: Confirmed | None
    is_replaced: bool


_kinds: dict[str, _Kind] = {}


def register(
    kind: str, receive: Receive, *, confirmed: Confirmed | None = None, is_replaced: bool = False
) -> None:
    """Say what is done with messages of this kind, once, from `network.wiring`.

    receive: called with the sender and the body, in a transaction of its own. It must be idempotent, and the
        body is another node's: check it. Raising Refused confirms the message and tells the sender why;
        anything else that it raises undoes its work, and it is tried again.
    confirmed: called at the sender, in the transaction that notes it, when the other side has confirmed a
        message (`message.refused` holds its sentence if it was refused).
    is_replaced: a newer message of this kind takes the place of those that still wait.
    """
    if kind not in SENT_BY:
        raise ValueError(f"Messages of the kind {kind!r} aren't known: name their sender in SENT_BY first.")
    _kinds[kind] = _Kind(receive, confirmed, is_replaced)


# Sending ----------------------------------------------------------------------------------------


def send(node: Node, kind: str, body: dict[str, Any], *, expires_at: datetime | None = None) -> Message:
    """Leave a message for another node. It waits while that one is away, but not beyond `expires_at`.

    Raises ValueError for a kind that nobody registered, or that this side doesn't send, and for a body
    that is too large.
    """
    return send_to([node], kind, body, expires_at=expires_at)[0]


def send_to(
    nodes: Sequence[Node], kind: str, body: dict[str, Any], *, expires_at: datetime | None = None
) -> list[Message]:
    """The same to several, in their order, and in one statement. As `send`."""
    parts = {Node.Part.HUB if node.part == Node.Part.MEMBER else Node.Part.MEMBER for node in nodes}
    if kind not in _kinds or parts - {SENT_BY[kind]}:
        raise ValueError(f"This side of the network doesn't send messages of the kind {kind!r}.")
    size = len(json.dumps(body, separators=(",", ":")).encode())
    if size > BODY_BYTES_MAX:
        raise ValueError(f"A message of {size} bytes is too large (at most {BODY_BYTES_MAX}).")
    with transaction.atomic():
        if _kinds[kind].is_replaced:
            Message.objects.filter(node__in=nodes, kind=kind, confirmed_at=None).delete()
        made = Message.objects.bulk_create(
            [Message(node=node, kind=kind, body=body, expires_at=expires_at) for node in nodes]
        )
        for node in nodes:
            transaction.on_commit(partial(bell.ring, node), robust=True)
    return made


def waiting(node: Node, *, count: int = 50, size: int = BODY_BYTES_MAX) -> list[dict[str, Any]]:
    """The oldest messages that the node hasn't confirmed, in order, as they are sent: at least one if there
    is any, and otherwise no more than `count` of them or `size` bytes."""
    rows = node.messages.filter(confirmed_at=None).filter(
        Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    )
    oldest: list[int] = []
    for pk, length in rows.values_list("pk", Length(Cast("body", TextField())))[:count]:
        size -= length
        if oldest and size < 0:
            break
        oldest.append(pk)
    if not oldest:  # as it mostly is
        return []
    return [
        {"id": message.public_id, "kind": message.kind, "body": message.body}
        for message in node.messages.filter(pk__in=oldest)
    ]


@transaction.atomic
def confirm(node: Node, outcomes: dict[str, str]) -> None:
    """The node has these messages (id: its sentence if it refused, else ""). Unknown ids are passed over: a
    confirmation may come twice, and a node can only name its own."""
    rows = node.messages.select_for_update().filter(public_id__in=outcomes, confirmed_at=None)
    for message in rows:
        message.confirmed_at = timezone.now()
        message.refused = _sentence(outcomes[message.public_id])
        message.save(update_fields=["confirmed_at", "refused"])
        kind = _kinds.get(message.kind)
        if kind and kind.confirmed:
            try:
                with transaction.atomic():
                    kind.confirmed(message)
            except Exception:
                # It arrived, whatever happens here; sending it again would change nothing.
                logger.exception("Message %s was confirmed, but noting it failed.", message.public_id)


# Receiving --------------------------------------------------------------------------------------


def accept(node: Node, incoming: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Act upon messages of another node, in order, up to the first that has to be tried again.

    Returns those that are done with: id, and the sentence for the sender where it was refused (else "").
    Raises Refused where the list itself isn't one of messages.
    """
    done: dict[str, str] = {}
    for message in incoming:
        uid, kind, body = _parts(message)
        refused = _accept_one(node, uid, kind, body)
        if refused is None:
            break
        done[uid] = refused
    return done


def _parts(message: Any) -> tuple[str, str, dict[str, Any]]:
    if isinstance(message, dict):
        uid, kind, body = message.get("id"), message.get("kind"), message.get("body")
        if isinstance(uid, str) and 0 < len(uid) <= 40 and isinstance(kind, str) and isinstance(body, dict):
            return uid, kind[:40], body
    raise Refused("A message needs an id, a kind and a body.")


def _accept_one(node: Node, uid: str, kind: str, body: dict[str, Any]) -> str | None:
    """The sentence of refusal, "" where all went well; None: try it again."""
    try:
        with transaction.atomic():
            # Whoever brings the same message at the same time waits here for the row.
            ReceivedMessage.objects.bulk_create(
                [ReceivedMessage(node=node, uid=uid, kind=kind)], ignore_conflicts=True
            )
            received = ReceivedMessage.objects.select_for_update().get(node=node, uid=uid)
            if received.done_at is None:
                received.refused = _handle(node, kind, body)
                received.done_at = timezone.now()
                received.save(update_fields=["refused", "done_at"])
            return received.refused
    except (OperationalError, InterfaceError):
        raise  # the database is away: not this message's fault
    except Exception:
        logger.exception("A message of kind %s (%s) from node %s failed.", kind, uid, node.pk)
        return _note_failure(node, uid, kind)


def _handle(node: Node, kind: str, body: dict[str, Any]) -> str:
    if kind not in _kinds:
        return "This node doesn't know messages of that kind. Its software may be older."
    if SENT_BY[kind] != node.part:
        return "Messages of that kind don't go in this direction."
    try:
        with transaction.atomic(), translation.override(None):  # what we refuse is read there, in English
            _kinds[kind].receive(node, body)
    except Refused as refusal:
        return _sentence(str(refusal)) or "Refused."
    return ""


@transaction.atomic
def _note_failure(node: Node, uid: str, kind: str) -> str | None:
    received, _ = ReceivedMessage.objects.get_or_create(node=node, uid=uid, defaults={"kind": kind})
    received.attempts = F("attempts") + 1
    received.save(update_fields=["attempts"])
    received.refresh_from_db()
    if received.attempts < ATTEMPTS_MAX:
        return None
    received.refused = f"It could not be processed in {ATTEMPTS_MAX} attempts. The log there says why."
    received.done_at = timezone.now()
    received.save(update_fields=["refused", "done_at"])
    return received.refused


def _sentence(text: str) -> str:
    """Another node's words, fit to be kept and shown: one line, printable, not too long."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:REASON_MAX].strip()
