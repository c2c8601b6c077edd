"""What becomes of messages about access once the other side has confirmed them: those that it refused are
told of on the part that they were about, and their contents are let go."""

from collections.abc import Callable

from django.db.models import QuerySet

from accounts import audit
from network.access import letters, states
from network.access.states import State
from network.models import AccessMessage, AccessPart, AccessRequest, Message, Node

audit.register("access.undelivered")

KEPT = ("request", "organisation", "id", "state", "sha256")
"""What a message was about. The rest stands where it was written: documents, names, texts."""


def confirmed(message: Message) -> None:
    """In the transaction that notes the confirmation."""
    if message.refused:
        _note(message)
    elif message.kind == "access.state":  # tells all there is: what was refused before is told, too
        _parts(message).exclude(undelivered="").update(undelivered="")
    message.body = {name: message.body[name] for name in KEPT if name in message.body}
    message.save(update_fields=["body"])


def _note(message: Message) -> None:
    parts = _parts(message)
    # The requests before their parts, as everywhere.
    list(AccessRequest.objects.select_for_update().filter(pk__in=parts.order_by().values("request")))
    held = parts.select_for_update(of=("self",)).select_related("request__by", "node").order_by("pk")
    for part in held:
        if _NOTES[message.kind](part, message):
            audit.record(None, "access.undelivered", part, message=message.pk)


def _parts(message: Message) -> QuerySet[AccessPart]:
    """Those of this side that the message is about."""
    node, body = message.node, message.body
    if node.part == Node.Part.MEMBER:
        found = AccessPart.objects.filter(
            node=node, request__hub=None, request__public_id=body["request"]
        ).exclude(state=State.DRAFT)
    else:
        found = AccessPart.objects.filter(request__hub=node, request__uid=body["request"])
    return found.filter(organisation_slug=body["organisation"]) if "organisation" in body else found


# Each says whether there was something to note ----------------------------------------------------


def _request(part: AccessPart, message: Message) -> bool:
    """Its node has nothing of it. Parts that were given up before it was sent again stay so."""
    if part.state not in (State.SENT, State.WITHDRAWN):
        return False
    part.undelivered = message.refused
    if part.request.withdrawn_at:
        part.state = State.DROPPED
    else:
        part.state = State.UNDELIVERED
        letters.to_requester(part, "undelivered")
    part.save(update_fields=["state", "undelivered", "changed_at"])
    return True


def _document(part: AccessPart, message: Message) -> bool:
    """The committee lacks it. Where the request itself wasn't taken, that is what counts."""
    again = Message.objects.filter(node=message.node, kind=message.kind, pk__gt=message.pk)
    if part.state not in states.OPEN or again.filter(body__id=message.body["id"]).exists():
        return False
    document = part.request.documents.filter(public_id=message.body["id"]).first()
    if not part.undelivered:
        letters.to_requester(part, "undelivered")
    part.undelivered = f"“{document.name}”: {message.refused}" if document else message.refused
    part.save(update_fields=["undelivered"])
    return True


def _message(part: AccessPart, message: Message) -> bool:
    """A question or an answer. The part waits again for whoever wrote it."""
    row = part.messages.filter(uid=message.body["id"]).first()
    if row is None:
        return False
    row.undelivered = message.refused
    row.save(update_fields=["undelivered"])
    arrived: AccessMessage | None = part.messages.filter(undelivered="").order_by("-pk").first()
    if part.state in states.OPEN:
        waits_for_answer = arrived is not None and arrived.is_of_committee
        part.state = State.QUESTION if waits_for_answer else State.SENT
        part.save(update_fields=["state", "changed_at"])
    if not row.is_of_committee:
        letters.to_requester(part, "undelivered")
    return True


def _agreed(part: AccessPart, message: Message) -> bool:
    """Access isn't open there: it has to be accepted again."""
    if part.state != State.APPROVED or part.agreed_sha256 != message.body["sha256"]:
        return False
    part.agreed_at, part.agreed_sha256, part.undelivered = None, "", message.refused
    part.save(update_fields=["agreed_at", "agreed_sha256", "undelivered", "changed_at"])
    letters.to_requester(part, "undelivered")
    return True


def _withdrawn(part: AccessPart, message: Message) -> bool:
    """Where the request never arrived, or all is over, there is nothing to withdraw."""
    if part.state != State.WITHDRAWN:
        return False
    part.undelivered = message.refused
    part.save(update_fields=["undelivered", "changed_at"])
    letters.to_requester(part, "undelivered")
    return True


def _state(part: AccessPart, message: Message) -> bool:
    """At the node: the researcher doesn't know of it. The committee's page says so."""
    part.undelivered = message.refused
    part.save(update_fields=["undelivered"])
    return True


_NOTES: dict[str, Callable[[AccessPart, Message], bool]] = {
    "access.request": _request,
    "access.document": _document,
    "access.message": _message,
    "access.agreed": _agreed,
    "access.withdrawn": _withdrawn,
    "access.state": _state,
    "access.asked": _message,
}
