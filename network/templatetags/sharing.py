"""In lists of members: who comes from another node."""

from collections.abc import Iterable

from django import template

from network.sharing.people import tell_nodes

register = template.Library()


@register.simple_tag
def comes_from(members: Iterable) -> str:
    """Sets `comes_from` on the person of each member: the name of their node, or nothing. Writes nothing."""
    tell_nodes([member[0] if isinstance(member, tuple) else member.person for member in members])
    return ""
