"""On a hub: nodes are invited, admitted, suspended, and go."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_noop as _

from accounts import audit, permissions
from accounts.digests import digest_of
from accounts.models import User
from network.federation import bell, keys
from network.federation.nodes import this_node
from network.models import Listing, Node, NodeInvitation

audit.register(
    "node.invited",
    "node.invitation_withdrawn",
    "node.joined",
    "node.suspended",
    "node.resumed",
    "node.removed",
    "node.left",
    "node.key_changed",
)

type Listener = Callable[[], object]

_when_gone: dict[str, Listener] = {}

LIFETIME = timedelta(days=14)
SLUG_LENGTH_MAX = 50


class NotAdmitted(Exception):
    """This node can't join with what it brought. The text is a sentence for its administrator."""


@dataclass(frozen=True)
class Invited:
    """`text` holds the secret: it is shown once, and only its digest is kept."""

    invitation: NodeInvitation
    text: str


def require_administrator(user: User) -> None:
    """Pass, or raise PermissionDenied."""
    permissions.require(user, "administer_node", None)


def when_gone(name: str, listener: Listener) -> None:
    """Ask to be called after the commit by which a node, or this node's hub, takes part no more: nothing
    that waits for it will come. A call may get lost with the process: look for yourself now and then, too.
    Naming one twice replaces it."""
    _when_gone[name] = listener


def tell_of_going() -> None:
    """After the commit."""
    for listener in _when_gone.values():
        transaction.on_commit(listener, robust=True)


def members_ever() -> QuerySet[Node]:
    """Every node that joined this hub, those that have gone included."""
    return Node.objects.filter(part=Node.Part.MEMBER)


def open_invitations() -> QuerySet[NodeInvitation]:
    """Those that a node can still join with, latest first."""
    return NodeInvitation.objects.filter(
        node=None, withdrawn_at=None, expires_at__gt=timezone.now()
    ).order_by("-pk")


@transaction.atomic
def invite(*, by: User, name: str, country: str) -> Invited:
    """Let one node join under this name. Raises ValidationError, by field."""
    require_administrator(by)
    name, country = " ".join(name.split()), country.strip().upper()
    if not name or len(name) > 200 or not name.isprintable():
        raise ValidationError({"name": _("Give the node a name of at most 200 characters.")})
    if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
        raise ValidationError({"country": _("A country has two letters, such as PT.")})
    secret = secrets.token_urlsafe(32)
    invitation = NodeInvitation.objects.create(
        name=name,
        country=country,
        digest=digest_of(secret),
        invited_by=by,
        expires_at=timezone.now() + LIFETIME,
    )
    audit.record(by, "node.invited", invitation)
    return Invited(invitation, f"{settings.NODE_ADDRESS}/#{secret}.{this_node().public_key}")


@transaction.atomic
def withdraw(*, by: User, invitation: NodeInvitation) -> None:
    """No node can join with it any more. Raises ValidationError."""
    require_administrator(by)
    is_open = open_invitations().filter(pk=invitation.pk)
    if not is_open.update(withdrawn_at=timezone.now()):
        raise ValidationError(_("This invitation was used, withdrawn, or is too old already."))
    audit.record(by, "node.invitation_withdrawn", invitation)


@transaction.atomic
def admit(*, secret: str, public_key: str, told: Mapping[str, Any]) -> Node:
    """A node that proved to hold `public_key` joins with the secret of an invitation.

    told: "country", "address" and "software", as it says itself. The same node may ask again with the same
    secret, since the first answer may not have reached it. Raises NotAdmitted.
    """
    invitation = NodeInvitation.objects.select_for_update().filter(digest=digest_of(secret)).first()
    if invitation is None:
        raise NotAdmitted("The hub doesn't know this invitation. Copy the whole line, or ask for a new one.")
    if public_key == this_node().public_key:
        raise NotAdmitted("A node can't join itself: open this page on the node that is to join.")
    known = Node.objects.select_for_update().filter(public_key=public_key).first()
    if invitation.node_id is not None:
        if known is not None and known.pk == invitation.node_id and known.state == Node.State.ACTIVE:
            return known
        raise NotAdmitted("This invitation was used already. Ask the hub's administrator for a new one.")
    if invitation.withdrawn_at is not None or invitation.expires_at <= timezone.now():
        raise NotAdmitted("This invitation was withdrawn or is too old. Ask for a new one.")
    if known is not None and (known.part != Node.Part.MEMBER or known.state == Node.State.SUSPENDED):
        raise NotAdmitted("The hub doesn't admit a node with this key. Ask its administrator why.")
    if known is not None and known.state == Node.State.ACTIVE:
        raise NotAdmitted("A node with this key takes part in this hub already.")
    node = known or Node(part=Node.Part.MEMBER, public_key=public_key, slug=_free_slug(invitation.name))
    node.state = Node.State.ACTIVE
    node.name = invitation.name
    node.country = invitation.country or _country(told.get("country"))
    node.address = web_address(told.get("address"))
    node.software = version(told.get("software"))
    node.catalogue_digest = ""
    node.joined_at = timezone.now()
    node.save()
    NodeInvitation.objects.filter(node=node).exclude(pk=invitation.pk).update(
        node=None, withdrawn_at=timezone.now()
    )
    invitation.node = node
    invitation.save(update_fields=["node"])
    audit.record(invitation.invited_by, "node.joined", node, invitation=invitation.pk)
    return node


@transaction.atomic
def suspend(*, by: User, node: Node) -> None:
    """Refuse its messages from now on, and list its datasets no more, until it is resumed."""
    require_administrator(by)
    _require_state(node, Node.State.ACTIVE, _("Only a node that takes part can be suspended."))
    _set_state(node, Node.State.SUSPENDED)
    audit.record(by, "node.suspended", node)


@transaction.atomic
def resume(*, by: User, node: Node) -> None:
    """It takes part again. What waited for it is delivered; it publishes its catalogue anew."""
    require_administrator(by)
    _require_state(node, Node.State.SUSPENDED, _("Only a suspended node can be resumed."))
    node.state, node.catalogue_digest = Node.State.ACTIVE, ""
    node.save(update_fields=["state", "catalogue_digest"])
    audit.record(by, "node.resumed", node)


@transaction.atomic
def remove(*, by: User, node: Node) -> None:
    """It takes part no more, and needs a new invitation to come back. What was decided with it stays on
    record."""
    require_administrator(by)
    if _locked(node).state == Node.State.LEFT:
        raise ValidationError(_("This node has left already."))
    _go(node)
    audit.record(by, "node.removed", node)


@transaction.atomic
def left(node: Node) -> None:
    """The node says that it leaves."""
    _go(node)
    audit.record(None, "node.left", node)


@transaction.atomic
def change_key(node: Node, public_key: str) -> None:
    """The node goes by another key from now on; it has proved that it holds both. Raises NotAdmitted."""
    keys.public_key(public_key)
    if Node.objects.filter(public_key=public_key).exclude(pk=node.pk).exists():
        raise NotAdmitted("Another node goes by this key.")
    node.public_key = public_key
    node.save(update_fields=["public_key"])
    audit.record(None, "node.key_changed", node)


def _go(node: Node) -> None:
    _set_state(node, Node.State.LEFT)
    node.messages.filter(confirmed_at=None).delete()
    tell_of_going()


def _set_state(node: Node, state: Node.State) -> None:
    node.state, node.catalogue_digest = state, ""
    node.save(update_fields=["state", "catalogue_digest"])
    Listing.objects.filter(node=node).update(is_listed=False)
    transaction.on_commit(lambda: bell.ring(node), robust=True)  # a request that it holds open ends


def _require_state(node: Node, state: Node.State, otherwise: str) -> None:
    if _locked(node).state != state:
        raise ValidationError(otherwise)


def _locked(node: Node) -> Node:
    return Node.objects.select_for_update().get(pk=node.pk, part=Node.Part.MEMBER)


def _free_slug(name: str) -> str:
    stem = slugify(name)[:SLUG_LENGTH_MAX] or "node"
    taken = set(Node.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    return next(slug for slug in (stem, *(f"{stem}-{n}" for n in range(2, 10_000))) if slug not in taken)


# What another node says of itself ---------------------------------------------------------------


def web_address(told: Any) -> str:
    """An http(s) address that people may follow, or ""."""
    text = told if isinstance(told, str) and told.isprintable() and len(told) <= 200 else ""
    try:
        parts = urlsplit(text)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:
        return ""
    return text if is_good and not set(text) & set(" <>\"'\\`") else ""


def version(told: Any) -> str:
    return told[:40] if isinstance(told, str) and told.isascii() and told.isprintable() else ""


def _country(told: Any) -> str:
    is_good = isinstance(told, str) and len(told) == 2 and told.isascii() and told.isalpha()
    return told.upper() if is_good else ""
