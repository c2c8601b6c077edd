"""Facets as menus: each value with what would be found, and the address that chooses it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from atlas.models import Dataset
from network.catalogue.query import Query
from network.catalogue.search import Value
from network.catalogue.wording import value_words
from network.facets import AGES, FACETS, TIME_POINTS
from network.models import Listing

OPTIONS_MAX = 100

ORDERS: dict[str, Sequence[str]] = {
    "organ": Dataset.Organ.values,
    "age": AGES,
    "time_points": TIME_POINTS,
    "access": Listing.Access.values,
}
"""Facets whose values have an order of their own; others begin with what most datasets have."""


@dataclass(frozen=True)
class Option:
    value: str
    words: str
    address: str
    datasets: int
    subjects: int | None
    is_chosen: bool


@dataclass(frozen=True)
class Menu:
    """`more`: how many values are left out."""

    key: str
    title: str
    options: list[Option]
    more: int

    @property
    def chosen(self) -> list[Option]:
        return [option for option in self.options if option.is_chosen]


def menus_of(query: Query, facets: Mapping[str, Sequence[Value]], names: Mapping[str, str]) -> list[Menu]:
    """In the order of FACETS. What was chosen and is nowhere stays in its menu: it can be taken away."""
    return [
        menu
        for key, facet in FACETS.items()
        if (menu := _menu(key, gettext(facet.words), query, facets.get(key, ()), names)).options
    ]


def _menu(key: str, title: str, query: Query, values: Sequence[Value], names: Mapping[str, str]) -> Menu:
    chosen = query.chosen.get(key, ())
    known = {value.value for value in values}
    every = [*values, *(Value(value, 0, 0, 0) for value in chosen if value not in known)]
    order = {value: place for place, value in enumerate(ORDERS.get(key, ()))}
    every.sort(key=lambda one: (one.value not in chosen, order.get(one.value, len(order))))
    options = [
        Option(
            value=one.value,
            words=value_words(key, one.value, names),
            address=query.toggled(key, one.value).address(),
            datasets=one.datasets,
            subjects=one.told if one.datasets else 0,
            is_chosen=one.value in chosen,
        )
        for one in every[:OPTIONS_MAX]
    ]
    return Menu(key, title, options, max(0, len(every) - OPTIONS_MAX))
