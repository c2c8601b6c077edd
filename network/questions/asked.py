"""Who would be asked: this node and those that joined it, with how their datasets answer."""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count

from network.federation.nodes import is_online, members
from network.models import Listing


@dataclass(frozen=True)
class Asked:
    """`by_itself`, `by_person`, `never`: how many of its datasets answer so."""

    node: str
    country: str
    is_online: bool
    by_itself: int
    by_person: int
    never: int


def who_is_asked() -> list[Asked]:
    """Those that list datasets. Two queries."""
    listed = Listing.objects.filter(is_listed=True).exclude(version="").order_by()
    counted: dict[int | None, dict[str, int]] = {}
    for node_id, answers, count in listed.values_list("node", "answers").annotate(count=Count("pk")):
        counted.setdefault(node_id, {})[answers] = count

    def told(name: str, country: str, online: bool, node_id: int | None) -> Asked:
        how = counted[node_id]
        by = [
            how.get(each, 0)
            for each in (Listing.Answers.ITSELF, Listing.Answers.PERSON, Listing.Answers.NEVER)
        ]
        return Asked(name, country, online, *by)

    here = [told(settings.NODE_NAME, "", True, None)] if None in counted else []
    return here + [
        told(node.name, node.country, is_online(node), node.pk) for node in members() if node.pk in counted
    ]
