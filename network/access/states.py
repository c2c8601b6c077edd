"""How a part of a request may go on, and what makes a decision stale. Every change of state passes here."""

import hashlib
from collections.abc import Collection

from django.core.exceptions import ValidationError

from network.models import AccessPart, AccessRequest

State = AccessPart.State

OPEN = (State.SENT, State.QUESTION)
"""The committee has to do something, or waits for the researcher."""

UNDECIDED = (*OPEN, State.APPROVED)
"""Nothing is granted yet."""

HAPPENED = {
    State.DRAFT: "It was not sent yet.",
    State.SENT: "The committee has it.",
    State.QUESTION: "The committee asked something.",
    State.APPROVED: "It was approved meanwhile.",
    State.GRANTED: "Access was granted meanwhile.",
    State.REFUSED: "It was refused meanwhile.",
    State.WITHDRAWN: "It was withdrawn meanwhile.",
    State.ENDED: "Its access has ended.",
}


def locked(part: AccessPart, allowed: Collection[str], *, seen: str | None = None) -> AccessPart:
    """The part as it is now, held until the transaction ends. `seen` is `version_of` what the person looked
    at. Raises ValidationError where it has moved on."""
    # The request before its parts, as whoever withdraws it does: else each would wait for the other.
    AccessRequest.objects.select_for_update().get(pk=part.request_id)
    now = AccessPart.objects.select_for_update(of=("self",)).select_related("request__by").get(pk=part.pk)
    if now.state not in allowed:
        raise ValidationError(f"{HAPPENED[State(now.state)]} Nothing was changed; look again.")
    if seen is not None and seen != version_of(now):
        raise ValidationError("Something happened to it since you opened it. Look again, then decide.")
    return now


def version_of(part: AccessPart) -> str:
    """Changes with every step: a form carries it, so that nobody decides on what they haven't seen."""
    return part.changed_at.isoformat()


def terms_sha256(part: AccessPart) -> str:
    """Of all that the researcher agrees to: conditions, text, and each dataset's mode and end."""
    lines = [part.conditions, part.agreement]
    for item in part.items.select_related("listing").order_by("pk"):
        if item.granted_mode:
            lines.append(f"{_dataset(item)} {item.granted_mode} {item.ends_on}")
    return hashlib.sha256("\n\x1e".join([lines[0], lines[1], *sorted(lines[2:])]).encode()).hexdigest()


def _dataset(item) -> str:
    """Its slug at home: the same on both sides."""
    if item.listing.dataset_id:
        return item.listing.dataset.slug
    return own_slug(item.listing)


def own_slug(listing) -> str:
    """The slug of another node's dataset where it is at home."""
    return listing.slug.removeprefix(f"{listing.node.slug}--") if listing.node_id else listing.slug
