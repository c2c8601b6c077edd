"""What stands around every page: the top bar, the way home, no inline style or script."""

import re

from django.test import Client

from accounts import permissions
from tests.cast import person, signed_in


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

    assert places(Client()) == ["Catalogue", "Hospitals"]
    assert places(signed_in(person("otto"))) == ["Catalogue", "Questions", "Access"]
    assert places(signed_in(owner)) == [
        *("Catalogue", "Projects", "Datasets", "Organisations", "Questions", "Access"),
    ]


def test_an_unknown_address_gets_the_house_page(db):
    answer = Client().get("/nothing/here/")
    assert answer.status_code == 404
    assert "There is nothing at this address" in answer.content.decode()
