"""What is done with messages about access. Each runs in a transaction, and twice changes nothing."""

import base64
import binascii
import hashlib
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts import audit
from accounts.models import User
from accounts.services import identities
from atlas.models import Dataset
from network.access import arriving, asking, crossing, documents, grants, letters, limits, states
from network.access.arriving import checked
from network.access.states import State
from network.federation.messages import Refused
from network.models import (
    AccessDocument,
    AccessItem,
    AccessMessage,
    AccessPart,
    AccessRequest,
    Node,
)

audit.register("access.arrived")

UNKNOWN = "No request here has this name."


# At the node: what the hub says -----------------------------------------------------------------


def request(hub: Node, body: dict[str, Any]) -> None:
    """Someone asked at the hub for datasets of this node."""
    told = checked(arriving.RequestBody, body)
    if AccessRequest.objects.filter(hub=hub, uid=told["request"]).exists():
        return
    person = _account(hub, told["person"])
    limits.require_arriving_request(hub, person, sum(one["size"] for one in told["documents"]))
    made = AccessRequest.objects.create(
        by=person,
        hub=hub,
        uid=told["request"],
        subject=told["person"]["sub"],
        title=told["title"],
        affiliation=told["affiliation"],
        email=identities.Vouched.of_claims(hub.address, told["person"]).email,
        purpose=told["purpose"],
        use_terms=told["use_terms"],
        sent_at=timezone.now(),
    )
    for one in told["documents"]:
        try:
            name = documents.checked_name(one["name"])
        except ValidationError as error:
            raise Refused(" ".join(error.messages)) from error
        media_type = documents.KINDS["." + name.rpartition(".")[2].lower()][0]
        AccessDocument.objects.create(
            request=made, uid=one["id"], name=name, media_type=media_type, size=one["size"],
            sha256=one["sha256"],
        )  # fmt: skip
    for part in told["parts"]:
        letters.to_committee(_make_part(made, part["organisation"], part["items"]), "request")
    audit.record(None, "access.arrived", made, node=hub.pk)


def _account(hub: Node, person: dict[str, str]) -> User:
    try:
        return identities.expect(identities.Vouched.of_claims(hub.address, person))
    except identities.NotVouchedFor as error:
        raise Refused(str(error)) from error


def _make_part(made: AccessRequest, slug: str, items: list[dict[str, str]]) -> AccessPart:
    wanted = {item["dataset"]: item["mode"] for item in items}
    rows = Dataset.objects.filter(organisation__slug=slug, slug__in=wanted, listing__is_listed=True)
    found = {one.slug: one for one in rows.select_related("organisation", "listing")}
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise Refused(f"{missing[0]} is not in the catalogue of this node.")
    organisation = next(iter(found.values())).organisation
    part, is_new = AccessPart.objects.get_or_create(
        request=made,
        node=None,
        organisation_slug=organisation.slug,
        defaults={
            "organisation": organisation,
            "organisation_name": organisation.name,
            "state": State.SENT,
        },
    )
    if not is_new:
        raise Refused(f"{slug} is named twice.")
    for name, mode in wanted.items():
        AccessItem.objects.create(part=part, listing=found[name].listing, mode=mode)
    return part


def document(hub: Node, body: dict[str, Any]) -> None:
    """The content of a document that the request named."""
    told = checked(arriving.DocumentBody, body)
    rows = AccessDocument.objects.select_for_update().filter(request__hub=hub)
    row = rows.filter(request__uid=told["request"], uid=told["id"]).first()
    if row is None:
        raise Refused(UNKNOWN)
    if row.object_key:
        return
    try:
        content = base64.b64decode(told["content"], validate=True)
        if len(content) != row.size or hashlib.sha256(content).hexdigest() != row.sha256:
            raise Refused("The document is not the one that was announced.")
        documents.media_type_of(row.name, content)
    except binascii.Error as error:
        raise Refused("The document's data can't be read.") from error
    except ValidationError as error:
        raise Refused(" ".join(error.messages)) from error
    row.object_key = documents.keep(content)
    row.save(update_fields=["object_key"])


def message(hub: Node, body: dict[str, Any]) -> None:
    """The researcher's answer."""
    told = checked(arriving.MessageBody, body)
    part = _part_here(hub, told)
    if _is_new(part, told, is_of_committee=False):
        letters.to_committee(part, "answer")


def agreed(hub: Node, body: dict[str, Any]) -> None:
    """The researcher accepts. What was decided here counts: where it was changed meanwhile, the hub learns
    how it is now."""
    told = checked(arriving.AgreedBody, body)
    part = _part_here(hub, told)
    try:
        asking.agree(by=part.request.by, part=part, sha256=told["sha256"])
    except ValidationError:
        part.refresh_from_db()
    else:
        part.refresh_from_db()
    crossing.send_state(part)


def withdrawn(hub: Node, body: dict[str, Any]) -> None:
    told = checked(arriving.WithdrawnBody, body)
    row = AccessRequest.objects.select_for_update(of=("self",)).select_related("by")
    found = row.filter(hub=hub, uid=told["request"]).first()
    if found is None:
        raise Refused(UNKNOWN)
    if found.withdrawn_at is None:
        asking.close(found, by=found.by)
    for part in found.parts.select_related("request__hub"):
        crossing.send_state(part)


def _part_here(hub: Node, told: dict[str, Any]) -> AccessPart:
    rows = AccessPart.objects.select_for_update(of=("self",)).select_related("request__by", "request__hub")
    part = rows.filter(
        request__hub=hub, request__uid=told["request"], organisation__slug=told["organisation"]
    ).first()
    if part is None:
        raise Refused(UNKNOWN)
    return part


# At the hub: what a node says of its own parts --------------------------------------------------


LETTER_OF = {
    State.APPROVED: "approved",
    State.GRANTED: "granted",
    State.REFUSED: "refused",
    State.ENDED: "over",
}


def state(node: Node, body: dict[str, Any]) -> None:
    """How a part stands there. Terms that the researcher has accepted stay as they were accepted."""
    told = checked(arriving.StateBody, body)
    part = _part_there(node, told)
    if part.request.withdrawn_at and told["state"] in (*states.UNDECIDED, State.GRANTED):
        return  # the withdrawal is on its way
    before, held = State(part.state), grants.holds(part)
    items = {states.own_slug(item.listing): item for item in states.items_of(part)}
    told["items"] = {one["dataset"]: one for one in told["items"] if one["dataset"] in items}
    if _are_terms_open(part, told):
        if part.agreed_at:  # to something else: it has to be read again
            part.agreed_at, part.agreed_sha256 = None, ""
            before = State.SENT
        _take_terms(part, items, told)
    elif told["state"] == State.REFUSED:  # while the agreement was on its way
        part.items.update(granted_mode="", ends_on=None)
    now = timezone.now()
    for name, one in told["items"].items():
        items[name].withdrawn_at = (items[name].withdrawn_at or now) if one["withdrawn"] else None
        items[name].save(update_fields=["withdrawn_at"])
    part.state, part.reason, part.undelivered = told["state"], told["reason"], ""
    if before in states.UNDECIDED and part.state in (State.APPROVED, State.REFUSED, State.GRANTED):
        part.decided_at = now
    part.save()
    _tell(part, before, held=held)


def _are_terms_open(part: AccessPart, told: dict[str, Any]) -> bool:
    """Whether what the node says takes the place of the terms on record: until they are accepted, or while
    the acceptance is on its way to a committee that approves anew. Raises Refused for what can't be so."""
    said = State(told["state"])
    if part.agreed_at is None:
        if said == State.GRANTED:
            raise Refused("The researcher has accepted no agreement: access can't be open.")
        return True
    granted = ((one["dataset"], one["mode"], one["ends_on"]) for one in told["items"].values())
    is_same = part.agreed_sha256 == states.sha256_of(told["conditions"], told["agreement"], granted)
    if said == State.GRANTED and not is_same:
        raise Refused("The researcher has accepted other terms than these. Ask for a new agreement.")
    if said not in states.UNDECIDED:
        return False
    if part.state != State.APPROVED:
        raise Refused("The researcher has accepted the agreement: nothing of it is decided anew.")
    return not is_same


def _take_terms(part: AccessPart, items: dict[str, AccessItem], told: dict[str, Any]) -> None:
    part.conditions, part.agreement = told["conditions"], told["agreement"]
    for name, one in told["items"].items():
        item = items[name]
        item.granted_mode = one["mode"]
        item.ends_on = one["ends_on"] if one["mode"] else None
        item.save(update_fields=["granted_mode", "ends_on"])
    part.ends_on = max((item.ends_on for item in items.values() if item.ends_on), default=None)


def _tell(part: AccessPart, before: State, *, held: bool) -> None:
    now = State(part.state)
    if part.request.withdrawn_at:
        return
    if now != before and now in LETTER_OF:
        letters.to_requester(part, LETTER_OF[now])
    elif now in (State.WITHDRAWN, State.GRANTED) and before == State.GRANTED and part.reason and held:
        letters.to_requester(part, "withdrawn")


def asked(node: Node, body: dict[str, Any]) -> None:
    """A committee there asks the researcher something."""
    told = checked(arriving.MessageBody, body)
    part = _part_there(node, told)
    if _is_new(part, told, is_of_committee=True):
        letters.to_requester(part, "question")


def _part_there(node: Node, told: dict[str, Any]) -> AccessPart:
    rows = AccessPart.objects.select_for_update(of=("self",)).select_related("request__by", "node")
    part = rows.filter(
        node=node, request__public_id=told["request"], organisation_slug=told["organisation"]
    ).exclude(state__in=(State.DRAFT, *states.NOT_THERE)).first()  # fmt: skip
    if part is None:
        raise Refused(UNKNOWN)
    return part


def _is_new(part: AccessPart, told: dict[str, Any], *, is_of_committee: bool) -> bool:
    """Keeps a question or an answer, once; the part then waits for the other side."""
    if part.messages.filter(uid=told["id"]).exists():
        return False
    limits.require_arriving_message(part, is_of_committee=is_of_committee)
    by = None if is_of_committee else part.request.by
    AccessMessage.objects.create(
        part=part, by=by, is_of_committee=is_of_committee, text=told["text"], uid=told["id"]
    )
    if part.state in states.OPEN:
        part.state = State.QUESTION if is_of_committee else State.SENT
        part.save(update_fields=["state", "changed_at"])
    return True


KINDS = {
    "access.request": request,
    "access.document": document,
    "access.message": message,
    "access.agreed": agreed,
    "access.withdrawn": withdrawn,
    "access.state": state,
    "access.asked": asked,
}
