"""Requests that cross nodes: asked at a hub, decided where the data are. Each side keeps its own rows.

hub → node: access.request, access.document, access.message, access.agreed, access.withdrawn
node → hub: access.state, access.asked

A request is named by its public id at the hub, a part by the slug of its organisation. The node never trusts
the hub's word for a decision, nor the hub a node's for anything but its own parts. Of the researcher the
node learns what a committee has to know: name, address, where they work.
"""

import base64
from collections.abc import Collection
from typing import Any

from accounts.models import User
from network.access import documents, states
from network.access.states import State
from network.federation import messages
from network.models import AccessDocument, AccessMessage, AccessPart, AccessRequest, Node


def register() -> None:
    from network.access import receiving, undelivered

    for kind, receive in receiving.KINDS.items():
        messages.register(kind, receive, confirmed=undelivered.confirmed)


# At the hub -------------------------------------------------------------------------------------


def send_request(request: AccessRequest, parts: Collection[AccessPart]) -> None:
    """Each node gets its own of these parts, and the documents after them."""
    nodes: dict[Node, list[AccessPart]] = {}
    for part in parts:
        if part.node:
            nodes.setdefault(part.node, []).append(part)
    attached = list(request.documents.all())
    for node, its_parts in nodes.items():
        messages.send(node, "access.request", _request_body(request, its_parts, attached))
        send_documents(node, request)


def send_documents(node: Node, request: AccessRequest) -> None:
    """After the request that names them; those that it has are passed over there."""
    for document in request.documents.all():
        body = {
            "request": request.public_id,
            "id": document.public_id,
            "content": base64.b64encode(documents.content_of(document)).decode(),
        }
        messages.send(node, "access.document", body)


def forwarded_bytes(request: AccessRequest, parts: Collection[AccessPart]) -> int:
    """Of its documents, a copy for each node that has one of these parts."""
    nodes = {part.node_id for part in parts if part.node_id}
    return len(nodes) * sum(document.size for document in request.documents.all()) if nodes else 0


def _request_body(
    request: AccessRequest, parts: list[AccessPart], attached: list[AccessDocument]
) -> dict[str, Any]:
    return {
        "request": request.public_id,
        "person": _person(request.by),
        "affiliation": request.affiliation,
        "title": request.title,
        "purpose": request.purpose,
        "use_terms": request.use_terms,
        "documents": [
            {"id": one.public_id, "name": one.name, "size": one.size, "sha256": one.sha256}
            for one in attached
        ],
        "parts": [
            {
                "organisation": part.organisation_slug,
                "items": [
                    {"dataset": states.own_slug(item.listing), "mode": item.mode}
                    for item in states.items_of(part)
                ],
            }
            for part in parts
        ],
    }


def _person(user: User) -> dict[str, str]:
    return {
        "sub": user.public_id,
        "given_name": user.first_name or user.username,
        "family_name": user.last_name,
        "email": user.email,
    }


def send_message(part: AccessPart, message: AccessMessage) -> None:
    """The researcher's answer."""
    if part.node:
        messages.send(part.node, "access.message", {**_names(part), "id": message.uid, "text": message.text})


def send_agreed(part: AccessPart) -> None:
    if part.node:
        messages.send(part.node, "access.agreed", {**_names(part), "sha256": part.agreed_sha256})


def nodes_with(request: AccessRequest) -> list[Node]:
    """Those that have something of it."""
    parts = request.parts.exclude(node=None).exclude(state__in=(State.DRAFT, *states.NOT_THERE))
    return list(Node.objects.filter(pk__in=parts.order_by().values("node")))


def send_withdrawn(request: AccessRequest, nodes: Collection[Node]) -> None:
    for node in nodes:
        messages.send(node, "access.withdrawn", {"request": request.public_id})


# At the node ------------------------------------------------------------------------------------


def send_asked(part: AccessPart, message: AccessMessage) -> None:
    """The committee's question. Its member's name stays here."""
    hub = part.request.hub
    if hub:
        messages.send(hub, "access.asked", {**_names(part), "id": message.uid, "text": message.text})


def send_state(part: AccessPart) -> None:
    """How a part stands now, as a whole: an older one may come late, never half of one."""
    hub = part.request.hub
    if hub is None:
        return
    items = [
        {
            "dataset": item.listing.dataset.slug,
            "mode": item.granted_mode,
            "ends_on": item.ends_on.isoformat() if item.ends_on else None,
            "withdrawn": item.withdrawn_at is not None,
        }
        for item in part.items.select_related("listing__dataset")
        if item.listing.dataset
    ]
    body = {
        **_names(part),
        "state": part.state,
        "conditions": part.conditions,
        "agreement": part.agreement,
        "reason": part.reason,
        "items": items,
    }
    messages.send(hub, "access.state", body)


def _names(part: AccessPart) -> dict[str, str]:
    request = part.request
    return {"request": request.uid or request.public_id, "organisation": part.organisation_slug}
