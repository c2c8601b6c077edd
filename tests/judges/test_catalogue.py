"""The public catalogue, judged by others: official DCAT-AP shapes, a FAIR Data Point client, schemathesis.

Shapes: DCAT-AP 3.0.1 of SEMIC (CC BY 4.0), from the test data. pyshacl runs them offline.
"""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyshacl import validate
from rdflib import RDF, SH, Graph, Namespace, URIRef
from rdflib.compare import isomorphic
from rdflib.namespace import DCAT

from tests.e2e.node import ROOT, Node

pytestmark = pytest.mark.judge

LDP = Namespace("http://www.w3.org/ns/ldp#")
SHAPES = ("dcat-ap-3.0.1-shacl.ttl", "dcat-ap-3.0.1-ranges.ttl")

FILL = """
from datetime import UTC, datetime
from accounts.models import Organisation
from tests.network.dcat.listed import FACETS, listing
from network.models import Node
organisation = Organisation.objects.create(name="Karlsund University Hospital", slug="karlsund", country="SE")
listing(of=organisation)
member = Node.objects.create(part="member", slug="ribera", name="Hospital Ribera Alta", public_key="ab" * 32)
listing("ribera--breast", node=member, organ="breast", country="ES", licence="By contract", access="counts")
listing("bare", terms={}, figures={}, facets={}, subjects=None, studies=None, description="", licence="")
evil = '\\"\\"\\" . <https://evil.example/> a <https://evil.example/Class> . </script> \\\\ {"@context": "x"}'
facets = FACETS | {"manufacturer": {evil: None}, "label": {evil: 20}}
texts = {"title": evil, "description": evil, "organisation": evil, "licence": evil[:80]}
listing("evil--lung", node=member, facets=facets, **texts)
for number in range(40):
    listing(f"more-{number}")
"""
SLUGS = {"lung-nodules", "ribera--breast", "bare", "evil--lung", *(f"more-{n}" for n in range(40))}


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    made = Node()
    made.environment["ATLAS_ADDRESS"] = made.base_url  # descriptions name addresses that lead back here
    with made as node:
        node.python(FILL)
        yield node


def fetched(address: str, accept: str = "text/turtle") -> Graph:
    request = urllib.request.Request(address, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=60) as answer:
        name = {"application/ld+json": "json-ld"}.get(answer.headers.get_content_type(), "turtle")
        return Graph().parse(data=answer.read(), format=name)


@pytest.fixture(scope="module")
def catalogue(node: Node) -> Graph:
    return fetched(f"{node.base_url}/catalogue.ttl")


def official(file: Path) -> Graph:
    """Without its property shapes that have no path: they say nothing, and pyshacl refuses them."""
    shapes = Graph().parse(file, format="turtle")
    for shape in set(shapes.objects(None, SH.property)):
        if (shape, SH.path, None) not in shapes:
            shapes.remove((None, SH.property, shape))
    return shapes


@pytest.mark.parametrize("name", SHAPES)
def test_the_catalogue_has_the_official_shapes_of_dcat_ap(catalogue: Graph, test_data: Path, name: str):
    shapes = official(test_data / "standards" / name)
    assert len(set(shapes.subjects(SH.path, None))) > 40  # shapes that ask something are left
    conforms, _, report = validate(catalogue, shacl_graph=shapes)
    assert conforms, report


def test_the_official_shapes_would_refuse_a_dataset_without_a_name(catalogue: Graph, test_data: Path):
    spoilt = Graph()
    spoilt += catalogue
    spoilt.remove((None, URIRef("http://purl.org/dc/terms/title"), None))
    conforms, _, _ = validate(spoilt, shacl_graph=official(test_data / "standards" / SHAPES[0]))
    assert not conforms


def test_turtle_and_json_ld_are_the_same_graph(node: Node, catalogue: Graph):
    assert isomorphic(catalogue, fetched(f"{node.base_url}/catalogue.jsonld"))
    assert not [name for name in catalogue.predicates() if "evil" in name]


def test_a_client_of_fair_data_points_reaches_every_dataset(node: Node, test_data: Path):
    """From the root alone, following what LDP containers contain; what it gathers has the shapes, too."""
    gathered, waiting, seen = Graph(), [f"{node.base_url}/fdp"], set()
    while waiting:
        address = waiting.pop()
        seen.add(address)
        here = fetched(address, "text/turtle, application/ld+json;q=0.5")
        gathered += here
        containers = set(here.subjects(RDF.type, LDP.DirectContainer))
        for container in containers:
            relation = here.value(container, LDP.hasMemberRelation)
            owner = here.value(container, LDP.membershipResource)
            members = set(here.objects(container, LDP.contains))
            assert members == set(here.objects(owner, relation))
            waiting += [str(member) for member in members if str(member) not in seen]
    datasets = {str(iri).rpartition("/")[2] for iri in gathered.subjects(RDF.type, DCAT.Dataset)}
    assert datasets == SLUGS
    conforms, _, report = validate(gathered, shacl_graph=official(test_data / "standards" / SHAPES[0]))
    assert conforms, report


def test_schemathesis_finds_nothing_wrong_with_the_public_api(node: Node, tmp_path: Path):
    run = schemathesis(
        node, f"{node.base_url}/api/schema/", tmp_path, "--include-path-regex=^/api/v1/catalogue/"
    )
    assert run.returncode == 0, run.stdout[-6000:]
    assert "Tested: 2" in run.stdout


def test_schemathesis_finds_nothing_wrong_with_what_harvesters_fetch(node: Node, tmp_path: Path):
    schema = ROOT / "tests" / "judges" / "harvest.yaml"
    run = schemathesis(node, str(schema), tmp_path, f"--url={node.base_url}")
    assert run.returncode == 0, run.stdout[-6000:]


def schemathesis(node: Node, schema: str, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("schemathesis")
    command = [program, "run", schema, "--max-examples=40", "--seed=7", "--no-color", *more]
    environment = {**os.environ, "PYTHONUTF8": "1"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
