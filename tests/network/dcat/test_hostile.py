"""Catalogue text of a hostile node: nothing that it wrote becomes syntax, a name, or its own address."""

import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import Graph, Literal, URIRef
from rdflib.compare import isomorphic
from rdflib.namespace import DCTERMS

from network.dcat import schema_org
from network.dcat.profile import nodes_of
from network.dcat.writing import json_ld, turtle
from network.models import Listing
from tests.network.dcat.conftest import ADDRESSES
from tests.network.dcat.listed import SAID

EVIL = "https://evil.example/"
HOSTILE = (
    '</script><script>alert(1)</script>',
    '" . <https://evil.example/> <https://evil.example/owns> <https://evil.example/all> . "',
    '"""@en ; a <https://evil.example/Class> . """',
    '"}, {"@id": "https://evil.example/", "@type": "https://evil.example/Class"}, {"@value": "',
    '{"@context": {"dct": "https://evil.example/"}}',
    "@prefix dct: <https://evil.example/> .",
    "back\\slash and \\u0022 quote",
    "> <https://evil.example/> <",
    "=cmd|'/c calc'!A1",
)  # fmt: skip


def hostile_listing(text: str) -> Listing:
    """Everything that another node may write is this text."""
    facets = {
        facet: {text: 20, "CT": 30}
        for facet in ("modality", "manufacturer", "body_part", "sex", "age", "condition", "label")
    }
    said = {key: [text] if isinstance(value, list) else text for key, value in SAID.items()}
    kept_anyway = {
        "keywords": [text[:80]],
        "provenance": text,
        "access_body": text,
        "access_body_page": "https://a.example",
    }
    return Listing(
        slug="evil--lung",
        title=text,
        description=text,
        licence=text[:80],
        organisation=text,
        organisation_slug="evil",
        country="<>",
        organ=text[:20],
        access="request",
        version=text[:20],
        published_at=datetime(2026, 1, 1, tzinfo=UTC),
        terms=said | kept_anyway,
        figures={"facets": facets, "@context": EVIL, text: text},
    )


def both(listing: Listing) -> tuple[Graph, Graph]:
    written = "".join(turtle(nodes_of(listing, ADDRESSES)))
    linked = "".join(json_ld(nodes_of(listing, ADDRESSES)))
    return Graph().parse(data=written, format="turtle"), Graph().parse(data=linked, format="json-ld")


def nothing_is_owned(graph: Graph) -> None:
    """What it wrote stands in literals, and in addresses only percent-encoded below our own."""
    names = {str(name) for name in graph.predicates()}
    assert not [name for name in names if "evil" in name]
    for node in {*graph.subjects(), *graph.objects()}:
        if isinstance(node, URIRef):
            assert not str(node).startswith(EVIL)
            assert re.fullmatch(r"(https?|mailto):[^\s<>\"{}|\\^`]+", str(node))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    one, other = both(hostile_listing(text))
    nothing_is_owned(one)
    assert isomorphic(one, other)
    subject = URIRef(ADDRESSES.dataset("evil--lung"))
    assert set(one.objects(subject, DCTERMS.title)) == {Literal(" ".join(text.split()), lang="en")}


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=1, max_size=60))
def test_any_text_comes_out_the_same_of_turtle_and_json_ld(text: str) -> None:
    one, other = both(hostile_listing(text))
    nothing_is_owned(one)
    assert isomorphic(one, other)


@pytest.mark.parametrize("text", HOSTILE)
def test_the_block_for_search_engines_ends_where_it_should(text: str) -> None:
    block = str(schema_org.block(hostile_listing(text), ADDRESSES))
    assert block.startswith('<script type="application/ld+json">')
    assert block.count("<") == 2  # the element itself
    told = json.loads(block.partition(">")[2].removesuffix("</script>"))
    assert told["@context"] == "https://schema.org/"
    assert told["name"] == " ".join(text.split())
    assert EVIL not in (told["@id"], told.get("license"), told["url"])


def test_the_only_context_is_our_own() -> None:
    told = json.loads("".join(json_ld(nodes_of(hostile_listing(HOSTILE[4]), ADDRESSES))))
    assert set(told) == {"@context", "@graph"}
    assert told["@context"]["dct"] == str(DCTERMS)
    inner = json.dumps(told["@graph"])
    assert '"@context":' not in inner.replace('\\"', "'")


@pytest.mark.parametrize("address", ["javascript:alert(1)", "https://x.example/> <y", "ftp://x.example"])
def test_an_address_that_is_none_is_left_out(address: str) -> None:
    said = SAID | {"documentation": address, "contact_page": address, "legislation": [address]}
    listing = Listing(slug="x", title="x", terms=said, licence=address)
    graph, _ = both(listing)
    assert not [node for node in graph.all_nodes() if isinstance(node, URIRef) and address in str(node)]
