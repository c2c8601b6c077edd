"""Which datasets a question finds, and how many would be left with each value of each facet.

The number of questions to the database is the same whatever is chosen: three, and two more where words find
nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.expressions import OrderBy
from django.db.models.fields.json import KT

from network.catalogue import text
from network.catalogue.holdings import LABELS
from network.catalogue.public import listed
from network.catalogue.query import Query
from network.facets import FACETS
from network.models import Listing, ListingFacet

ORDERS: dict[str, list[str | OrderBy]] = {
    "updated": [F("published_at").desc(nulls_last=True), "title", "id"],
    "subjects": [F("subjects").desc(nulls_last=True), "title", "id"],
    "title": ["title", "id"],
}


@dataclass(frozen=True)
class Value:
    """A value of a facet over several listings. `subjects`: of those whose number may be told; `hidden`: how
    many listings keep theirs."""

    value: str
    datasets: int
    subjects: int
    hidden: int

    @property
    def told(self) -> int | None:
        """None where no listing tells a number."""
        return self.subjects if self.hidden < self.datasets else None


@dataclass(frozen=True)
class Found:
    """`ids` of listings in the asked order; `facets`: the values of each, those of most datasets first.

    The values of a facet are counted as if nothing were chosen of that same facet: they say what else could
    be chosen. `mended`: the words that were looked for instead, where nothing has those that were asked.
    """

    ids: list[int]
    facets: Mapping[str, list[Value]] = field(default_factory=dict)
    mended: str = ""


def find(query: Query) -> Found:
    words = text.words_of(query.text)
    mended = ""
    ids = _ids(query, words)
    if not ids and words:
        better = text.corrected(words)
        if better:
            mended, ids = " ".join(better), _ids(query, better)
    complete, lacking = _narrowed(ids, query.chosen)
    return Found(complete, _values(complete, lacking), mended if ids else "")


def _ids(query: Query, words: list[str]) -> list[int]:
    """Of all listings with these words, in the order that is asked for."""
    found = listed()
    if query.text:
        if not words:
            return []
        asked = text.query_of(words)
        found = found.filter(words=asked)
        if query.order == "relevance":
            found = found.annotate(rank=text.Rank(asked)).order_by("-rank", *ORDERS["subjects"])
            return [pk for pk, _ in found.values_list("pk", "rank")]
    return list(found.order_by(*ORDERS.get(query.order, ORDERS["updated"])).values_list("pk", flat=True))


def _narrowed(
    ids: list[int], chosen: Mapping[str, tuple[str, ...]]
) -> tuple[list[int], Mapping[str, set[int]]]:
    """The listings that have a value of each facet, and for each facet those that lack only that one."""
    if not chosen:
        return ids, {}
    condition = Q(pk__in=[])
    for facet, values in chosen.items():
        condition |= Q(facet=facet, value__in=values)
    has: dict[int, set[str]] = defaultdict(set)
    for pk, facet in ListingFacet.objects.filter(condition, listing__in=ids).values_list("listing", "facet"):
        has[pk].add(facet)
    complete, lacking = [], defaultdict(set)
    for pk in ids:
        missing = chosen.keys() - has[pk]
        if not missing:
            complete.append(pk)
        elif len(missing) == 1:
            lacking[missing.pop()].add(pk)
    return complete, lacking


def _values(complete: Iterable[int], lacking: Mapping[str, set[int]]) -> dict[str, list[Value]]:
    condition = Q(listing__in=list(complete))
    for facet, ids in lacking.items():
        condition |= Q(facet=facet, listing__in=list(ids))
    counted = (
        ListingFacet.objects.filter(condition)
        .order_by()
        .values_list("facet", "value")
        .annotate(datasets=Count("pk"), told=Sum("subjects"), numbers=Count("subjects"))
    )
    found: dict[str, list[Value]] = {facet: [] for facet in FACETS}
    for facet, value, datasets, told, numbers in counted:
        if facet in found:
            found[facet].append(Value(value, datasets, told or 0, datasets - numbers))
    for values in found.values():
        values.sort(key=lambda one: (-one.datasets, -one.subjects, one.value))
    return found


def in_order(ids: list[int]) -> list[Listing]:
    """These listings, without what only their own page shows."""
    rows: QuerySet[Listing] = (
        Listing.objects.defer("words", "figures", "terms")
        .select_related("node")
        .annotate(**{f"labelled_{name}": KT(f"figures__labels__{name}") for name in LABELS})
    )
    by_id = rows.in_bulk(ids)
    return [by_id[pk] for pk in ids if pk in by_id]
