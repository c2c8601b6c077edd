"""How a part of a request may go on, and what makes a decision stale. Every change of state passes here."""

import datetime
import hashlib
from collections.abc import Collection, Iterable

from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from network.models import AccessItem, AccessPart, AccessRequest, Listing

State = AccessPart.State

OPEN = (State.SENT, State.QUESTION)
"""The committee has to do something, or waits for the researcher."""

NOT_THERE = (State.UNDELIVERED, State.DROPPED, State.GONE)
"""The two sides say nothing of it to each other: one of them doesn't have it, or has left."""

UNDECIDED = (*OPEN, State.APPROVED)
"""Nothing is granted yet."""

SENT_AGAIN = (State.UNDELIVERED, *OPEN, State.WITHDRAWN)
"""What the node did not take can be sent again: the request, its documents, or the withdrawal."""

OVER = (State.REFUSED, State.WITHDRAWN, State.DROPPED, State.GONE, State.ENDED)
"""Nothing more comes of it."""

HAPPENED = {
    State.DRAFT: _("It was not sent yet."),
    State.SENT: _("The committee has it."),
    State.UNDELIVERED: _("It did not reach its node."),
    State.QUESTION: _("The committee asked something."),
    State.APPROVED: _("It was approved meanwhile."),
    State.GRANTED: _("Access was granted meanwhile."),
    State.REFUSED: _("It was refused meanwhile."),
    State.WITHDRAWN: _("It was withdrawn meanwhile."),
    State.DROPPED: _("You gave it up."),
    State.GONE: _("The node has left the network."),
    State.ENDED: _("Its access has ended."),
}


def locked(part: AccessPart, allowed: Collection[str], *, seen: str | None = None) -> AccessPart:
    """The part as it is now, held until the transaction ends. `seen` is `version_of` what the person looked
    at. Raises ValidationError where it has moved on."""
    # The request before its parts, as whoever withdraws it does: else each would wait for the other.
    AccessRequest.objects.select_for_update().get(pk=part.request_id)
    now = AccessPart.objects.select_for_update(of=("self",)).select_related("request__by").get(pk=part.pk)
    if now.state not in allowed:
        happened = gettext(HAPPENED[State(now.state)])
        said = gettext("%(happened)s Nothing was changed; look again.")
        raise ValidationError(said % {"happened": happened})
    if seen is not None and seen != version_of(now):
        raise ValidationError(
            gettext("Something happened to it since you opened it. Look again, then decide.")
        )
    return now


def version_of(part: AccessPart) -> str:
    """Changes with every step: a form carries it, so that nobody decides on what they haven't seen."""
    return part.changed_at.isoformat()


def terms_sha256(part: AccessPart) -> str:
    """Of all that the researcher agrees to."""
    return sha256_of(
        part.conditions,
        part.agreement,
        ((_dataset(item.listing), item.granted_mode, item.ends_on) for item in items_of(part)),
    )


def sha256_of(
    conditions: str, agreement: str, granted: Iterable[tuple[str, str, datetime.date | None]]
) -> str:
    """Of conditions, text, and each dataset's slug, mode and last day; without a mode it isn't granted."""
    lines = sorted(f"{dataset} {mode} {ends_on}" for dataset, mode, ends_on in granted if mode)
    return hashlib.sha256("\n\x1e".join([conditions, agreement, *lines]).encode()).hexdigest()


def items_of(part: AccessPart) -> list[AccessItem]:
    """With their listings; those that are at hand cost nothing."""
    rows = part.items.all()
    is_at_hand = "items" in getattr(part, "_prefetched_objects_cache", {})
    return list(rows if is_at_hand else rows.select_related("listing__dataset", "listing__node"))


def _dataset(listing: Listing) -> str:
    """Its slug at home: the same on both sides."""
    return listing.dataset.slug if listing.dataset else own_slug(listing)


def own_slug(listing: Listing) -> str:
    """The slug of another node's dataset where it is at home."""
    return listing.slug.removeprefix(f"{listing.node.slug}--") if listing.node else listing.slug
