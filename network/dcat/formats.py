"""The formats that descriptions are told in, and which of them a request asks for."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.http import HttpRequest

from network.dcat.writing import Node, json_ld, turtle


@dataclass(frozen=True)
class Format:
    suffix: str
    media_type: str
    write: Callable[[Iterable[Node]], Iterator[str]]

    @property
    def content_type(self) -> str:
        return f"{self.media_type}; charset=utf-8"


def _by_rdflib(name: str) -> Callable[[Iterable[Node]], Iterator[str]]:
    """Formats that few ask for, for single resources: rdflib writes what it reads of our JSON-LD."""

    def write(nodes: Iterable[Node]) -> Iterator[str]:
        from rdflib import Graph  # takes 0.3 s to import, and most processes never need it

        graph = Graph()
        graph.parse(data="".join(json_ld(nodes)), format="json-ld")
        yield graph.serialize(format=name)

    return write


TURTLE = Format("ttl", "text/turtle", turtle)
JSON_LD = Format("jsonld", "application/ld+json", json_ld)
FORMATS = (
    TURTLE,
    JSON_LD,
    Format("rdf", "application/rdf+xml", _by_rdflib("xml")),
    Format("nt", "application/n-triples", _by_rdflib("nt11")),
)
PAGE = Format("html", "text/html", lambda _: iter(()))
"""For people: another address."""

BY_SUFFIX = {each.suffix: each for each in FORMATS}
_BY_TYPE = {each.media_type: each for each in (*FORMATS, PAGE)} | {"application/json": JSON_LD}


def wanted(request: HttpRequest) -> Format | None:
    """By `?format=ttl`, or else by Accept, Turtle where that doesn't care. None: nothing that we have."""
    named = request.GET.get("format")
    if named is not None:
        return BY_SUFFIX.get(named)
    accepted = request.get_preferred_type(list(_BY_TYPE))
    return _BY_TYPE[accepted] if accepted else None
