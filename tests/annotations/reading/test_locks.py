"""Two things that happen to one read in the same moment: neither is lost, and nothing is written twice."""

import threading

import pytest
from django.db import connection, transaction

from accounts.models import AuditRecord, User
from annotations.models import Read
from annotations.reading import aside, review
from tests.annotations.reading.conftest import make_cast
from tests.annotations.reading.test_journal_concurrency import at_once

pytestmark = pytest.mark.django_db(transaction=True)
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


def someone_waits_for_a_lock() -> bool:
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return True
        threading.Event().wait(0.02)
    return False


def test_a_read_that_goes_to_another_reader_meanwhile_is_set_aside_all_the_same():
    """Joined to its reader before the wait, it would be gone when the lock is had."""
    cast = make_cast()
    other = User.objects.create_user("dora")
    found = []
    work = threading.Thread(
        target=lambda: found.extend(
            at_once(lambda: aside.set_aside(by=cast.lead, read_id=cast.read.public_id))
        )
    )
    with transaction.atomic():
        Read.objects.filter(pk=cast.read.pk).update(reader=other)
        work.start()
        assert someone_waits_for_a_lock()
    work.join(timeout=30)
    assert [type(one).__name__ for one in found] == ["Read"], found
    cast.read.refresh_from_db()
    assert (cast.read.state, cast.read.reader) == ("set_aside", other)


def test_a_page_that_asks_for_several_things_at_once_notes_one_look():
    cast = make_cast()
    cast.submit()
    look = [lambda: review.note_that_marks_were_seen(cast.reviewer, cast.read)] * 6
    assert at_once(*look) == [None] * 6
    assert AuditRecord.objects.filter(verb="read.marks_seen", object_id=cast.read.pk).count() == 1
