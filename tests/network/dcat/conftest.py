"""Graphs as a harvester reads them, and whether they have the shape of the imaging profile."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pyshacl import validate
from rdflib import Graph

from network.dcat.describing import Addresses
from network.dcat.profile import nodes_of
from network.dcat.writing import turtle
from network.models import Listing

ADDRESSES = Addresses("https://atlas.example.org")
PROFILE = Path(__file__).with_name("imaging_profile.ttl")

type Broken = Callable[[Graph], list[str]]


@pytest.fixture(scope="session")
def broken() -> Broken:
    """What a graph lacks of the profile: the property of each violation, without its namespace."""
    shapes = Graph().parse(PROFILE, format="turtle")
    query = """
        SELECT ?path WHERE { ?result a <http://www.w3.org/ns/shacl#ValidationResult> .
        OPTIONAL { ?result <http://www.w3.org/ns/shacl#resultPath> ?path } }"""

    def lacks(graph: Graph) -> list[str]:
        _, report, _ = validate(graph, shacl_graph=shapes)
        return sorted(str(row[0]).replace("/", "#").rpartition("#")[2] for row in report.query(query))

    return lacks


def graph_of(listing: Listing) -> Graph:
    return Graph().parse(data="".join(turtle(nodes_of(listing, ADDRESSES))), format="turtle")
