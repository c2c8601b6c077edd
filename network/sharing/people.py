"""To which node someone belongs: the node where they have an account of their own says so to the hub.

The hub keeps that word beside its own account, as an identity whose issuer is the node, and passes it on when
the person signs in elsewhere. It lets nobody in: a hub asks no node who someone is.
"""

from typing import Any

from django.db import transaction

from accounts.models import ExternalIdentity, User
from accounts.services import identities
from accounts.services.identities import Vouched
from network.federation import messages, nodes
from network.models import Node

KIND = "person"
SUBJECT_MAX = 40


@transaction.atomic
def connect(person: User, vouched: Vouched, hub: Node) -> None:
    """An account of this node, proved by its password, is this person of the hub. Raises ValidationError."""
    identities.connect(user=person, vouched=vouched)
    messages.send(hub, KIND, {"subject": vouched.subject, "person": person.public_id, "is_here": True})


def ended(identity: ExternalIdentity) -> None:
    """A connection ends here, by its owner or with a new password: the hub gets to know."""
    hub = nodes.hub()
    if hub is not None and hub.address == identity.issuer:
        body = {"subject": identity.subject, "person": identity.user.public_id, "is_here": False}
        messages.send(hub, KIND, body)


def receive(node: Node, body: dict[str, Any]) -> None:
    """At the hub: a member says who is its own. It can say so of itself only."""
    subject, own = body.get("subject"), body.get("person")
    if not all(isinstance(text, str) and 0 < len(text) <= SUBJECT_MAX for text in (subject, own)):
        raise messages.Refused("A person needs a subject, and the name they have at their node.")
    person = User.objects.filter(public_id=subject, is_active=True).first()
    if person is None:
        raise messages.Refused("Nobody here has this identity.")
    rows = ExternalIdentity.objects.filter(issuer=_word_of(node))
    if body.get("is_here") is not True:
        rows.filter(user=person, subject=own).delete()
    elif not rows.filter(subject=own).exclude(user=person).exists():
        rows.get_or_create(issuer=_word_of(node), subject=own, defaults={"user": person})


def _word_of(node: Node) -> str:
    """Under which issuer a member's word is kept: never an address, which a member chooses itself and which
    nobody may sign in by."""
    return f"urn:atlas:node:{node.public_id}"


def home_of(person: User) -> str:
    """The name of the node that calls this person its own; "" for whoever belongs to none."""
    names = {_word_of(node): node.name for node in nodes.members()}
    kept = person.external_identities.filter(issuer__in=names).order_by("pk").first()
    return names[kept.issuer] if kept else ""


def tell_nodes(people: list[User]) -> None:
    """Set `comes_from` on each: their node's name, or the hub's, where they sign in with it. One query."""
    hub = nodes.hub()
    found: dict[int, str] = {}
    if hub is not None:
        kept = ExternalIdentity.objects.filter(user__in=people, issuer=hub.address)
        found = {identity.user_id: identity.home or hub.name for identity in kept}
    for person in people:
        is_own = person.has_usable_password()
        person.comes_from = "" if is_own else found.get(person.pk, "")  # type: ignore[attr-defined]
