"""The front page: numbers for anyone, pictures for those who may see them, a constant number of queries."""

import html
import re

from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import permissions
from atlas.models import Dataset, Series
from network import catalogue
from tests.cast import person, signed_in, study_of


def held():
    return catalogue.holdings(list(catalogue.listed_datasets()))


def text_of(answer) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def test_the_numbers_are_of_subjects_time_points_and_places(lung, breast):
    told = held()
    assert (told.subjects, told.studies, told.datasets, told.organisations, told.countries) == (3, 4, 2, 2, 2)
    assert told.time_points == 4
    assert told.by_organisation == [("Karlsund University Hospital", 2), ("Hospital Ribera Alta", 1)]
    assert told.by_country == [("SE", 2), ("ES", 1)]
    assert told.by_time_points == [("1", 2), ("2", 1)]
    assert told.median_interval_days == 100


def test_the_body_chart_counts_subjects_by_organ_and_modality_in_anatomical_order(lung, breast):
    rows = [(row.organ, row.subjects, row.followed, row.by_modality) for row in held().rows]
    assert rows == [
        ("Lung", 2, 1, {"CT": 2, "PET": 1}),
        ("Breast", 1, 0, {"MR": 1, "Other": 1}),
    ]
    assert held().modalities == ["CT", "MR", "PET", "MG", "US", "Other"]


def test_two_studies_of_one_day_are_one_time_point(lung):
    study_of(lung, "L-2", "2024-02-02", "MR")
    assert held().by_time_points == [("1", 1), ("2", 1)]


def test_studies_without_a_date_are_counted_as_one_time_point(lung):
    study_of(lung, "L-3", None)
    assert held().by_time_points == [("1", 2), ("2", 1)]


def test_a_stranger_reads_the_numbers_and_sees_no_picture_nor_a_way_in(lung, breast):
    answer = Client().get("/")
    assert "3 people with cancer, imaged 1.3 times on average, in 2 datasets" in text_of(answer)
    assert "Lung nodules" in text_of(answer)
    page = answer.content.decode()
    assert "/thumbnails/" not in page
    assert "/datasets/lung/" not in page
    for public_id in Series.objects.values_list("public_id", flat=True):
        assert public_id not in page


def test_an_owner_sees_the_pictures_of_their_own_organisation_only(lung, breast, owner):
    page = signed_in(owner).get("/").content.decode()
    shown = set(re.findall(r"/thumbnails/(\w+)/1", page))
    own = set(Series.objects.filter(study__dataset=lung).values_list("public_id", flat=True))
    assert shown
    assert shown <= own
    assert '/datasets/lung/"' in page
    assert '/datasets/breast/"' not in page


def test_an_empty_node_says_so(db):
    assert "This node holds no images yet" in text_of(Client().get("/"))


def test_a_dataset_without_studies_is_not_listed(lung, karlsund):
    Dataset.objects.create(organisation=karlsund, name="Planned for next year", slug="planned")
    assert "Planned for next year" not in text_of(Client().get("/"))


def test_the_number_of_queries_does_not_grow_with_what_is_held(lung, owner, karlsund):
    browser = signed_in(owner)
    with CaptureQueriesContext(
        connection,
    ) as few:
        browser.get("/")
    for number in range(6):
        dataset = Dataset.objects.create(
            organisation=karlsund, name=f"D {number}", slug=f"d-{number}", organ="brain"
        )
        for subject in range(3):
            study_of(dataset, f"S-{number}-{subject}", modalities="CT MR")
    with CaptureQueriesContext(connection) as many:
        answer = browser.get("/")
    assert answer.content.decode().count('class="card') >= 7
    assert len(many) == len(few)
    assert len(few) < 25


def test_no_page_carries_inline_style_or_script(lung, owner):
    browser = signed_in(owner)
    for path in (
        "/",
        "/account/",
        "/datasets/lung/",
        "/datasets/lung/import/",
        "/organisations/karlsund/",
        "/api/docs/",
    ):
        answer = browser.get(path)
        assert answer.status_code == 200, path
        page = answer.content.decode()
        assert not re.search(r"<[^>]+\sstyle=", page), path
        assert "<style" not in page, path
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page)), path
        assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]


def test_home_leads_each_to_their_work(karlsund, owner, lung):
    from atlas.models import Project

    project = Project.objects.create(organisation=karlsund, name="RESPOND", slug="respond", created_by=owner)
    wanted = {}
    for role, scope, path in (
        ("administrator", None, "/organisations/"),
        ("manager", karlsund, "/organisations/"),
        ("data_manager", lung, "/datasets/"),
        ("lead", project, "/projects/"),
        ("reader", project, "/worklist/"),
        ("reviewer", project, "/worklist/"),
        ("scientist", project, "/projects/"),
    ):
        user = person(role)
        permissions.grant(user=user, role=role, scope=scope)
        wanted[role] = (path, signed_in(user).get("/home/").headers["Location"])
    assert all(path == led_to for path, led_to in wanted.values()), wanted
    assert signed_in(person("nobody")).get("/home/").headers["Location"] == "/"
    assert Client().get("/home/").headers["Location"] == "/sign-in/?next=/home/"


def test_the_top_bar_shows_only_places_with_something_of_ones_own(owner, lung):
    def places(browser: Client) -> list[str]:
        page = browser.get("/").content.decode()
        return re.findall(r">(\w+)</a>", page.split('aria-label="Main"')[1].split("</nav>")[0])

    assert places(Client()) == ["Catalogue"]
    assert places(signed_in(person("otto"))) == ["Catalogue", "Questions"]
    assert places(signed_in(owner)) == ["Catalogue", "Projects", "Datasets", "Organisations", "Questions"]


def test_an_unknown_address_gets_the_house_page(db):
    answer = Client().get("/nothing/here/")
    assert answer.status_code == 404
    assert "There is nothing at this address" in answer.content.decode()


def test_a_large_node_counts_once_and_still_decides_on_pictures_for_each(lung, owner, monkeypatch):
    monkeypatch.setattr(catalogue, "WORTH_KEEPING_S", 0)  # as if counting were slow
    monkeypatch.setattr(catalogue, "AGE_PER_COST", 1_000_000)
    assert "/thumbnails/" in signed_in(owner).get("/").content.decode()
    study_of(lung, "L-9")
    assert "/thumbnails/" not in Client().get("/").content.decode()
    assert "2 people with cancer" in text_of(Client().get("/"))
    cache.delete(catalogue.FIGURES_KEY)
    assert "3 people with cancer" in text_of(Client().get("/"))
