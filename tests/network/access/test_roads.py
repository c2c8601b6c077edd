"""What a grant opens, and what it doesn't: on every road to images, and at every address of the node."""

from datetime import timedelta
from itertools import batched

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts import permissions
from accounts.models import AuditRecord, User
from accounts.services.tokens import make_token
from atlas import access
from atlas.dicomweb import pixels, revocation
from network.access import deciding
from network.models import AccessGrant, Listing
from tests import walking
from tests.cast import person
from tests.network.access.conftest import listed, opened, sent
from tests.test_every_url import DICOMWEB, PIXELS, TABLE, rows
from tests.walking import Walk

MODES = ("count", "view", "download")
GETS = [(path, expected) for method, path, expected in rows(TABLE, 2) if method == "GET"]
CHANGES = [(method, path, expected) for method, path, expected in rows(TABLE, 2) if method != "GET"]
IMAGES = [*rows(PIXELS, 1), *rows(DICOMWEB, 1)]

OWN = "/access/"  # what these addresses show is each person's own

TAKING = {  # files, frames and bulk data: taken away, not looked at
    "/dicomweb/studies/{study_uid}",
    "/dicomweb{its}",
    "/dicomweb{image}",
    "/dicomweb{image}/frames/1",
    "/dicomweb{image}/bulkdata/7FE00010",
    "/dicomweb/datasets/chest-ct{its}",
    "/dicomweb/datasets/chest-ct{image}/frames/1",
}

REST = {  # what someone who may count, view, download gets
    "/api/v1/series/{series}/manifest/": ("404", "200", "200"),
    "/api/v1/series/{series}/pack/": ("404", "403", "200"),
    "/api/v1/series/{series}/derived/": ("404", "200", "200"),
    "/api/v1/datasets/chest-ct/studies/": ("404", "200", "200"),
    "/api/v1/access/studies/{study}/": ("404", "200", "200"),
    "/access/studies/{study}/": ("404", "200", "200"),
    "/access/datasets/chest-ct/": ("200", "200", "200"),
    "/datasets/chest-ct/subjects/{person}/": ("404", "200", "200"),
    "/api/v1/datasets/chest-ct/subjects/{person}/facts/": ("404", "200", "200"),
}


@pytest.fixture(scope="module")
def walk(django_db_setup, django_db_blocker):
    """Committed: the roads ask from threads of their own. The closed one was refused once, held access until
    a moment ago, and had another withdrawn."""
    with django_db_blocker.unblock():
        walk = walking.build()
        chair = person("chair")
        permissions.grant(user=chair, role="access_committee", scope=walk.scene.organisation)
        listing = Listing.objects.filter(dataset=walk.scene.dataset).first() or listed(walk.scene.dataset)
        for name in ("closed", *MODES):
            walk.clients[name] = Client()
            walk.scene.people[name] = person(name)
            walk.clients[name].force_login(walk.scene.people[name])
        for mode in MODES:
            opened(walk.scene.people[mode], chair, listing, mode)
        closed = walk.scene.people["closed"]
        deciding.refuse(by=chair, part=sent(closed, (listing, "download")).parts.get(), reason="No vote.")
        over = opened(closed, chair, listing, "download")
        AccessGrant.objects.filter(part=over).update(ends_at=timezone.now())
        deciding.withdraw(by=chair, part=opened(closed, chair, listing, "download"), reason="A breach.")
        yield walk
        walk.close()
        call_command("flush", verbosity=0, interactive=False)


@pytest.fixture(autouse=True)
def forgetful() -> None:
    access._remembered.clear()


@pytest.mark.parametrize("some", batched(GETS, 40))
def test_who_is_refused_expired_or_withdrawn_is_a_stranger_at_every_address(walk: Walk, some) -> None:
    for path, expected in some:
        assert (path, str(walk.http("closed", "GET", path))) == (path, expected["stranger"])


@pytest.mark.parametrize("who", ["closed", "count"])
def test_without_a_right_to_look_no_image_is_reached(walk: Walk, who: str) -> None:
    for path, expected in IMAGES:
        assert (path, str(walk.raw(who, path))) == (path, expected["stranger"])


def test_who_may_view_looks_and_takes_nothing_away(walk: Walk) -> None:
    for path, expected in IMAGES:
        wanted = "403" if path in TAKING else expected["data_manager"]
        assert (path, str(walk.raw("view", path))) == (path, wanted)


def test_a_program_of_who_may_view_gets_no_pixels_by_any_road(walk: Walk) -> None:
    for who, status in (("view", 403), ("download", 200)):
        _, secret = make_token(by=walk.scene.people[who])
        for path, _ in rows(PIXELS, 1):
            if walk.raw("download", path) == 200:
                assert (who, path, walk.raw(who, path, secret)) == (who, path, status)


@pytest.mark.parametrize("what", ["frames/1", "bulkdata/7FE00010"])
def test_pixels_that_a_program_gets_are_on_record_as_taken(walk: Walk, what: str) -> None:
    taker = person(f"taker-{what[:4]}")
    walk.scene.people[taker.username], walk.clients[taker.username] = taker, Client()
    walk.clients[taker.username].force_login(taker)
    opened(
        taker, User.objects.get(username="chair"), Listing.objects.get(dataset=walk.scene.dataset), "download"
    )
    verbs = AuditRecord.objects.filter(actor=taker, object_type="series").values_list("verb", flat=True)
    path = "/dicomweb{image}/" + what
    assert (walk.raw(taker.username, path), set(verbs.all())) == (200, {access.VIEWED})
    assert walk.raw(taker.username, path, make_token(by=taker)[1]) == 200
    assert set(verbs.all()) == {access.VIEWED, access.DOWNLOADED}


def test_who_may_download_reaches_every_image_of_the_dataset(walk: Walk) -> None:
    for path, expected in IMAGES:
        assert (path, str(walk.raw("download", path))) == (path, expected["data_manager"])


def test_the_roads_that_take_away_are_in_the_table() -> None:
    assert {path for path, _ in rows(DICOMWEB, 1)} >= TAKING
    assert set(REST) <= {path for path, _ in GETS}


@pytest.mark.parametrize("mode", MODES)
def test_a_grant_opens_images_and_no_other_address(walk: Walk, mode: str) -> None:
    for path, expected in GETS:
        wanted = REST[path][MODES.index(mode)] if path in REST else expected["stranger"]
        assert (path, str(walk.http(mode, "GET", path))) == (path, wanted)


def test_a_grant_changes_nothing_anywhere(walk: Walk) -> None:
    for method, path, expected in CHANGES:
        if path.startswith(OWN):
            continue
        assert (method, path, str(walk.http("download", method, path))) == (
            method,
            path,
            expected["stranger"],
        )


def test_a_program_finds_the_granted_dataset_and_no_other(walk: Walk) -> None:
    found = {who: walk.clients[who].get("/api/v1/datasets/").json()["results"] for who in ("closed", *MODES)}
    assert {who: [one["slug"] for one in told] for who, told in found.items()} == {
        "closed": [],
        "count": [],
        "view": ["chest-ct"],
        "download": ["chest-ct"],
    }


def test_access_ends_on_every_road_when_its_time_is_over(walk: Walk) -> None:
    grants = AccessGrant.objects.filter(user=walk.scene.people["download"])
    before = dict(grants.values_list("pk", "ends_at"))
    grants.update(ends_at=timezone.now())
    pixels._decisions.clear()
    revocation.forget_here()
    try:
        for path, expected in IMAGES:
            assert (path, str(walk.raw("download", path))) == (path, expected["stranger"])
        for path in REST:
            assert (path, walk.http("download", "GET", path)) == (path, 404)
    finally:
        for pk, ends_at in before.items():
            AccessGrant.objects.filter(pk=pk).update(ends_at=ends_at)
        pixels._decisions.clear()
        revocation.forget_here()


def test_what_was_refused_of_two_ways_to_an_image_leaves_the_other(walk: Walk) -> None:
    """A reader who may view the dataset, too, keeps what readers have on their own cases."""
    reader = walk.scene.people["reader"]
    grant = AccessGrant.objects.create(
        user=reader, dataset=walk.scene.dataset, mode="view", ends_at=timezone.now() + timedelta(days=1)
    )
    pixels._decisions.clear()
    revocation.forget_here()
    try:
        assert walk.raw("reader", "/dicomweb{its}") == 200  # a case that they read
        assert walk.http("reader", "GET", "/api/v1/series/{series}/pack/") == 403
    finally:
        grant.delete()
        pixels._decisions.clear()
        revocation.forget_here()
