"""What another node publishes is taken whole and right, or not at all."""

import copy
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Organisation
from atlas.models import Dataset
from network import listings
from network.listings import exchange
from network.listings.exchange import ListingError
from network.models import AccessItem, AccessPart, AccessRequest, Listing, ListingFacet, ListingVersion, Node
from tests.cast import person, study_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def node() -> Node:
    return Node.objects.create(part="member", slug="porto", name="Porto", public_key="a" * 64)


@pytest.fixture
def document() -> list[dict[str, Any]]:
    """What a node would publish of a dataset of its own."""
    organisation = Organisation.objects.create(name="Hospital", slug="hospital", country="PT")
    dataset = Dataset.objects.create(organisation=organisation, name="Breast", slug="breast", organ="breast")
    for at in range(20):
        study_of(dataset, f"B-{at}", "2024-05-01", "MR")
    listings.publish(dataset)
    Listing.objects.update(is_listed=True)
    found = listings.document()
    Listing.objects.all().delete()
    return found


def test_what_a_node_publishes_is_shown_under_its_name(node: Node, document: list[dict[str, Any]]) -> None:
    assert listings.store_remote(node, document) == 1
    assert listings.store_remote(node, document) == 1, "twice is once"
    listing = Listing.objects.get()
    assert (listing.slug, listing.node, listing.country) == ("porto--breast", node, "PT")
    assert listing.subjects == document[0]["figures"]["subjects"]
    assert ListingFacet.objects.filter(listing=listing, facet="modality", value="MR").exists()
    assert ListingVersion.objects.get().figures["subjects"] == listing.subjects
    assert Listing.objects.filter(words="breast").exists()
    assert listings.document() == [], "what others publish isn't passed on"


def test_what_a_node_publishes_no_more_is_gone(node: Node, document: list[dict[str, Any]]) -> None:
    listings.store_remote(node, document)
    assert listings.store_remote(node, []) == 0
    assert not Listing.objects.exists()


def test_a_node_touches_nobody_elses_listings(node: Node, document: list[dict[str, Any]]) -> None:
    other = Node.objects.create(part="member", slug="lyon", name="Lyon", public_key="b" * 64)
    listings.store_remote(node, document)
    listings.store_remote(other, document)
    listings.store_remote(other, [])
    assert Listing.objects.get().node == node


WRONG: list[tuple[str, Any]] = [
    ("title", ""),
    ("title", "x" * 201),
    ("title", "line\nbreak"),
    ("title", "\u202egnp.exe"),
    ("title", 7),
    ("description", "nul\x00"),
    ("slug", "../admin"),
    ("slug", "Breast"),
    ("slug", "a--b"),
    ("organisation_slug", "a b"),
    ("country", "XX"),
    ("organ", "heart"),
    ("access", "everyone"),
    ("answers", None),
    ("version", "1.0"),
    ("version", "1.0.0; DROP TABLE"),
    ("version", "2.0.0"),
    ("published_at", "yesterday"),
    ("published_at", "2026-01-01T00:00:00"),
    ("published_at", "2026-13-41T00:00:00Z"),
    ("terms", []),
    ("terms", {"contact_page": "javascript:alert(1)"}),
    ("terms", {"contact_page": " JavaScript:alert(1)"}),
    ("terms", {"<script>": "x"}),
    ("terms", {"purpose": {"@context": "https://evil.example"}}),
    ("terms", {"purpose": [["x"]]}),
    ("figures", {}),
    ("figures.subjects", -1),
    ("figures.subjects", 10**13),
    ("figures.subjects", True),
    ("figures.subjects", 1.5),
    ("figures.subjects", None),
    ("figures.facets", {"shoe_size": {"46": 12}}),
    ("figures.facets", {"modality": {"MR": 10**9}}),
    ("figures.facets", {"modality": {"\x07": 12}}),
    ("figures.facets", {"modality": ["MR"]}),
    ("figures.followed", 10**9),
    ("figures.median_interval_days", float("nan")),
    ("figures.median_interval_days", float("inf")),
    ("figures.growth", [["2026-11", -3]]),
    ("figures.growth", [["soon", 12]]),
    ("figures.growth", [["2026-10", 10**9]]),
    ("figures.growth", [["2026-10", True]]),
    ("figures.growth", [["2026-10", 12], ["2026-10", 12]]),
    ("figures.growth", [["2026-10", 12], ["2026-09", 12]]),
    ("figures.growth", [[f"{1900 + at}-01", 15] for at in range(60)]),
    ("figures.growth", [["0000-01", 12]]),
    ("figures.median_interval_days", -1),
    ("figures.median_interval_days", 10**400),
    ("figures.subjects", 10**9),
    ("figures.studies", 10**10),
    ("figures.labels", {"none": 10**9}),
    ("figures.labels", {"none": -1}),
    ("figures.quality", {"lossy": 10**9}),
    ("figures.agreement", {"dice": 0.9}),
    ("figures.agreement", {"dice": {"median": 1.1, "n": 12}}),
    ("figures.agreement", {"dice": {"median": -0.1, "n": 12}}),
    ("figures.agreement", {"hd95_mm": {"median": 10**6, "n": 12}}),
    ("figures.agreement", {"dice": {"median": 0.9, "n": 10**9}}),
    ("figures.agreement", {"dice": {"median": 0.9, "n": -1}}),
    ("figures.agreement", {"dice": {"median": 0.9, "n": "12"}}),
    ("published_at", "2999-01-01T00:00:00Z"),
    ("published_at", "0001-01-01T00:00:00+14:00"),
    ("versions", []),
    ("versions", [{"version": "1.0.0", "published_at": "2026-01-01T00:00:00Z", "note": "x" * 501}]),
]


@pytest.mark.parametrize(("field", "value"), WRONG, ids=lambda value: str(value)[:30])
def test_one_wrong_field_and_nothing_is_taken(
    node: Node, document: list[dict[str, Any]], field: str, value: Any
) -> None:
    listings.store_remote(node, document)
    sent = copy.deepcopy(document)
    at: Any = sent[0]
    *way, last = field.split(".")
    for step in way:
        at = at[step]
    at[last] = value
    with pytest.raises(listings.ListingError) as raised:
        listings.store_remote(node, sent)
    assert str(raised.value).startswith("Listing 1"), "a sentence that says where"
    assert "DROP" not in str(raised.value), "what was sent isn't said again"
    assert Listing.objects.get().title == "Breast"


def test_too_much_is_refused(node: Node, document: list[dict[str, Any]]) -> None:
    with pytest.raises(listings.ListingError):
        listings.store_remote(node, document * 5001)
    with pytest.raises(listings.ListingError, match="the same slug"):
        listings.store_remote(node, document * 2)
    deep: Any = {}
    for _ in range(50):
        deep = {"a": deep}
    for strange in ([7], [None], {"a": 1}, [document[0] | {"terms": deep}], [{}]):
        with pytest.raises(listings.ListingError):
            listings.store_remote(node, strange)  # type: ignore[arg-type]


def test_many_listings_are_written_at_once(node: Node, document: list[dict[str, Any]]) -> None:
    """As many statements for a hundred as for two; and for what is known already, fewer."""
    used = []
    for size in (2, 100):
        Listing.objects.all().delete()
        sent = [{**document[0], "slug": f"breast-{at}"} for at in range(size)]
        with CaptureQueriesContext(connection) as queries:
            assert listings.store_remote(node, sent) == size
        used.append(len(queries))
    assert used[0] == used[1]
    assert ListingFacet.objects.filter(facet="modality").count() == 100
    assert ListingVersion.objects.count() == 100
    assert {one.isoformat() for one in ListingVersion.objects.values_list("published_at", flat=True)} == {
        document[0]["versions"][0]["published_at"]
    }
    before = dict(Listing.objects.values_list("slug", "pk"))
    sent[3] = {**sent[3], "title": "Other words"}
    assert listings.store_remote(node, sent) == 100
    assert dict(Listing.objects.values_list("slug", "pk")) == before
    assert Listing.objects.filter(words="words").get().title == "Other words"


def test_other_counts_come_with_another_version(node: Node, document: list[dict[str, Any]]) -> None:
    listings.store_remote(node, document)
    document[0]["figures"]["series"] += 1
    with pytest.raises(ListingError, match="under the same version"):
        listings.store_remote(node, document)


def test_no_node_fills_another_one_with_versions(
    node: Node, document: list[dict[str, Any]], monkeypatch
) -> None:
    """Each list tells few; together they would be more than are kept."""
    monkeypatch.setattr(exchange, "VERSIONS_KEPT_MAX", 3)
    (first,) = document[0]["versions"]
    others = [{**first, "version": f"{number}.0.0"} for number in (2, 3, 4)]
    document[0]["versions"] = [first, *others[:2]]
    listings.store_remote(node, document)
    listings.store_remote(node, document)
    document[0] |= {"versions": [first, others[2]], "title": "Other words"}
    with pytest.raises(ListingError, match=r"porto--breast has had 3 versions, as many as are kept"):
        listings.store_remote(node, document)
    assert ListingVersion.objects.count() == 3
    assert Listing.objects.get().title == "Breast"


def test_what_was_asked_for_is_unlisted_and_its_record_stays(
    node: Node, document: list[dict[str, Any]]
) -> None:
    listings.store_remote(node, document)
    part = AccessPart.objects.create(request=AccessRequest.objects.create(by=person("rita")))
    item = AccessItem.objects.create(part=part, listing=Listing.objects.get(), mode="view")
    listings.store_remote(node, [])
    item.refresh_from_db()
    assert not item.listing.is_listed
    listings.store_remote(node, document)
    item.refresh_from_db()
    assert item.listing.is_listed
