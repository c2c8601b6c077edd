"""At a node: it joins a hub with an invitation, changes its key, and leaves."""

import re
from dataclasses import dataclass
from typing import Any

from asgiref.sync import async_to_sync
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from accounts import audit
from accounts.models import User
from accounts.services import identities
from network.federation import keys, signing, strict_json
from network.federation.client import BadAddress, HubClient, HubRefused, Unreachable, origin_of
from network.federation.health import software_version
from network.federation.membership import require_administrator, tell_of_going, version
from network.federation.nodes import hub, members, this_node
from network.models import Node

audit.register("hub.joined", "hub.left", "hub.key_changed")

_INVITATION = re.compile(
    r"(?P<address>\S+?)/?#(?P<secret>[A-Za-z0-9_-]{40,60})\.(?P<public_key>[0-9a-f]{64})"
)
CALL_ERRORS = (Unreachable, HubRefused, signing.Untrusted, strict_json.Malformed)


@dataclass(frozen=True)
class Offer:
    """What an invitation leads to. Whoever joins compares the fingerprint with the hub's administrator."""

    address: str
    secret: str
    public_key: str
    name: str

    @property
    def fingerprint(self) -> str:
        return keys.fingerprint(self.public_key)


def look(*, by: User | None, invitation: str) -> Offer:
    """Ask the hub of an invitation who it is. Nothing is told to it, and nothing is kept.

    by: None from the command line. Raises ValidationError.
    """
    if by is not None:
        require_administrator(by)
    found = _INVITATION.fullmatch("".join(invitation.split()))
    if found is None:
        raise ValidationError(_("This isn't a whole invitation. Copy the line from the hub's page again."))
    try:
        address = origin_of(found["address"])
        said = async_to_sync(_ask)(address)
    except (BadAddress, *CALL_ERRORS) as error:
        raise ValidationError(str(error)) from error
    if said.public_key != found["public_key"]:
        raise ValidationError(
            gettext(
                "%(address)s has another key than the invitation names. Somebody may be in between, or the "
                "hub has a new key: ask its administrator for a new invitation."
            )
            % {"address": address}
        )
    return Offer(address, found["secret"], said.public_key, said.name)


async def _ask(address: str) -> Any:
    async with HubClient(address) as client:
        return await client.identity()


def join(*, by: User | None, offer: Offer) -> Node:
    """Take part in this hub. Raises ValidationError."""
    if by is not None:
        require_administrator(by)
    if (known := hub()) is not None:
        said = gettext("This node takes part in %(hub)s already. Leave it first.")
        raise ValidationError(said % {"hub": known.name})
    me = this_node()
    told = {
        "secret": offer.secret,
        "country": me.country,
        "address": me.address,
        "software": software_version(),
    }
    answer = _call(offer.address, offer.public_key, "join", told)
    return _remember(by, offer, answer)


@transaction.atomic
def _remember(by: User | None, offer: Offer, answer: dict[str, Any]) -> Node:
    said = answer.get("hub")
    said = said if isinstance(said, dict) else {}
    node = Node.objects.filter(public_key=offer.public_key).first() or Node(public_key=offer.public_key)
    if node.pk and node.part != Node.Part.HUB:
        raise ValidationError(_("A member of this node can't be its hub as well."))
    node.part, node.state = Node.Part.HUB, Node.State.ACTIVE
    node.name = "".join(letter for letter in offer.name if letter.isprintable()) or "Hub"
    node.slug = node.slug or _free_slug(node.name)
    if node.pk and node.address != offer.address:  # the same hub, by its key, has moved
        identities.move(node.address, offer.address)
    node.address = offer.address
    node.software = version(said.get("software"))
    node.catalogue_digest = node.trouble = ""
    node.joined_at = node.last_seen_at = timezone.now()
    node.save()
    audit.record(by, "hub.joined", node)
    return node


def _free_slug(name: str) -> str:
    stem = slugify(name)[:50] or "hub"
    taken = set(Node.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    return next(slug for slug in (stem, *(f"{stem}-{n}" for n in range(2, 10_000))) if slug not in taken)


def leave(*, by: User | None) -> str:
    """Take part no more. Returns "" where the hub has heard of it, else a sentence that says why not: then
    its administrator has to remove this node there. Raises ValidationError where there is no hub."""
    if by is not None:
        require_administrator(by)
    if (node := hub()) is None:
        raise ValidationError(_("This node takes part in no hub."))
    unheard = ""
    try:
        _call(node.address, node.public_key, "leave", {})
    except ValidationError as error:
        unheard = " ".join(error.messages)
    with transaction.atomic():
        node.state, node.catalogue_digest, node.trouble = Node.State.LEFT, "", ""
        node.save(update_fields=["state", "catalogue_digest", "trouble"])
        node.messages.filter(confirmed_at=None).delete()
        identities.doubt(node.address)
        tell_of_going()
        audit.record(by, "hub.left", node)
    return unheard


def change_key(*, by: User | None) -> str:
    """Make a new key pair and bring it to the hub, signed with the old one; returns the new fingerprint.

    Should this be interrupted, the new key waits in a file of its own, and asking again goes on with it:
    both keys sign, so the hub knows this node by whichever it has. Raises ValidationError.
    """
    if by is not None:
        require_administrator(by)
    if members().exists():
        raise ValidationError(
            "Other nodes joined this one and know it by its key. Changing it would turn them all away."
        )
    node = hub()
    old, new = keys.private_key(), keys.next_private_key()
    if node is not None:
        _call(node.address, node.public_key, "key", {"public_key": keys.public_hex(new)}, old=old, new=new)
    keys.take_next()
    audit.record(by, "hub.key_changed", node)
    return keys.fingerprint(keys.public_hex(new))


def finish_key_change() -> None:
    """Go on with a change of key that was interrupted. Raises Unreachable."""
    try:
        change_key(by=None)
    except ValidationError as error:
        raise Unreachable(" ".join(error.messages)) from error


def _call(
    address: str,
    hub_key: str,
    road: str,
    body: dict[str, Any],
    *,
    old: Ed25519PrivateKey | None = None,
    new: Ed25519PrivateKey | None = None,
) -> dict[str, Any]:
    """Raises ValidationError."""
    key = old or keys.private_key()

    async def call() -> dict[str, Any]:
        async with HubClient(address) as client:
            return await client.call(road, body, key=key, new_key=new, hub_key=hub_key, timeout_s=15)

    try:
        return async_to_sync(call)()
    except (BadAddress, *CALL_ERRORS) as error:
        raise ValidationError(str(error)) from error
