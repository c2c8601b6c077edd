"""The public catalogue: what is found by words and facets, what each page tells, and what it keeps back."""

import html
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from atlas.archive.storage import new_key, storage
from network.catalogue import holdings, pictures, search
from network.catalogue.ask import cohort_of
from network.catalogue.query import Query, QueryError, from_params
from network.models import Listing, Node
from tests.cast import person, signed_in
from tests.network.listed import listing, node, several

API = "/api/v1/catalogue/datasets/"


def text_of(path: str, client: Client | None = None) -> str:
    answer = (client or Client()).get(path)
    assert answer.status_code == 200, path
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def slugs(query: Query) -> list[str]:
    return [one.slug for one in search.in_order(search.find(query).ids)]


def values(query: Query, facet: str) -> dict[str, tuple[int, int | None]]:
    return {one.value: (one.datasets, one.told) for one in search.find(query).facets[facet]}


class Params(dict):
    def getlist(self, key):
        return self.get(key, [])


# What is found -----------------------------------------------------------------------------------


def test_words_find_titles_hospitals_countries_scanners_and_what_people_call_a_modality(db):
    several()
    assert slugs(Query("nodules")) == ["lung-nodules"]
    assert slugs(Query("Nodule follow")) == ["lung-nodules"]  # a stem, and another word of the description
    assert set(slugs(Query("karls"))) == {"lung-nodules", "few-glioma"}  # the beginning of a word
    assert slugs(Query("spain")) == ["breast-dce"]
    assert slugs(Query("españa")) == ["breast-dce"]
    assert slugs(Query("siemens")) == ["lung-nodules"]
    assert set(slugs(Query("pet"))) == {"lung-nodules", "valmont--sarcoma"}
    assert slugs(Query("the nodules of Sweden")) == ["lung-nodules"]
    assert slugs(Query("nodules spain")) == []


def test_a_title_fits_better_than_a_description(db):
    listing("first", description="A word on sarcoma")
    listing("sarcoma", subjects=20)
    assert slugs(Query("sarcoma")) == ["sarcoma", "first"]
    assert slugs(Query("sarcoma", sort="subjects")) == ["first", "sarcoma"]


@pytest.mark.parametrize(
    ("typed", "meant"), [("noduels", "nodules"), ("karlsnud", "karlsund"), ("gliona", "glioma")]
)
def test_a_word_that_no_dataset_has_is_read_as_the_one_written_most_alike(db, typed, meant):
    several()
    found = search.find(Query(typed))
    assert found.ids
    assert found.mended == meant
    assert f"No dataset has “{typed}”. These have “{meant}”." in text_of(f"/catalogue/?q={typed}")


@pytest.mark.parametrize("typed", ["'", ":*", "a & !b | (c", "\\", "%_", "<->", "💥", "xyzzyplugh", "ﬀ ½ ²"])
def test_signs_are_words_or_nothing(db, typed):
    several()
    assert Client().get("/catalogue/", {"q": typed}).status_code == 200
    assert search.find(Query(typed)).ids == []


def test_values_of_one_facet_are_alternatives_and_facets_are_demands(db):
    several()
    assert set(slugs(Query(chosen={"modality": ("CT",)}))) == {"lung-nodules", "valmont--sarcoma"}
    assert len(slugs(Query(chosen={"modality": ("CT", "MG")}))) == 3
    assert slugs(Query(chosen={"modality": ("CT", "MG"), "sex": ("M",)})) == ["lung-nodules"]
    assert slugs(Query("karlsund", {"organ": ("brain",)})) == ["few-glioma"]


def test_a_facet_counts_what_else_could_be_chosen_of_it(db):
    several()
    chosen = Query(chosen={"modality": ("CT",)})
    assert values(chosen, "modality") == {"CT": (2, 130), "PT": (2, 30), "MR": (2, 70), "MG": (1, 30)}
    assert values(chosen, "country") == {"SE": (1, 100), "FR": (1, 30)}
    both = Query(chosen={"modality": ("CT",), "country": ("SE",)})
    assert values(both, "country") == {"SE": (1, 100), "FR": (1, 30)}
    assert values(both, "modality") == {"CT": (1, 100), "PT": (1, None)}
    assert values(both, "organ") == {"lung": (1, 100)}


def test_what_is_unlisted_unpublished_or_of_a_suspended_node_is_nowhere(db):
    several()
    Listing.objects.filter(slug="breast-dce").update(is_listed=False)
    Listing.objects.filter(slug="few-glioma").update(published_at=None)
    Node.objects.update(state=Node.State.SUSPENDED)
    assert slugs(Query()) == ["lung-nodules"]
    assert "MG" not in values(Query(), "modality")
    assert holdings.holdings().subjects.told == 100
    for hidden in ("breast-dce", "few-glioma", "valmont--sarcoma", "nothing"):
        assert Client().get(f"/catalogue/{hidden}/").status_code == 404
        assert Client().get(f"{API}{hidden}/").status_code == 404


@pytest.mark.parametrize(
    "params",
    [
        {"sort": ["best"]},
        {"q": ["a", "b"]},
        {"q": ["x" * 201]},
        {"organ": ["x" * 121]},
        {"organ": [str(n) for n in range(51)]},
    ],
)
def test_an_address_that_cant_be_meant_is_refused_not_read_as_everything(db, params):
    with pytest.raises(QueryError):
        from_params(Params(params))
    several()
    page = Client().get("/catalogue/", params)
    assert page.status_code == 400
    assert 'class="card' not in page.content.decode()
    assert set(Client().get(API, params).json()) == {"reason"}


def test_an_address_leads_back_to_the_same_question(db):
    query = Query("lung & <b>", {"organ": ("lung", "liver"), "label": ("A, “b”",)}, "title")
    pairs: dict[str, list[str]] = {}
    for name, value in query.pairs():
        pairs.setdefault(name, []).append(value)
    assert from_params(Params(pairs)) == query
    assert query.toggled("organ", "liver").chosen["organ"] == ("lung",)
    assert "organ" not in query.toggled("organ", "liver").toggled("organ", "lung").chosen


def test_what_was_chosen_can_be_asked_of_the_nodes(db):
    chosen = {"sex": ("F",), "age": ("60-69", "90+"), "time_points": ("2", "5+"), "modality": ("CT", "PT")}
    assert cohort_of(Query(chosen=chosen)) == {
        "cohort": "subject.sex in (F) and (subject.age >= 60 and subject.age < 70 or subject.age >= 90) and "
        "(case.time_points is 2 or case.time_points >= 5) and series.modality in (CT, PT)"
    }
    assert cohort_of(Query("words", {"organ": ("lung",)})) == {}
    assert cohort_of(Query(chosen={"age": ("old",)})) == {}


# What pages tell ---------------------------------------------------------------------------------


def test_the_front_tells_sums_of_what_may_be_told(db):
    several()
    front = text_of("/")
    assert (
        "180 people with cancer, imaged 2.6 times on average, in 4 datasets from 3 hospitals in 3 countries"
        in front
    )
    held = holdings.holdings()
    assert held.rows["lung"].by_modality["CT"].number == 100
    assert held.rows["lung"].by_modality["PET"].number is None  # some, but fewer than may be told
    assert held.rows["brain"].subjects.number is None
    assert held.rows["lung"].followed_share == 0.6
    assert held.median_interval_days == 94
    assert held.labels["two_readers"].number == 80
    assert held.labels["one_reader"].number is None
    assert holdings.weighted_median([(10, 1), (90, 5), (200, 3)]) == 90


def test_the_front_of_an_empty_node_says_so_and_offers_a_way_on(db, owner):
    assert "Nothing is in the catalogue yet" in text_of("/")
    assert "Sign in" in text_of("/")
    assert "No dataset is published" in text_of("/hospitals/")
    assert "Nothing is in the catalogue yet" in text_of("/catalogue/")
    assert "once it has images" in text_of("/", signed_in(owner))


def test_a_dataset_tells_its_figures_versions_and_how_to_cite_it(db, settings):
    settings.NODE_ADDRESS = "https://atlas.example.org"
    several()
    page = text_of("/catalogue/lung-nodules/")
    for told in (
        "100 subjects", "200 studies", "40,000 images", "2.0 studies a subject", "Male 60", "PET <10",
        "Masks by 2 or more readers 80", "Dice 0.87 80", "Missing slices 12", "1.0.0", "First.",
        "Karlsund University Hospital (2026). Lung nodules (version 1.0.0) [Data set]. "
        "https://atlas.example.org/catalogue/lung-nodules/",
    ):  # fmt: skip
        assert told in page, told
    assert "HD95" not in page  # nothing may be told of it
    few = text_of("/catalogue/few-glioma/")
    assert "<10 subjects" in few


def test_text_of_another_node_stays_text(db):
    hostile = '</script><script>alert(1)</script>"><img src=x onerror=alert(1)>'
    listing(
        "valmont--evil",
        {"modality": {"CT": 30}, "label": {hostile[:120]: 30}, "manufacturer": {"=cmd|' /C calc'!A0": 30}},
        node=node(name=hostile[:100], address="javascript:alert(1)"),
        title=hostile,
        description=hostile,
        organisation=hostile,
        organisation_slug="evil",
        country="XX",
        licence=hostile[:80],
        terms={"documentation": "javascript:alert(1)", "provenance": hostile, "tier": {}},
        figures={"labels": [1], "quality": {hostile: "many"}, "agreement": {"dice": hostile},
                 "growth": [[hostile, 1], ["2026-11"], 7, ["2026-13", 3]], "median_interval_days": "12"},
    )  # fmt: skip
    for path in ("/", "/catalogue/", "/catalogue/valmont--evil/", "/hospitals/"):
        page = Client().get(path).content.decode()
        assert "<script>alert" not in page, path
        assert "<img src=x" not in page, path
        assert 'href="javascript:' not in page, path


def test_hospitals_are_told_with_their_nodes_against_the_goal(db):
    several()
    page = text_of("/hospitals/")
    assert "180 of 100,000" in page
    assert "3 of 30" in page
    assert "Hospital Ribera Alta Spain 1 50 40,000" in page
    assert "CHU Valmont France Away not heard of yet 1 30" in page
    assert "2026-09 40 2026-11 100" in page  # the curve as a table, summed up


def test_countries_are_told_in_the_readers_language(db):
    several()
    page = Client().get("/hospitals/", headers={"accept-language": "es"}).content.decode()
    assert "España" in page
    assert "Spain" not in page
    listed = Client().get("/catalogue/breast-dce/", headers={"accept-language": "es"}).content.decode()
    assert "España" in listed
    assert '"spatialCoverage": "Spain"' in listed  # what search engines read is in English


def test_a_dataset_may_be_called_hospitals(db):
    listing("hospitals", title="Images of many hospitals")
    assert "Images of many hospitals" in text_of("/catalogue/hospitals/")
    assert "CHU Valmont" not in text_of("/catalogue/hospitals/")


def test_nothing_in_the_pages_needs_inline_style_or_script(db, owner):
    several()
    for path in ("/", "/catalogue/?organ=lung", "/catalogue/lung-nodules/", "/hospitals/"):
        page = Client().get(path).content.decode()
        assert not re.search(r"<[^>]+\sstyle=", page), path
        scripts = [tag for tag in re.findall(r"<script[^>]*>", page) if "ld+json" not in tag]
        assert all("src=" in tag for tag in scripts), path


# Pictures ----------------------------------------------------------------------------------------


@pytest.fixture
def pictured(lung) -> Listing:
    """An own dataset with pictures of CT and PET, one a subject."""
    key = new_key(".webp")
    storage().put_durable(key, b"RIFF....WEBP")
    for study in lung.studies.all():
        study.series.exclude(modality="SEG").update(thumbnail_key=key)
    made = listing("lung", dataset=lung)
    pictures.choose(made)
    return made


def test_pictures_stand_for_different_subjects_and_never_for_marks(pictured):
    chosen = [one.series for one in pictured.pictures.select_related("series__study")]
    assert len({one.study.subject_id for one in chosen}) == len(chosen) == 2
    assert {one.modality for one in chosen} <= {"CT", "PT"}


def test_pictures_are_for_those_who_see_the_images_until_the_organisation_shows_them(pictured, owner):
    picture = "/catalogue/lung/pictures/1/"
    public_id = pictured.pictures.first().series.public_id
    assert f"/thumbnails/{public_id}/1" in signed_in(owner).get("/catalogue/lung/").content.decode()
    for client in (Client(), signed_in(person("otto"))):
        assert client.get(picture).status_code == 404
        for path in ("/", "/catalogue/", "/catalogue/lung/"):
            page = client.get(path).content.decode()
            assert "/thumbnails/" not in page
            assert "/pictures/" not in page
    Listing.objects.update(shows_pictures=True)
    answer = Client().get(picture)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    page = Client().get("/catalogue/lung/").content.decode()
    assert picture in page
    assert public_id not in page
    assert Client().get("/catalogue/lung/pictures/9/").status_code == 404
    Listing.objects.update(subjects=None)  # too few to be told of: no pictures either
    assert Client().get(picture).status_code == 404
    Listing.objects.update(subjects=100, is_listed=False)
    assert Client().get(picture).status_code == 404


# The API -----------------------------------------------------------------------------------------


def test_the_api_tells_the_same_to_anyone(db):
    several()
    told = Client().get(API, {"q": "nodules", "modality": ["CT", "MR"]}).json()
    assert (told["count"], told["looked_for"]) == (1, "")
    one = told["results"][0]
    assert (one["slug"], one["subjects"], one["country"], one["access"]) == (
        "lung-nodules",
        100,
        "SE",
        "request",
    )
    assert one["page"].endswith("/catalogue/lung-nodules/")
    assert {"value": "PT", "words": "PET", "subjects": None, "datasets": 1} in told["facets"]["modality"]
    assert Client().get(API, {"q": "noduels"}).json()["looked_for"] == "nodules"
    whole = Client().get(f"{API}lung-nodules/").json()
    assert whole["facets"]["sex"] == [
        {"value": "F", "words": "Female", "subjects": 40},
        {"value": "M", "words": "Male", "subjects": 60},
    ]
    assert whole["versions"][0]["version"] == "1.0.0"
    assert whole["figures"]["quality"] == {"missing_slices": 12}


def test_the_api_walks_in_pages_and_refuses_what_it_does_not_know(db):
    several()
    walked = [Client().get(API, {"limit": 1, "offset": at}).json()["results"][0]["slug"] for at in range(4)]
    assert walked == slugs(Query())
    assert Client().get(API, {"offset": 4}).json()["results"] == []
    for wrong in (
        {"limit": "0"},
        {"limit": "1001"},
        {"offset": "-1"},
        {"limit": "²"},
        {"offset": ["1", "2"]},
    ):
        assert Client().get(API, wrong).status_code == 400, wrong
    answer = Client().get(API, {"organs": "lung"})
    assert answer.status_code == 400
    assert "organs" in answer.json()["reason"]


# Queries -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/catalogue/?modality=CT&q=lung",
        "/hospitals/",
        API + "?modality=CT",
        "/catalogue/lung-nodules/",
    ],
)
def test_the_number_of_queries_does_not_grow_with_the_catalogue(db, owner, path):
    several()
    client = signed_in(owner)
    with CaptureQueriesContext(connection) as few:
        assert client.get(path).status_code == 200
    for number in range(8):
        listing(
            f"more-lung-{number}",
            {"modality": {"CT": 50, "MR": 20}},
            organisation_slug=f"h-{number}",
            node=node(f"n-{number}"),
        )
    with CaptureQueriesContext(connection) as many:
        client.get(path)
    assert len(many) == len(few)
    assert len(few) < 25
