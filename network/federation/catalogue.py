"""A node publishes its catalogue to its hub whenever it has changed."""

import hashlib
import json
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from network import listings
from network.federation import messages
from network.models import Message, Node

KIND = "catalogue"
REFUSED_AGAIN = timedelta(hours=1)
"""A catalogue that the hub refused is offered again after this long: one of the two may have been updated."""


def publish_if_changed(hub: Node, *, is_wanted: bool = False) -> Message | None:
    """Leave the catalogue for the hub, unless it has it, or will get it, already.

    is_wanted: the hub says that it has none, as when this node was resumed there.
    """
    document = listings.document()
    digest = _digest(document)
    with transaction.atomic():
        hub = Node.objects.select_for_update().get(pk=hub.pk)
        if hub.state != Node.State.ACTIVE:
            return None
        if digest == hub.catalogue_digest:
            last = hub.messages.filter(kind=KIND).last()
            is_on_its_way = last is not None and last.confirmed_at is None
            if is_on_its_way or not is_wanted or _was_just_refused(last):
                return None
        hub.catalogue_digest = digest
        hub.save(update_fields=["catalogue_digest"])
        return messages.send(hub, KIND, {"digest": digest, "listings": document})


def _was_just_refused(message: Message | None) -> bool:
    if message is None or not message.refused or message.confirmed_at is None:
        return False
    return timezone.now() - message.confirmed_at < REFUSED_AGAIN


def _digest(document: list[dict[str, Any]]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def receive(node: Node, body: dict[str, Any]) -> None:
    """On the hub: another node's catalogue takes the place of what it published before."""
    document, digest = body.get("listings"), body.get("digest")
    if not isinstance(document, list) or not isinstance(digest, str):
        raise messages.Refused("A catalogue needs its listings and their digest.")
    try:
        listings.store_remote(node, document)
    except listings.ListingError as error:
        raise messages.Refused(str(error)) from error
    Node.objects.filter(pk=node.pk).update(catalogue_digest=digest[:64])
