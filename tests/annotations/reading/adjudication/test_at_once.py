"""Two people at the same case in the same moment: one has it, the other is told, and nothing is half done."""

import pytest

from annotations.models import AdjudicatedLesion, Edit, Read, ReferenceStandard
from annotations.reading import journal, reads
from annotations.reading.adjudication import assigning, rows, settling
from annotations.reading.adjudication.deciding import decide
from atlas.api.errors import Conflict
from tests.annotations.reading.adjudication.conftest import make_disputed
from tests.annotations.reading.conftest import make_cast
from tests.annotations.reading.test_journal_concurrency import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_who_take_a_case_two_tabs_that_settle_and_a_job_that_decides():
    reading = make_disputed(make_cast())
    cast, case = reading.cast, reading.case

    def taken_by(person):
        return lambda: assigning.take(by=person, slug=cast.project.slug, number=case.number)

    found = at_once(taken_by(cast.reviewer), taken_by(cast.lead), lambda: decide(case))
    conflicts = [one for one in found if isinstance(one, Conflict)]
    (begun,) = [one for one in found if isinstance(one, Read)]
    assert len(conflicts) == 1
    assert "adjudicates this case since" in str(conflicts[0].detail)
    assert Read.objects.filter(kind="adjudication").count() == 1
    at_once(lambda: rows.find(begun.pk), lambda: rows.find(begun.pk))  # a job may run twice
    assert AdjudicatedLesion.objects.count() == 1

    def settled(take):
        return lambda: settling.settle(
            user=begun.reader,
            read_id=begun.public_id,
            number=1,
            version=0,
            choice={"take": take},
            reason="So it is.",
        )

    found = at_once(settled("union"), settled("intersection"))
    assert sorted(type(one).__name__ for one in found) == ["AdjudicatedLesion", "Conflict"]
    row = AdjudicatedLesion.objects.get()
    assert row.version == 1
    assert [str(mark.annotation_id) for mark in journal.state(begun).annotations] == row.result
    assert Edit.objects.filter(read=begun).values("group").distinct().count() == 1

    begun.refresh_from_db()

    def submit():
        return reads.submit(user=begun.reader, read_id=begun.public_id, number=begun.last_edit_number)

    def reopen():
        return settling.reopen(user=begun.reader, read_id=begun.public_id, number=1, version=1)

    found = at_once(submit, reopen)
    assert sum(isinstance(one, Conflict) for one in found) == 1
    handed_in = ReferenceStandard.objects.filter(case=case).exists()
    assert handed_in is (AdjudicatedLesion.objects.get().settled_at is not None)
