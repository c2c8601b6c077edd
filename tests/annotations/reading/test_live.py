"""Websockets: who may listen, and what each hears of edits, verdicts, people and progress."""

import asyncio
import uuid
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from accounts import permissions
from annotations.models import Presence, Read
from annotations.reading.broadcasts import announce_cases, announce_studies
from atlas.fanout import GAP_GROUP, GAP_MESSAGE, broadcast
from atlas.models import DatasetGrant, Series
from tests.live import Page

from .conftest import edit, make_cast

pytestmark = pytest.mark.django_db(transaction=True)

in_thread = sync_to_async


@pytest.fixture
async def cast(layer):
    return await in_thread(make_cast)()


def socket(cast, who, path) -> Page:
    return Page(path, None if who == "nobody" else cast.client(who))


@asynccontextmanager
async def connected(cast, who, path=None):
    page = await in_thread(socket)(cast, who, path or f"/ws/reads/{cast.read.public_id}/")
    assert await page.connect()
    try:
        yield page
    finally:
        await page.leave()


async def refused(cast, who, path) -> bool:
    page = await in_thread(socket)(cast, who, path)
    accepted = await page.connect()
    await page.leave()
    return not accepted


async def hello(page, tab=None) -> str:
    tab = tab or str(uuid.uuid4())
    await page.say({"type": "hello", "tab": tab})
    return tab


async def heard(page, kind):
    """The next message of this kind."""
    async with asyncio.timeout(10):
        while True:
            message = await page.hear()
            if message["type"] == kind:
                return message


async def names(page) -> list[tuple[str, str]]:
    message = await heard(page, "presence")
    return [(person["name"].split()[0], person["capacity"]) for person in message["people"]]


async def hears_nothing(page) -> bool:
    return await page.receive_nothing(timeout=0.5)


# Who may ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "before", "after"),
    [
        ("anna", True, True),
        ("ben", False, False),
        ("reviewer", False, True),
        ("lead", True, True),
        ("scientist", False, False),
        ("outsider", False, False),
        ("nobody", False, False),
    ],
)
async def test_who_may_listen_to_a_read_before_and_after_submission(cast, who, before, after):
    path = f"/ws/reads/{cast.read.public_id}/"
    assert await refused(cast, who, path) is not before
    await in_thread(cast.submit)()
    assert await refused(cast, who, path) is not after


async def test_who_loses_the_right_is_closed_at_the_next_message(cast):
    async with connected(cast, "anna") as page:
        await in_thread(permissions.revoke)(user=cast.anna, role="reader", scope=cast.project)
        await in_thread(broadcast)(f"read.{cast.read.public_id}", {"type": "edits", "number": 1, "tab": ""})
        closed = await page.receive_output(timeout=10)
        assert (closed["type"], closed["code"]) == ("websocket.close", 4404)


async def test_who_signs_out_is_closed_at_the_next_ping(cast):
    async with connected(cast, "anna") as page:
        await hello(page)
        await heard(page, "presence")
        await in_thread(cast.client("anna").logout)()
        await page.say({"type": "ping"})
        closed = await page.receive_output(timeout=10)
        assert closed["type"] == "websocket.close"


@pytest.mark.parametrize("text", ["no json", "[]", '{"type":"hello","tab":"x"}', '"' + "x" * 2000 + '"'])
async def test_a_page_that_talks_nonsense_is_closed(cast, text):
    async with connected(cast, "anna") as page:
        await page.say(text)
        closed = await page.receive_output(timeout=10)
        assert (closed["type"], closed["code"]) == ("websocket.close", 4400)


# Reads ------------------------------------------------------------------------------------------


async def test_other_tabs_of_the_reader_hear_of_edits_once_they_are_saved(cast):
    async with connected(cast, "anna") as page:
        tab = str(uuid.uuid4())
        await in_thread(cast.apply)([edit(cast.length()), edit(cast.length())], tab=tab)
        assert await heard(page, "edits") == {"type": "edits", "number": 2, "tab": tab}


async def test_a_lead_hears_nothing_of_work_under_way_but_the_submission(cast):
    async with connected(cast, "lead") as page:
        await in_thread(cast.post)("open/")
        assert (await heard(page, "state"))["state"] == "in_progress"
        await in_thread(cast.apply)([edit(cast.length())])
        assert await hears_nothing(page)
        await in_thread(cast.submit)()
        assert await page.hear() == {"type": "state", "state": "submitted", "round": 1}


async def test_the_reader_hears_the_verdict_but_no_comment_before_it(cast):
    await in_thread(cast.submit)()
    async with connected(cast, "anna") as reader, connected(cast, "lead") as lead:
        await in_thread(cast.post)("comments/", {"text": "Here."}, who="reviewer")
        assert await heard(lead, "comment") == {"type": "comment"}
        assert await hears_nothing(reader)
        verdict = {"verdict": "return", "round": 1, "text": "Again."}
        await in_thread(cast.post)("review/", verdict, who="reviewer")
        assert await heard(reader, "state") == {"type": "state", "state": "returned", "round": 2}


async def test_after_a_gap_a_page_learns_where_the_read_stands(cast):
    await in_thread(cast.apply)([edit(cast.length())])
    async with connected(cast, "anna") as page:
        await in_thread(broadcast)(GAP_GROUP, GAP_MESSAGE)
        assert await heard(page, "state") == {"type": "state", "state": "in_progress", "round": 1}
        assert await heard(page, "edits") == {"type": "edits", "number": 1, "tab": ""}


# Presence ---------------------------------------------------------------------------------------


async def test_two_tabs_of_a_reader_see_each_other_come_and_go(cast):
    async with connected(cast, "anna") as one:
        first = await hello(one)
        assert (await heard(one, "presence"))["people"] == [
            {"name": "Anna Of Cast", "initials": "AC", "capacity": "reader", "tab": first}
        ]
        async with connected(cast, "anna") as two:
            second = await hello(two)
            assert [p["tab"] for p in (await heard(one, "presence"))["people"]] == [first, second]
        assert [p["tab"] for p in (await heard(one, "presence"))["people"]] == [first]


async def test_a_reader_sees_a_lead_only_while_the_read_is_under_review(cast):
    async with connected(cast, "anna") as reader, connected(cast, "lead") as lead:
        await hello(reader)
        assert await names(reader) == await names(lead) == [("Anna", "reader")]
        await hello(lead)
        assert await names(lead) == [("Anna", "reader"), ("Lead", "lead")]
        assert await hears_nothing(reader)
        await in_thread(cast.submit)()
        await reader.say({"type": "ping"})
        assert await names(reader) == [("Anna", "reader"), ("Lead", "lead")]


async def test_a_page_that_falls_silent_is_forgotten_after_a_minute(cast):
    await in_thread(cast.submit)()
    async with connected(cast, "anna") as one, connected(cast, "reviewer") as two:
        await hello(one)
        await heard(one, "presence")
        silent = await hello(two)
        assert len(await names(one)) == 2
        long_ago = timezone.now() - timedelta(seconds=61)
        await in_thread(Presence.objects.filter(tab=silent).update)(seen_at=long_ago)
        await one.say({"type": "ping"})
        assert await names(one) == [("Anna", "reader")]


async def test_nobody_takes_the_tab_of_someone_else(cast):
    await in_thread(cast.submit)()
    async with connected(cast, "anna") as one, connected(cast, "reviewer") as two:
        tab = await hello(one)
        await heard(two, "presence")
        await hello(two, tab)
        assert (await two.receive_output(timeout=10))["type"] == "websocket.close"
        assert await in_thread(Presence.objects.get)(tab=tab, user=cast.anna)


# Projects and datasets --------------------------------------------------------------------------


async def test_who_may_listen_to_a_project(cast):
    path = f"/ws/projects/{cast.project.slug}/"
    for who in ("anna", "reviewer", "lead", "scientist"):
        assert not await refused(cast, who, path)
    for who in ("outsider", "nobody"):
        assert await refused(cast, who, path)


async def test_a_reader_hears_of_their_own_reads_and_never_of_another_s(cast):
    path = f"/ws/projects/{cast.project.slug}/"
    async with connected(cast, "anna", path) as anna, connected(cast, "lead", path) as lead:
        await in_thread(cast.submit)(cast.bens_read, who="ben")
        assert await heard(lead, "case") == {"type": "case", "number": 314}
        assert await hears_nothing(anna)
        await in_thread(announce_cases)(cast.project, [314])
        assert await heard(lead, "case") == {"type": "case", "number": 314}
        assert await hears_nothing(anna)
        await in_thread(cast.post)("open/")
        assert await heard(anna, "case") == {"type": "case", "number": 314}


async def test_a_lead_who_reads_a_case_hears_nothing_of_the_others_on_it(cast):
    await in_thread(Read.objects.create)(case=cast.case, reader=cast.lead, schema=cast.schema)
    path = f"/ws/projects/{cast.project.slug}/"
    async with connected(cast, "lead", path) as lead:
        await in_thread(cast.submit)()
        await in_thread(announce_cases)(cast.project, [314])
        assert await hears_nothing(lead)


async def test_progress_of_a_release_reaches_those_who_may_download_it(cast):
    path = f"/ws/projects/{cast.project.slug}/"
    message = {"type": "release", "number": 1, "done": 2, "total": 9, "state": "writing"}
    async with connected(cast, "scientist", path) as scientist, connected(cast, "anna", path) as anna:
        await in_thread(broadcast)(f"project.{cast.project.slug}", message)
        assert await heard(scientist, "release") == message
        assert await hears_nothing(anna)


async def test_new_studies_reach_those_who_choose_them_and_only_where_the_dataset_is_lent(cast):
    path = f"/ws/projects/{cast.project.slug}/"
    series = await in_thread(lambda: Series.objects.select_related("study").first())()
    async with connected(cast, "lead", path) as lead, connected(cast, "anna", path) as anna:
        await in_thread(announce_studies)(series)
        assert await hears_nothing(lead)
        await in_thread(DatasetGrant.objects.create)(
            dataset=cast.dataset, project=cast.project, granted_by=cast.lead
        )
        await in_thread(announce_studies)(series)
        assert await heard(lead, "studies") == {"type": "studies"}
        assert await hears_nothing(anna)


async def test_progress_of_an_import_reaches_those_who_look_after_the_dataset(cast):
    path = f"/ws/datasets/{cast.dataset.slug}/"
    await in_thread(permissions.grant)(user=cast.outsider, role="data_manager", scope=cast.dataset)
    for who in ("anna", "lead", "nobody"):
        assert await refused(cast, who, path)
    async with connected(cast, "outsider", path) as manager:
        await in_thread(broadcast)(f"dataset.{cast.dataset.slug}", {"type": "upload", "read": 3})
        assert await heard(manager, "upload") == {"type": "upload", "read": 3}
