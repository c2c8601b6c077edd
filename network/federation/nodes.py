"""Who is in the network: this node, its hub, and the nodes that joined it."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import slugify

from accounts.models import Organisation
from network.federation import keys
from network.models import Node

ONLINE_S = 60
"""A node says something at least each 25 s; one that was silent for this long is away."""


@dataclass(frozen=True)
class Identity:
    """What this node tells others of itself."""

    name: str
    slug: str
    country: str
    """ISO 3166-1 alpha-2, of most of its organisations; may be empty."""
    address: str
    public_key: str
    """Ed25519, 64 hexadecimal characters."""

    @property
    def fingerprint(self) -> str:
        return keys.fingerprint(self.public_key)


def this_node() -> Identity:
    """Raises atlas.archive.keys.KeyUnusable where its key is lost."""
    countries = Counter(Organisation.objects.values_list("country", flat=True))
    return Identity(
        name=settings.NODE_NAME,
        slug=slugify(settings.NODE_NAME)[:60] or "node",
        country=countries.most_common(1)[0][0] if countries else "",
        address=settings.NODE_ADDRESS,
        public_key=keys.public_hex(keys.private_key()),
    )


def hub() -> Node | None:
    """The hub that this node takes part in."""
    return Node.objects.filter(part=Node.Part.HUB, state=Node.State.ACTIVE).first()


def hub_is_known() -> bool:
    """Whether this node has something to do as a member: its agent runs as long as this is so."""
    return Node.objects.filter(part=Node.Part.HUB, state=Node.State.ACTIVE).exists()


def members() -> QuerySet[Node]:
    """The nodes that take part in this hub, by name."""
    return Node.objects.filter(part=Node.Part.MEMBER, state=Node.State.ACTIVE)


def is_online(node: Node) -> bool:
    """Whether something was heard of it a moment ago."""
    if node.last_seen_at is None or node.state != Node.State.ACTIVE:
        return False
    return timezone.now() - node.last_seen_at < timedelta(seconds=ONLINE_S)
