"""Who provides what: organisations, countries and nodes, against what the initiative wants to reach."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate

from django.conf import settings
from django.utils.translation import gettext

from network.catalogue.holdings import Holdings, Told, growth
from network.catalogue.public import listed
from network.catalogue.shown import growth_of
from network.federation import nodes
from network.models import Node


@dataclass
class Provider:
    """`node`: None for this node's own."""

    name: str
    slug: str
    country: str
    node: Node | None
    datasets: int = 0
    subjects: Told = field(default_factory=Told)
    images: Told = field(default_factory=Told)


@dataclass(frozen=True)
class Goal:
    """How far the atlas is."""

    words: str
    reached: int
    wanted: int

    @property
    def part(self) -> float:
        return min(1.0, self.reached / self.wanted)


@dataclass(frozen=True)
class NodeLine:
    """`is_online`: None for this node, which answers as you read."""

    name: str
    country: str
    address: str
    providers: int
    datasets: int
    subjects: Told
    is_online: bool | None
    last_seen_at: datetime | None
    software: str


@dataclass(frozen=True)
class Month:
    """`px`, `py`: a point of the curve, in the pixels of its drawing."""

    name: str
    total: int
    px: int
    py: int


def providers() -> list[Provider]:
    """Those with most subjects first."""
    found: dict[tuple[int | None, str], Provider] = {}
    for listing in listed().select_related("node").defer("words", "figures", "terms", "description"):
        key = (listing.node_id, listing.organisation_slug)
        one = found.setdefault(
            key,
            Provider(listing.organisation, listing.organisation_slug, listing.country, listing.node),
        )
        one.datasets += 1
        one.subjects.add(listing.subjects)
        one.images.add(listing.images)
    return sorted(found.values(), key=lambda one: (-one.subjects.told, one.name))


def goals_of(held: Holdings) -> list[Goal]:
    wanted = settings.GOAL
    return [
        Goal(gettext("Subjects"), held.subjects.told, wanted["subjects"]),
        Goal(gettext("Images"), held.images.told, wanted["images"]),
        Goal(gettext("Providers"), held.organisations, wanted["providers"]),
        Goal(gettext("Countries"), held.countries, wanted["countries"]),
    ]


def node_lines(every: list[Provider]) -> list[NodeLine]:
    """This node, then those that take part in it. A node that lists nothing yet stands there, too."""
    of_node: dict[int | None, list[Provider]] = defaultdict(list)
    for one in every:
        of_node[one.node.pk if one.node else None].append(one)
    lines = [_line(None, of_node[None])]
    return lines + [_line(node, of_node[node.pk]) for node in nodes.members()]


def _line(node: Node | None, provided: list[Provider]) -> NodeLine:
    subjects = Told()
    for one in provided:
        subjects.told += one.subjects.told
        subjects.hidden += one.subjects.hidden
    return NodeLine(
        name=node.name if node else settings.NODE_NAME,
        country=node.country if node else next((one.country for one in provided), ""),
        address=node.address if node and node.address.startswith(("https://", "http://")) else "",
        providers=len(provided),
        datasets=sum(one.datasets for one in provided),
        subjects=subjects,
        is_online=nodes.is_online(node) if node else None,
        last_seen_at=node.last_seen_at if node else None,
        software=node.software if node else "",
    )


CURVE_LEFT, CURVE_RIGHT, CURVE_TOP, CURVE_BOTTOM = 8, 560, 16, 140


def growth_curve() -> list[Month]:
    """Subjects of all listings, month by month, as a curve that ends at the right. Time is to scale."""
    told = growth(growth_of(figures) for figures in listed().values_list("figures", flat=True))
    totals = list(accumulate(number for _, number in told))
    if not totals or not totals[-1]:
        return []
    first, last = _months(told[0][0]), _months(told[-1][0])
    wide, high = CURVE_RIGHT - CURVE_LEFT, CURVE_BOTTOM - CURVE_TOP
    return [
        Month(
            month,
            total,
            CURVE_LEFT + round(wide * (_months(month) - first) / max(1, last - first)),
            CURVE_BOTTOM - round(high * total / totals[-1]),
        )
        for (month, _), total in zip(told, totals, strict=True)
    ]


def _months(month: str) -> int:
    """Since the year 0; "2026-11" is the form that `shown.growth_of` lets through."""
    year, number = month.split("-")
    return 12 * int(year) + int(number)
