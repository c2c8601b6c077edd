"""What every part of a description is made with: addresses, values, and a listing made ready."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from network.dcat import plain
from network.dcat.codes import Term, Vocabulary
from network.dcat.terms import EHDS, Choice, Terms, kept_of
from network.dcat.writing import Node, Value
from network.facets import FACETS
from network.models import Listing

EU = "http://publications.europa.eu/resource/authority/"

VALUES_MAX = 200
"""Of one facet: another node can't make a description endless."""


def at(iri: str) -> Value:
    return {"@id": iri}


def said(words: str, language: str = "en") -> Value:
    return {"@value": words, "@language": language}


def typed(value: object, kind: str) -> Value:
    return {"@value": str(value), "@type": f"xsd:{kind}"}


def concept(iri: str, label: str, *more: str) -> Node:
    return {"@id": iri, "@type": ["skos:Concept", *more], "skos:prefLabel": [said(label)]}


@dataclass(frozen=True)
class Addresses:
    """Where things stand below the node's public address (settings.NODE_ADDRESS)."""

    base: str

    @property
    def point(self) -> str:
        return f"{self.base}/fdp"

    @property
    def catalogue(self) -> str:
        return f"{self.base}/fdp/catalog/atlas"

    @property
    def terms(self) -> str:
        return f"{self.base}/fdp/terms"

    def dataset(self, slug: str) -> str:
        return f"{self.base}/fdp/dataset/{slug}"

    def images(self, slug: str) -> str:
        return f"{self.base}/fdp/distribution/{slug}"

    def page(self, slug: str) -> str:
        return f"{self.base}/catalogue/{slug}/"


@dataclass(frozen=True)
class Description:
    """A listing, made ready to be described."""

    listing: Listing
    addresses: Addresses
    terms: Terms
    vocabulary: Vocabulary

    @classmethod
    def of(cls, listing: Listing, addresses: Addresses) -> "Description":
        return cls(listing, addresses, kept_of(listing.terms), Vocabulary(addresses.terms))

    @classmethod
    def here(cls, listing: Listing) -> "Description":
        return cls.of(listing, Addresses(settings.NODE_ADDRESS))

    @property
    def iri(self) -> str:
        return self.addresses.dataset(self.listing.slug)

    def one(self, key: str) -> str:
        value = self.terms.get(key, "")
        return value if isinstance(value, str) else ""

    def several(self, key: str) -> list[str]:
        value = self.terms.get(key, [])
        return value if isinstance(value, list) else []

    def counted(self, facet: str) -> list[str]:
        """Values of a facet that may be named: told of with a number, or named though few have them."""
        figures = self.listing.figures if isinstance(self.listing.figures, dict) else {}
        facets = figures.get("facets")
        values = facets.get(facet) if isinstance(facets, dict) else None
        if not isinstance(values, dict):
            return []
        names_few = FACETS[facet].names_few
        found = (
            plain.text(value, length_max=120) for value, n in values.items() if names_few or n is not None
        )
        return [value for value in found if value][:VALUES_MAX]

    def most_counted(self, facet: str) -> str:
        """The value that most subjects have; "" if none may be told."""
        told = [value for value in self.counted(facet) if isinstance(self._number(facet, value), int)]
        return max(told, key=lambda value: (self._number(facet, value), value), default="")

    def _number(self, facet: str, value: str) -> Any:
        return self.listing.figures["facets"][facet].get(value)


class Shared:
    """Terms, laws, licences, places that a description points to: each told once, with its kind and name."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}

    def use(self, node: Node) -> Value:
        iri = str(node["@id"])
        known = self.nodes.setdefault(iri, node)
        if known is not node:  # the same under two kinds: both are true
            types = dict.fromkeys([*_list(known["@type"]), *_list(node["@type"])])
            self.nodes[iri] = {**node, **known, "@type": list(types)}
        return at(iri)

    def term(self, term: Term) -> Value:
        node = concept(term.iri, plain.text(term.label, length_max=200))
        if not term.is_known:
            node["rdfs:subClassOf"] = [at(term.parent)]
        if term.also:
            node["skos:exactMatch"] = [at(term.also)]
        return self.use(node)

    def terms(self, made: Iterable[Term]) -> list[Value]:
        return list({term.iri: self.term(term) for term in made}.values())


def _list(value: object) -> list[str]:
    return value if isinstance(value, list) else []


def laws(described: Description, shared: Shared) -> list[Value]:
    laws = described.several("legislation") or [EHDS]
    return [shared.use({"@id": law, "@type": ["eli:LegalResource"]}) for law in laws]


def choice(choices: tuple[Choice, ...], key: str) -> Choice | None:
    return next((choice for choice in choices if choice.key == key), None)
