"""What the researcher does: send, answer, agree, withdraw."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from accounts import audit
from accounts.models import User
from network.access import crossing, documents, grants, letters, limits, states
from network.access.cart import missing_in
from network.access.states import State
from network.models import AccessMessage, AccessPart, AccessRequest, Node

audit.register("access.sent", "access.answered", "access.agreed", "access.withdrawn")

TEXT_LENGTH_MAX = 5000


@transaction.atomic
def send(*, by: User, request: AccessRequest) -> AccessRequest:
    """Give each organisation its part. Sending twice does nothing more. Raises ValidationError: by field for
    what is missing."""
    locked = AccessRequest.objects.select_for_update().get(pk=request.pk, by=by, hub=None)
    if locked.withdrawn_at:
        raise ValidationError(gettext("You withdrew this request. Begin another."))
    if locked.sent_at:
        return locked
    missing = missing_in(locked)
    if missing:
        raise ValidationError({field: [sentence] for field, sentence in missing.items()})
    _give(locked, locked.parts.all(), by=by, otherwise=gettext("Take it out of the request."))
    locked.sent_at = timezone.now()
    locked.save(update_fields=["sent_at"])
    return locked


def _give(request: AccessRequest, rows: QuerySet[AccessPart], *, by: User, otherwise: str) -> None:
    """To each organisation its part. Raises ValidationError, which ends with what to do `otherwise`."""
    parts = list(rows.select_related("organisation", "node").prefetch_related("items__listing__node"))
    for part in parts:
        if part.node and part.node.state != Node.State.ACTIVE:
            said = gettext("%(node)s takes no part in the network now. %(otherwise)s")
            raise ValidationError(said % {"node": part.node.name, "otherwise": otherwise})
        for item in part.items.all():
            if not item.listing.is_listed:
                said = gettext("“%(title)s” is no longer in the catalogue. %(otherwise)s")
                raise ValidationError(said % {"title": item.listing.title, "otherwise": otherwise})
    forwarded = crossing.forwarded_bytes(request, parts)
    limits.require_request(by, forwarded)
    audit.record(by, "access.sent", request, parts=len(parts), bytes=forwarded)
    for part in parts:
        part.state, part.undelivered = State.SENT, ""
        part.save(update_fields=["state", "undelivered", "changed_at"])
        if part.organisation:
            letters.to_committee(part, "request")
    crossing.send_request(request, parts)


@transaction.atomic
def send_again(*, by: User, part: AccessPart) -> None:
    """What its node did not take: the request, with all that goes to this node; its documents; or the
    withdrawal. Raises ValidationError: nothing waits for that, or it can't be sent now."""
    _require_requester(by, part)
    now = states.locked(part, states.SENT_AGAIN)
    if not now.undelivered or now.node is None:
        raise ValidationError(gettext("Its node has all of it. Nothing was sent again."))
    request = now.request
    if now.state == State.WITHDRAWN:
        request.parts.filter(node=now.node).update(undelivered="")
        crossing.send_withdrawn(request, [now.node])
    elif now.state == State.UNDELIVERED:
        fellows = request.parts.filter(node=now.node, state=State.UNDELIVERED)
        _give(request, fellows, by=by, otherwise=gettext("Give this part up."))
    else:
        forwarded = crossing.forwarded_bytes(request, [now])
        limits.require_request(by, forwarded)
        audit.record(by, "access.sent", request, parts=1, bytes=forwarded)
        request.parts.filter(node=now.node).update(undelivered="")
        crossing.send_documents(now.node, request)


@transaction.atomic
def drop(*, by: User, part: AccessPart) -> None:
    """Give up a part that its node did not take: there is nothing to withdraw. Raises ValidationError."""
    _require_requester(by, part)
    now = states.locked(part, (State.UNDELIVERED,))
    _move(now, State.DROPPED)
    audit.record(by, "access.withdrawn", now)


@transaction.atomic
def answer(*, by: User, part: AccessPart, text: str, seen: str | None = None) -> AccessMessage:
    """Answer a committee's question, or add something while it decides. Raises ValidationError."""
    _require_requester(by, part)
    text = checked_text(text, gettext("Write what you want to answer."))
    now = states.locked(part, states.OPEN, seen=seen)
    limits.require_message(by)
    message = AccessMessage.objects.create(part=now, by=by, is_of_committee=False, text=text)
    message.uid = message.public_id
    message.save(update_fields=["uid"])
    _move(now, State.SENT)
    audit.record(by, "access.answered", now, message=message.pk)
    if now.organisation_id:
        letters.to_committee(now, "answer")
    crossing.send_message(now, message)
    return message


@transaction.atomic
def agree(*, by: User, part: AccessPart, sha256: str) -> AccessPart:
    """Accept the agreement that was shown: `sha256` says which. Access opens with it; of another node's
    datasets once that node has heard of it. Agreeing twice does nothing more. Raises ValidationError."""
    _require_requester(by, part)
    now = states.locked(part, (State.APPROVED, State.GRANTED))
    if now.agreed_at and now.agreed_sha256 == sha256:
        return now
    if now.state == State.GRANTED or sha256 != states.terms_sha256(now):
        raise ValidationError(gettext("The agreement was changed since you opened it. Read it again."))
    if not now.items.exclude(granted_mode="").filter(ends_on__gte=timezone.localdate()).exists():
        raise ValidationError(
            gettext("The time that was granted has passed. Ask the committee for another end.")
        )
    now.agreed_at, now.agreed_sha256, now.undelivered = timezone.now(), sha256, ""
    now.save(update_fields=["agreed_at", "agreed_sha256", "undelivered", "changed_at"])
    audit.record(by, "access.agreed", now, sha256=sha256)
    if now.organisation_id:
        grants.open_for(now)
        _move(now, State.GRANTED)
        letters.to_committee(now, "agreed")
        letters.to_requester(now, "granted")
    else:
        crossing.send_agreed(now)
    return now


@transaction.atomic
def withdraw(*, by: User, request: AccessRequest) -> AccessRequest:
    """Take a request back, or give up what was granted. A draft is thrown away as it is. Twice does nothing
    more."""
    locked = AccessRequest.objects.select_for_update().get(pk=request.pk, by=by, hub=None)
    if locked.withdrawn_at:
        return locked
    nodes = crossing.nodes_with(locked)
    close(locked, by=by)
    if locked.sent_at is None:
        documents.discard(locked)
    crossing.send_withdrawn(locked, nodes)
    return locked


def close(request: AccessRequest, *, by: User) -> None:
    """The requester wants no more of it. Within the caller's transaction."""
    request.withdrawn_at = timezone.now()
    request.save(update_fields=["withdrawn_at"])
    audit.record(by, "access.withdrawn", request)
    was_sent = request.sent_at is not None
    for part in request.parts.select_for_update(of=("self",)).exclude(state__in=states.OVER):
        if part.state == State.UNDELIVERED:
            _move(part, State.DROPPED)
            continue
        grants.close(part, by=by, reason="The researcher gave it up.")
        part.undelivered = ""
        part.save(update_fields=["undelivered"])
        _move(part, State.WITHDRAWN)
        if part.organisation_id and was_sent:
            letters.to_committee(part, "withdrawn")


def checked_text(text: str, sentence: str) -> str:
    """What someone wrote, without signs that control printers. Raises ValidationError where it is empty or
    too long."""
    text = "".join(letter for letter in text if letter.isprintable() or letter in "\n\t").strip()
    if not text:
        raise ValidationError(sentence)
    if len(text) > TEXT_LENGTH_MAX:
        said = gettext("This is longer than %(most)d letters. Attach a document instead.")
        raise ValidationError(said % {"most": TEXT_LENGTH_MAX})
    return text


def _require_requester(by: User, part: AccessPart) -> None:
    if part.request.by_id != by.pk:
        raise PermissionDenied("Only whoever asked for it may do this.")


def _move(part: AccessPart, state: State) -> None:
    part.state = state
    part.save(update_fields=["state", "changed_at"])
