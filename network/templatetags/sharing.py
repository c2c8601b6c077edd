"""Who comes from another node, and who can sign in with the hub."""

from collections.abc import Iterable

from django import template
from django.conf import settings

from accounts.models import User
from accounts.services import identities
from network.models import Node
from network.sharing.people import tell_nodes

register = template.Library()


@register.simple_tag
def comes_from(members: Iterable) -> str:
    """Sets `comes_from` on the person of each member: the name of their node, or nothing. Writes nothing."""
    tell_nodes([member[0] if isinstance(member, tuple) else member.person for member in members])
    return ""


@register.inclusion_tag("sharing/connection.html")
def connection(user: User, hub: Node) -> dict[str, object]:
    """The person's own connection with the hub, to make or to end."""
    return {
        "user": user,
        "hub": hub,
        "is_connected": identities.connections(user).filter(issuer=hub.address).exists(),
        "days": settings.VOUCHED_FOR.days,
    }
