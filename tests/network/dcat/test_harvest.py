"""What harvesters and FAIR Data Point clients get, and how they ask."""

import json

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from rdflib import Graph, Literal, Namespace, URIRef
from rdflib.compare import isomorphic
from rdflib.namespace import DCAT, DCTERMS, RDF

from accounts.models import Organisation
from network.models import Listing, Node
from network.views import harvest
from tests.network.dcat.listed import SAID, listing

pytestmark = pytest.mark.django_db

LDP = Namespace("http://www.w3.org/ns/ldp#")
FDP = Namespace("https://w3id.org/fdp/fdp-o#")
BASE = "http://127.0.0.1:8000"
STEPS = (
    "/fdp",
    "/fdp/catalog/atlas",
    "/fdp/dataset/lung-nodules",
    "/fdp/distribution/lung-nodules",
    "/fdp/terms",
)


@pytest.fixture(autouse=True)
def address(settings) -> None:
    settings.NODE_ADDRESS = BASE


@pytest.fixture
def lung(organisation: Organisation) -> Listing:
    return listing(of=organisation)


def graph_at(client: Client, path: str, **headers: str) -> Graph:
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200, path
    kind = answer["Content-Type"].partition(";")[0]
    names = {"text/turtle": "turtle", "application/ld+json": "json-ld", "application/rdf+xml": "xml"}
    return Graph().parse(data=answer.getvalue(), format=names.get(kind, "nt"))


def test_turtle_and_json_ld_say_the_same(client: Client, lung: Listing) -> None:
    listing("other", terms={}, figures={}, facets={}, subjects=None, studies=None, licence="")
    one, other = graph_at(client, "/catalogue.ttl"), graph_at(client, "/catalogue.jsonld")
    assert isomorphic(one, other)
    assert set(one.subjects(RDF.type, DCAT.Dataset)) == {
        URIRef(f"{BASE}/fdp/dataset/lung-nodules"), URIRef(f"{BASE}/fdp/dataset/other")
    }  # fmt: skip


def test_only_what_is_listed_is_told(client: Client, lung: Listing) -> None:
    active = Node.objects.create(part="member", slug="a", name="A", public_key="aa" * 32)
    suspended = Node.objects.create(
        part="member", slug="s", name="S", public_key="bb" * 32, state=Node.State.SUSPENDED
    )
    listing("a--shown", node=active)
    listing("s--suspended", node=suspended)
    listing("hidden", is_listed=False)
    listing("unpublished", version="", published_at=None)
    told = graph_at(client, "/catalogue.ttl")
    slugs = {str(iri).rpartition("/")[2] for iri in told.subjects(RDF.type, DCAT.Dataset)}
    assert slugs == {"lung-nodules", "a--shown"}
    assert slugs == {
        str(iri).rpartition("/")[2]
        for iri in graph_at(client, "/fdp/catalog/atlas").objects(None, LDP.contains)
    }
    for hidden in ("s--suspended", "hidden", "unpublished", "nothing"):
        for step in ("dataset", "distribution"):
            assert client.get(f"/fdp/{step}/{hidden}").status_code == 404


@pytest.mark.parametrize("path", STEPS)
def test_each_step_is_told_in_the_format_that_is_asked_for(client: Client, lung: Listing, path: str) -> None:
    turtle = graph_at(client, path)
    for accept in ("application/ld+json", "application/rdf+xml", "application/n-triples"):
        assert isomorphic(turtle, graph_at(client, path, accept=accept))
    answer = client.get(path, {"format": "jsonld"})
    assert answer["Content-Type"] == "application/ld+json; charset=utf-8"
    assert answer["Vary"].startswith("Accept")
    assert answer["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(("path", "page"), [("/fdp", "/catalogue/"), (STEPS[2], "/catalogue/lung-nodules/")])
def test_browsers_are_led_to_the_page_for_people(client: Client, lung: Listing, path: str, page: str) -> None:
    answer = client.get(path, headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert (answer.status_code, answer["Location"]) == (303, page)


def test_a_format_that_nobody_writes_is_refused_in_words(client: Client, lung: Listing) -> None:
    answer = client.get("/fdp", headers={"accept": "image/png"})
    assert answer.status_code == 406
    assert "text/turtle" in answer.content.decode()
    assert client.get("/fdp?format=exe").status_code == 406


def test_a_client_reaches_every_dataset_from_the_root(client: Client, lung: Listing) -> None:
    listing("other")
    found, waiting = Graph(), ["/fdp"]
    seen = set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        here = graph_at(client, path)
        found += here
        waiting += [
            address.removeprefix(BASE)
            for address in map(str, here.objects(None, LDP.contains))
            if address.removeprefix(BASE) not in seen
        ]
    assert seen == {
        "/fdp", "/fdp/catalog/atlas", "/fdp/dataset/lung-nodules", "/fdp/dataset/other",
        "/fdp/distribution/lung-nodules", "/fdp/distribution/other",
    }  # fmt: skip
    root = URIRef(f"{BASE}/fdp")
    assert (root, RDF.type, FDP.FAIRDataPoint) in found
    assert (root, FDP.metadataCatalog, URIRef(f"{BASE}/fdp/catalog/atlas")) in found
    for iri in found.subjects(RDF.type, DCAT.Dataset):
        assert (iri, DCTERMS.isPartOf, URIRef(f"{BASE}/fdp/catalog/atlas")) in found


def test_containers_have_an_answer_of_their_own(client: Client, lung: Listing) -> None:
    for path in ("/fdp/", "/fdp/catalog/", "/fdp/dataset/", "/fdp/dataset/lung-nodules/distribution/"):
        assert (None, LDP.contains, None) in graph_at(client, path)


def test_a_harvester_that_comes_again_fetches_nothing(client: Client, lung: Listing) -> None:
    for path in ("/catalogue.ttl", "/catalogue.jsonld", *STEPS):
        etag = client.get(path)["ETag"]
        assert client.get(path, headers={"if-none-match": etag}).status_code == 304


@pytest.mark.parametrize(
    "change",
    [
        {"version": "1.3.0"},
        {"access": "open"},
        {"terms": SAID | {"tier": "3"}},
        {"figures": {"facets": {"sex": {"F": 12}}}},
        {"is_listed": False},
    ],
)
def test_anything_that_changes_is_fetched_anew(client: Client, lung: Listing, change: dict) -> None:
    other = listing("other")
    etag = client.get("/catalogue.ttl")["ETag"]
    Listing.objects.filter(pk=other.pk).update(**change)
    answer = client.get("/catalogue.ttl", headers={"if-none-match": etag})
    assert answer.status_code == 200
    assert answer["ETag"] != etag


def test_what_is_not_there_is_not_called_unchanged(client: Client, lung: Listing) -> None:
    anything = {"if-none-match": "*"}
    assert client.get("/fdp/dataset/nothing", headers=anything).status_code == 404
    assert client.get("/fdp?format=exe", headers=anything).status_code == 406
    assert client.get("/fdp", headers=anything).status_code == 304


def test_another_method_is_told_so(client: Client, lung: Listing) -> None:
    strict = Client(enforce_csrf_checks=True)
    for path in ("/catalogue.ttl", *STEPS):
        assert strict.post(path).status_code == 405
        assert strict.generic("QUERY", path).status_code == 405


def test_formats_have_etags_of_their_own(client: Client, lung: Listing) -> None:
    turtle, linked = client.get("/fdp")["ETag"], client.get("/fdp?format=jsonld")["ETag"]
    assert turtle != linked


def test_head_tells_what_get_would(client: Client, lung: Listing) -> None:
    head, get = client.head("/catalogue.ttl"), client.get("/catalogue.ttl")
    assert (head.status_code, head["ETag"], head.getvalue()) == (200, get["ETag"], b"")


def test_the_catalogue_is_written_while_it_is_read(client: Client, lung, monkeypatch) -> None:
    """Piece by piece, and under ASGI without holding up what else the process does."""
    for number in range(5):
        listing(f"more-{number}")
    monkeypatch.setattr(harvest, "AT_ONCE", 2)

    async def fetched() -> tuple[bool, bytes]:
        answer = await AsyncClient().get("/catalogue.ttl")
        return answer.is_async, b"".join([piece async for piece in answer.streaming_content])

    is_async, body = async_to_sync(fetched)()
    assert is_async
    assert body == client.get("/catalogue.ttl").getvalue()
    assert body.count(b"a dcat:Dataset,") == 6


def test_questions_to_the_database_grow_with_batches_only(client, lung, django_assert_num_queries) -> None:
    for number in range(8):
        listing(f"more-{number}")
    with django_assert_num_queries(4):  # is it new, which are there, the one batch, and none after it
        client.get("/catalogue.ttl").getvalue()
    with django_assert_num_queries(3):  # is it new, which are there, when did they change
        client.get("/fdp/catalog/atlas")
    with django_assert_num_queries(2):
        client.get("/fdp/dataset/lung-nodules")


def test_the_nodes_own_terms_have_an_address(client: Client, lung: Listing) -> None:
    terms = graph_at(client, "/fdp/terms")
    labels = {
        str(label) for label in terms.objects(None, URIRef("http://www.w3.org/2004/02/skos/core#prefLabel"))
    }
    assert {"Canon Medical Systems", "X-Ray Angiography", "Wrist", "Cohort"} <= labels
    assert "Siemens" not in labels  # has a code


def test_an_empty_catalogue_is_still_one(client: Client) -> None:
    told = graph_at(client, "/catalogue.ttl")
    assert isomorphic(told, graph_at(client, "/catalogue.jsonld"))
    assert (URIRef(f"{BASE}/fdp/catalog/atlas"), RDF.type, DCAT.Catalog) in told
    assert graph_at(client, "/fdp").value(URIRef(f"{BASE}/fdp"), DCTERMS.title) == Literal(
        "FAIR Data Point of Atlas node", lang="en"
    )


def test_json_ld_holds_its_context_so_that_no_one_is_sent_elsewhere_for_it(client, lung) -> None:
    told = json.loads(client.get("/catalogue.jsonld").getvalue())
    assert isinstance(told["@context"], dict)
    assert all(isinstance(value, str) for value in told["@context"].values())
