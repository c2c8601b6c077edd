"""Whatever is asked of however many cases, a handful of queries answers it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.cohort.language import cases_matching, parse, written
from annotations.cohort.language.counts import found_by
from tests import crowd
from tests.annotations.cohort.language.speed import measured

KNOWN_MAX = 5  # one for each fact whose values are the project's own
AT_MOST = KNOWN_MAX + 3  # readers, cases, counts


@pytest.mark.django_db
def test_random_expressions_over_a_crowd_take_few_queries() -> None:
    made = crowd.build(120, 6)
    found = 0
    for _, expression in measured(made.project, made.lead, times=80):
        with CaptureQueriesContext(connection) as queries:
            counted = found_by(cases_matching(made.project, parse(expression), made.lead)).counts
        asked = [one["sql"] for one in queries]
        assert len(asked) <= AT_MOST, (written(parse(expression)), asked)
        assert 0 <= counted.subjects <= counted.cases <= 120
        found += 0 < counted.cases < 120
    assert found > 20  # most narrow the crowd down, or this would measure nothing
