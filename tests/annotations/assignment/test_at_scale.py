"""However many cases and readers there are, the pages that hand cases out ask the database as often."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotations.models import ReadingDesign
from annotations.reading.assignment import bulk, queue
from atlas.models import Project
from tests import crowd as crowds
from tests.crowd import Crowd

pytestmark = pytest.mark.django_db

PAGES = {
    "lead": (
        "/projects/{slug}/cases/?state=in_progress&modality=CT",
        "/projects/{slug}/cases/?text=00&purpose=ordinary",
        "/worklist/?modality=MR",
    ),
    "reader": ("/worklist/", "/worklist/?text=chest&group=next", "/worklist/?project={slug}"),
    "reviewer": ("/worklist/?group=review",),
}


def asked(work: Callable[[], object]) -> int:
    work()  # fills what is cached
    with CaptureQueriesContext(connection) as queries:
        work()
    return len(queries)


def pages_of(crowd: Crowd) -> dict[str, int]:
    found = {}
    for who, addresses in PAGES.items():
        client = Client()
        client.force_login({"lead": crowd.lead, "reader": crowd.readers[0], "reviewer": crowd.reviewer}[who])
        for address in addresses:
            url = address.format(slug=crowd.project.slug)
            assert client.get(url).status_code == 200, url
            found[f"{who} {address}"] = asked(lambda url=url, client=client: client.get(url))  # type: ignore[misc]
    return found


def acts_of(crowd: Crowd, cases: int) -> dict[str, int]:
    numbers = list(crowd.project.cases.order_by("-number").values_list("number", flat=True)[:cases])
    readers = [one.public_id for one in crowd.readers[:3]]

    def begin(kind: str, **params: object) -> int:
        with CaptureQueriesContext(connection) as queries:
            bulk.begin(by=crowd.lead, project=crowd.project, kind=kind, numbers=numbers, params=params)
        return len(queries)

    return {
        "assign": begin("assign", way="design", readers=readers),
        "by specialty": begin("assign", way="specialty", readers=readers),
        "priority": begin("priority", priority=1),
        "due": begin("due", due=None),
        "take": asked(lambda: queue.take_next(user=crowd.readers[-1], project=crowd.project)),
    }


def test_a_larger_project_costs_no_more_queries() -> None:
    small = crowds.build(cases=300, readers=4, slug="small")
    large = crowds.build(cases=900, readers=10, slug="large", seed=2)
    ReadingDesign.objects.update(self_service=True)
    for one in (small, large):
        one.project = Project.objects.get(pk=one.project.pk)  # with the design as it is now
    few, many = pages_of(small), pages_of(large)
    assert {what: (few[what], n) for what, n in many.items() if n > few[what]} == {}
    few, many = acts_of(small, 20), acts_of(large, 80)
    # Whether anybody was left out, or there is somebody to tell, is a query more or less.
    assert {what: (few[what], n) for what, n in many.items() if n > few[what] + 2} == {}
