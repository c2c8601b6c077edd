"""Requests and grants in words, for pages and the API."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Prefetch, prefetch_related_objects
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from accounts.models import User
from network.access import policies, states, terms
from network.access.states import State
from network.models import AccessGrant, AccessItem, AccessPart, AccessRequest
from network.models.access import Mode

NOT_YET = ("", "clock", _("Not sent yet"))
LOOKS: dict[State, tuple[str, str, str]] = {
    State.DRAFT: NOT_YET,
    State.SENT: ("", "clock", _("The committee has it")),
    State.UNDELIVERED: ("bad", "mail-x", _("Not delivered")),
    State.QUESTION: ("warn", "message-circle-question-mark", _("The committee asked something")),
    State.APPROVED: ("warn", "file-text", _("Approved: waits for the agreement")),
    State.GRANTED: ("good", "circle-check", _("Access is open")),
    State.REFUSED: ("bad", "circle-x", _("Refused")),
    State.WITHDRAWN: ("bad", "circle-slash", _("Withdrawn")),
    State.DROPPED: ("", "circle-slash", _("Given up: its node never had it")),
    State.GONE: ("bad", "wifi-off", _("Its node has left the network")),
    State.ENDED: ("", "calendar-off", _("Access has ended")),
}
"""How a state is told: its verdict, its icon, its words."""

MODES = {
    Mode.DOWNLOAD: _("Download"),
    Mode.VIEW: _("View on the node"),
    Mode.COUNT: _("Counts only"),
    "": _("Not granted"),
}


def mode_words(mode: str) -> str:
    return gettext(MODES[mode])


@dataclass
class ShownItem:
    item: AccessItem
    title: str
    asked: str
    granted: str
    words: str
    is_open: bool = False
    url: str = ""
    """Where its images are seen, while access is open."""


@dataclass
class ShownPart:
    part: AccessPart
    verdict: str
    icon: str
    words: str
    items: list[ShownItem]
    conversation: list = field(default_factory=list)
    sha256: str = ""
    version: str = ""
    needs_agreement: bool = False
    may_answer: bool = False
    trouble: str = ""
    """What of it did not reach its node, or that this has left, and what the researcher can do; why it was
    refused stands in `part.undelivered`."""
    may_send_again: bool = False
    may_drop: bool = False


@dataclass
class ShownRequest:
    request: AccessRequest
    parts: list[ShownPart]
    terms: list[str]
    may_withdraw: bool


def of_requests(requests: Iterable[AccessRequest]) -> list[ShownRequest]:
    """As many queries for many as for one."""
    found = list(requests)
    parts = Prefetch("parts", AccessPart.objects.select_related("node").prefetch_related(*_of_parts()))
    prefetch_related_objects(found, parts, "documents")
    return [_request(one) for one in found]


def _of_parts() -> tuple[Prefetch | str, ...]:
    items = AccessItem.objects.select_related("listing__dataset", "listing__node")
    return Prefetch("items", items), "messages"


def _request(request: AccessRequest) -> ShownRequest:
    parts = [_part(part) for part in request.parts.all()]
    may_withdraw = request.withdrawn_at is None and any(one.part.state not in states.OVER for one in parts)
    return ShownRequest(request, parts, terms_of(request), may_withdraw)


def terms_of(request: AccessRequest) -> list[str]:
    return [gettext(terms.title_of(key)) for key in request.use_terms]


def look_of(part: AccessPart) -> tuple[str, str, str]:
    """Verdict, icon and words of how it stands."""
    verdict, icon, words = LOOKS[State(part.state)]
    words = gettext(words)
    if part.state == State.APPROVED and part.agreed_at:
        words = gettext("Agreed: its node opens access")
    if part.state == State.GONE and part.request.hub_id:
        words = gettext("This node has left the hub where it was asked")
    if part.state == State.WITHDRAWN and part.request.withdrawn_at:
        verdict, words = "", gettext("Withdrawn by the researcher")
    return verdict, icon, words


def of_part(part: AccessPart) -> ShownPart:
    prefetch_related_objects([part], *_of_parts())
    return _part(part)


def _part(part: AccessPart) -> ShownPart:
    """Its items and messages are at hand."""
    verdict, icon, words = look_of(part)
    is_open = part.request.withdrawn_at is None
    return ShownPart(
        part=part,
        verdict=verdict,
        icon=icon,
        words=words,
        items=[_item(part, item) for item in part.items.all()],
        conversation=list(part.messages.all()),
        sha256=states.terms_sha256(part) if part.state == State.APPROVED else "",
        version=states.version_of(part),
        needs_agreement=part.state == State.APPROVED and part.agreed_at is None and is_open,
        may_answer=part.state in states.OPEN and is_open,
        trouble=_trouble(part),
        may_send_again=bool(part.undelivered) and part.state in states.SENT_AGAIN,
        may_drop=part.state == State.UNDELIVERED,
    )


def _trouble(part: AccessPart) -> str:
    if part.node is None:
        return ""
    told = {"node": part.node.name, "organisation": part.organisation_name}
    if part.state == State.GONE:
        return (
            gettext(
                "%(node)s has left the network: nobody there answers this any more. Look for other "
                "datasets, or write to %(organisation)s yourself. Should the node come back, ask anew."
            )
            % told
        )
    if not part.undelivered:
        return ""
    if part.state in states.NOT_THERE:
        return gettext("%(node)s did not take your request. Its answer:") % told
    if part.state == State.APPROVED:
        return gettext("%(node)s did not take your agreement: accept it again. Its answer:") % told
    if part.state == State.WITHDRAWN:
        return gettext("%(node)s did not take your withdrawal. Its answer:") % told
    return gettext("%(node)s did not take a document. Its answer:") % told


def _item(part: AccessPart, item: AccessItem) -> ShownItem:
    today = timezone.localdate()
    is_open = False
    if part.state == State.GONE:
        words = gettext("Not granted") if item.granted_mode else ""
    elif part.state not in (State.APPROVED, State.GRANTED, State.WITHDRAWN, State.ENDED):
        words = ""
    elif not item.granted_mode:
        words = gettext("Not granted")
    elif item.withdrawn_at:
        words = gettext("Withdrawn")
    elif item.ends_on and item.ends_on < today:
        words = gettext("Ended")
    else:
        words, is_open = "", part.state == State.GRANTED
    return ShownItem(
        item=item,
        title=item.listing.title,
        asked=mode_words(item.mode),
        granted=mode_words(item.granted_mode),
        words=words,
        is_open=is_open,
        url=_place_of(item) if is_open and item.granted_mode != Mode.COUNT else "",
    )


def _place_of(item: AccessItem) -> str:
    listing = item.listing
    if listing.node is None:
        return reverse("access-dataset", args=[listing.slug])
    if not listing.node.address.startswith(("https://", "http://")):
        return ""
    return listing.node.address.rstrip("/") + reverse("access-dataset", args=[states.own_slug(listing)])


def items_of_draft(request: AccessRequest) -> list[tuple[AccessItem, list[Mode]]]:
    from network.access.cart import modes_of

    items = AccessItem.objects.filter(part__request=request).select_related("listing", "part")
    return [(item, modes_of(item.listing)) for item in items.order_by("part", "pk")]


def grants_of(user: User) -> list[AccessGrant]:
    """What this person may use now, the first to end first."""
    found = policies.grants_that_hold(user).select_related("dataset__organisation", "part__request")
    return list(found.order_by("ends_at", "pk"))
