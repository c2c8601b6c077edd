"""What someone asks of the catalogue, as an address says it: words, chosen values of facets, an order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol
from urllib.parse import urlencode

from django.utils.translation import gettext_noop as _

from network.facets import FACETS, VALUE_LENGTH_MAX

TEXT_LENGTH_MAX = 200
VALUES_MAX = 50

SORTS = {
    "relevance": _("Best match"),
    "updated": _("Last updated"),
    "subjects": _("Most subjects"),
    "title": _("Title"),
}


class Params(Protocol):
    """A QueryDict, or what answers like one."""

    def getlist(self, key: str, /) -> Sequence[object]: ...


class QueryError(ValueError):
    """What is wrong with an address, as a sentence."""


@dataclass(frozen=True)
class Query:
    """`chosen`: facet -> values; a dataset must have one of the values of each facet."""

    text: str = ""
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sort: str = ""

    @property
    def order(self) -> str:
        """Without a wish: the best match of words, else what was updated last."""
        return self.sort or ("relevance" if self.text else "updated")

    @property
    def is_empty(self) -> bool:
        return not self.text and not self.chosen

    def toggled(self, facet: str, value: str) -> "Query":
        """With this value chosen, or no longer."""
        before = self.chosen.get(facet, ())
        after = tuple(v for v in before if v != value) if value in before else (*before, value)
        return self.having(facet, after)

    def having(self, facet: str, values: tuple[str, ...]) -> "Query":
        rest = {name: chosen for name, chosen in self.chosen.items() if name != facet}
        return replace(self, chosen=rest | ({facet: values} if values else {}))

    def pairs(self) -> Iterator[tuple[str, str]]:
        """For an address or hidden fields of a form."""
        if self.text:
            yield "q", self.text
        for facet in FACETS:
            for value in self.chosen.get(facet, ()):
                yield facet, value
        if self.sort:
            yield "sort", self.sort

    def address(self, **more: object) -> str:
        """ "?q=…&organ=lung", or "?" for everything."""
        return "?" + urlencode([*self.pairs(), *((name, str(value)) for name, value in more.items())])


def from_params(params: Params) -> Query:
    """Raises QueryError where something can't be meant: a filter is never left out in silence."""
    text = _one(params, "q")
    if len(text) > TEXT_LENGTH_MAX:
        raise QueryError(
            f"The words are {len(text)} characters long; at most {TEXT_LENGTH_MAX} are looked for."
        )
    sort = _one(params, "sort")
    if sort and sort not in SORTS:
        raise QueryError(f"There is no order “{sort[:40]}”: sort by {', '.join(SORTS)}.")
    chosen = {}
    for facet in FACETS:
        given = params.getlist(facet)
        values = tuple(dict.fromkeys(_clean(value) for value in given if value))
        if len(given) > VALUES_MAX:
            raise QueryError(f"At most {VALUES_MAX} values of “{facet}” can be chosen at once.")
        if any(len(value) > VALUE_LENGTH_MAX for value in values):
            raise QueryError(f"No value of “{facet}” is longer than {VALUE_LENGTH_MAX} characters.")
        if values:
            chosen[facet] = values
    return Query(text, chosen, sort)


def _one(params: Params, name: str) -> str:
    given = params.getlist(name)
    if len(given) > 1:
        raise QueryError(f"“{name}” stands {len(given)} times in the address, where it may stand once.")
    return " ".join(_clean(given[0]).split()) if given else ""


def _clean(value: object) -> str:
    """Without characters that PostgreSQL keeps in no text, and lone surrogates."""
    return str(value).replace("\0", "").encode(errors="ignore").decode()
