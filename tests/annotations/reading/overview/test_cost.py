"""No page of a project asks the database more often because the project is larger."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotations.reading.overview import kept
from tests import crowd

SMALL, LARGE = 400, 800
"""Already the smaller fills every list that is cut: cutting one takes a query more, for its length."""


def queries_by_page(of: crowd.Crowd, who: str) -> dict[str, int]:
    client = Client()
    client.force_login({"lead": of.lead, "reviewer": of.reviewer, "reader": of.readers[0]}[who])
    found = {}
    for pattern, page in zip(crowd.PAGES[who], crowd.addresses(of, who), strict=True):
        assert client.get(page).status_code == 200, page  # fills what is cached once a process
        with CaptureQueriesContext(connection) as asked:
            client.get(page)
            found[pattern] = len(asked)
    return found


@pytest.mark.django_db
def test_a_larger_project_costs_no_more_queries() -> None:
    small = crowd.build(cases=SMALL, readers=6, slug="small")
    large = crowd.build(cases=LARGE, readers=12, slug="large", seed=2)
    for one in (small, large):
        kept.work_out(one.project.pk, one.lead.pk)
    for who in crowd.PAGES:
        few, many = queries_by_page(small, who), queries_by_page(large, who)
        assert {page: (few[page], n) for page, n in many.items() if n > few[page]} == {}, who
        assert max(many.values()) < 60
