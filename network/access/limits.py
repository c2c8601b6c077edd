"""How much one person may send in a day, and how much may arrive for one: committees read every request, and
other nodes keep a copy of every document."""

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext

from accounts.models import AuditRecord, User
from network.federation.messages import Refused
from network.models import AccessDocument, AccessMessage, AccessPart, AccessRequest, Node

REQUESTS = 20
"""Sent by one person; one that is sent again counts again."""

DOCUMENTS = 60
DOCUMENT_BYTES = 100_000_000
"""Attached by one person."""

FORWARDED_BYTES = 500_000_000
"""Of one person's documents to other nodes, a copy for each."""

MESSAGES = 100
"""Written by one person, or by one committee about one request."""

ARRIVING_REQUESTS = 60
ARRIVING_BYTES = 300_000_000
"""For one person of a hub: what they sent in three days arrives at once where a node was away."""

HUB_REQUESTS = 1000
HUB_BYTES = 5_000_000_000
"""From a hub in all: whoever holds its key can't fill this node."""


def require_request(by: User, forwarded_bytes: int) -> None:
    """Before a request is sent, or sent again. What was sent stands in the audit trail. Within the caller's
    transaction. Raises ValidationError."""
    _one_at_a_time(by)
    rows = AuditRecord.objects.filter(actor=by, verb="access.sent", at__gt=_since())
    sent = list(rows.values_list("facts", flat=True))
    if len(sent) >= REQUESTS:
        raise ValidationError(
            gettext(
                "You sent %(most)d requests within a day, as many as anyone may. "
                "Send this one tomorrow: it is kept."
            )
            % {"most": REQUESTS}
        )
    if forwarded_bytes and sum(one.get("bytes", 0) for one in sent) + forwarded_bytes > FORWARDED_BYTES:
        raise ValidationError(
            gettext(
                "Your documents go to each node that decides, at most %(most)s in a day. "
                "Attach smaller ones, or send this request tomorrow: it is kept."
            )
            % {"most": _megabytes(FORWARDED_BYTES)}
        )


def require_document(by: User, size: int) -> None:
    """Before a document is attached. Within the caller's transaction. Raises ValidationError."""
    _one_at_a_time(by)
    rows = AccessDocument.objects.filter(request__by=by, request__hub=None, created_at__gt=_since())
    if rows.count() >= DOCUMENTS:
        raise ValidationError(
            gettext(
                "You attached %(most)d documents within a day, as many as anyone may. "
                "Attach this one tomorrow."
            )
            % {"most": DOCUMENTS}
        )
    if _bytes_of(rows) + size > DOCUMENT_BYTES:
        raise ValidationError(
            gettext(
                "Your documents of one day have at most %(most)s. "
                "Make this one smaller, or attach it tomorrow."
            )
            % {"most": _megabytes(DOCUMENT_BYTES)}
        )


def require_message(by: User) -> None:
    """Before an answer is sent. Within the caller's transaction. Raises ValidationError."""
    _one_at_a_time(by)
    rows = AccessMessage.objects.filter(by=by, is_of_committee=False, at__gt=_since())
    if rows.count() >= MESSAGES:
        raise ValidationError(
            gettext("You wrote %(most)d messages within a day, as many as anyone may. Write again tomorrow.")
            % {"most": MESSAGES}
        )


def require_arriving_request(hub: Node, person: User, size: int) -> None:
    """Before a request with documents of `size` bytes in all is taken from a hub. Raises Refused."""
    _one_at_a_time(person)
    of_hub = AccessRequest.objects.filter(hub=hub, sent_at__gt=_since())
    for rows, requests, most_bytes, whose in (
        (of_hub.filter(by=person), ARRIVING_REQUESTS, ARRIVING_BYTES, "this person"),
        (of_hub, HUB_REQUESTS, HUB_BYTES, "the hub"),
    ):
        if rows.count() >= requests:
            raise Refused(
                f"This node takes {requests} requests of {whose} in a day, and has as many. "
                "Send it again tomorrow."
            )
        announced = AccessDocument.objects.filter(request__in=rows.order_by().values("pk"))
        if size and _bytes_of(announced) + size > most_bytes:
            raise Refused(
                f"This node takes {_megabytes(most_bytes)} of documents of {whose} in a day. "
                "Send it again tomorrow."
            )


def require_arriving_message(part: AccessPart, *, is_of_committee: bool) -> None:
    """Before a message of another node is kept. Raises Refused."""
    rows = part.messages.filter(is_of_committee=is_of_committee, at__gt=_since())
    if rows.count() >= MESSAGES:
        raise Refused(f"{MESSAGES} messages about this request came within a day. Write again tomorrow.")


def _one_at_a_time(person: User) -> None:
    """Until the transaction ends one of this person's deeds passes here: the limits are exact."""
    User.objects.select_for_update(no_key=True).get(pk=person.pk)


def _since() -> datetime:
    return timezone.now() - timedelta(days=1)


def _bytes_of(documents) -> int:
    return documents.order_by().aggregate(all=Sum("size"))["all"] or 0


def _megabytes(size: int) -> str:
    return f"{size // 1_000_000} MB"
