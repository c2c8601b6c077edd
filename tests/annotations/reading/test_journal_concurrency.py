"""Two tabs and a submission at once: numbers stay unique and without gaps, and nothing gets in late."""

import threading
import time
import uuid

import pytest
from django.db import connection, transaction

from annotations.models import Edit, LabelSchema, ParkedEdit, Read, Submission
from annotations.reading import journal, reads, review
from annotations.reading.schemas import drafts
from atlas.api.errors import Conflict

from .conftest import edit, make_cast

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*jobs):
    """Run the jobs in threads that start together; their results or exceptions, in order."""
    found: list = [None] * len(jobs)
    start = threading.Barrier(len(jobs))

    def run(place, job):
        start.wait()
        try:
            found[place] = job()
        except Exception as error:
            found[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return found


def test_two_tabs_that_draw_at_once_get_numbers_without_gaps():
    cast = make_cast()

    def draw():
        for _ in range(15):
            edits = [edit(cast.length()), edit(cast.length())]
            journal.append(user=cast.anna, read_id=cast.read.public_id, edits=edits)

    assert at_once(draw, draw, draw) == [None] * 3
    numbers = list(Edit.objects.filter(read=cast.read).values_list("number", flat=True))
    assert numbers == list(range(1, 91))
    cast.read.refresh_from_db()
    assert cast.read.last_edit_number == 90


def test_of_two_changes_to_one_mark_at_once_one_is_applied_and_one_kept_aside():
    cast = make_cast()
    mark = uuid.uuid4()
    journal.append(user=cast.anna, read_id=cast.read.public_id, edits=[edit(cast.length(), mark)])

    def change():
        edits = [edit(cast.length(), mark, seen=1)]
        return journal.append(user=cast.anna, read_id=cast.read.public_id, edits=edits)[0][0]["status"]

    assert sorted(at_once(change, change)) == ["applied", "conflict"]
    assert ParkedEdit.objects.filter(read=cast.read).count() == 1


def test_the_same_batch_on_two_roads_at_once_is_taken_once():
    cast = make_cast()
    edits = [edit(cast.length()) for _ in range(5)]

    def send():
        return journal.append(user=cast.anna, read_id=cast.read.public_id, edits=edits)[0][0]["status"]

    assert sorted(at_once(send, send)) == ["applied", "duplicate"]
    assert Edit.objects.filter(read=cast.read).count() == 5


def test_an_edit_that_races_a_submission_is_in_it_or_parked_never_after_it():
    for _ in range(5):
        cast = make_cast()
        journal.append(user=cast.anna, read_id=cast.read.public_id, edits=[edit(cast.length())])

        def draw(cast=cast):
            edits = [edit(cast.length())]
            return journal.append(user=cast.anna, read_id=cast.read.public_id, edits=edits)[0][0]["status"]

        def submit(cast=cast):
            return reads.submit(user=cast.anna, read_id=cast.read.public_id, number=1)

        drawn, submitted = at_once(draw, submit)
        cast.read.refresh_from_db()
        if drawn == "applied":
            assert isinstance(submitted, Conflict)
            assert cast.read.state == Read.State.IN_PROGRESS
        else:
            assert drawn == "parked"
            assert Submission.objects.get(read=cast.read).edit_number == cast.read.last_edit_number == 1


def test_a_double_click_on_submit_hands_in_once():
    cast = make_cast()

    def submit():
        return reads.submit(user=cast.anna, read_id=cast.read.public_id, number=0).state

    assert at_once(submit, submit) == ["submitted", "submitted"]
    assert Submission.objects.filter(read=cast.read).count() == 1


def test_of_two_reviewers_at_once_one_judges():
    cast = make_cast()
    reads.submit(user=cast.anna, read_id=cast.read.public_id, number=0)

    def accept():
        return review.judge(user=cast.reviewer, read_id=cast.read.public_id, verdict="accept", round=1).state

    def send_back():
        return review.judge(
            user=cast.lead, read_id=cast.read.public_id, verdict="return", round=1, text="Again."
        ).state

    results = at_once(accept, send_back)
    assert sum(isinstance(result, Conflict) for result in results) == 1
    cast.read.refresh_from_db()
    assert cast.read.state in results


def test_marks_that_arrive_while_the_labels_change_are_all_kept():
    cast = make_cast()
    draft = drafts.save_draft(
        by=cast.lead,
        project=cast.project,
        labels=[label for label in cast.schema.labels if label["key"] == "node"],
        questions=None,
        seen_version=1,
    )

    def draw():
        sent = []
        for _ in range(20):
            results, _ = journal.append(
                user=cast.anna, read_id=cast.read.public_id, edits=[edit(cast.length())]
            )
            sent.append(results[0]["status"])
        return sent

    def change():
        return drafts.put_into_use(
            by=cast.lead,
            project=cast.project,
            seen_draft=drafts.stamp(draft),
            decisions={"label:tumour": "to:node"},
        )[0].version

    assert at_once(draw, change) == [["applied"] * 20, 2]
    kept = journal.state(Read.objects.get(pk=cast.read.pk)).annotations
    assert [mark.value["label"] for mark in kept] == ["node"] * 20
    numbers = list(Edit.objects.filter(read=cast.read).values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))


def until_someone_waits():
    """For a lock of the database."""
    for _ in range(500):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    pytest.fail("Nobody waits for a lock.")


def test_an_edit_that_waits_for_the_labels_to_change_is_taken():
    cast = make_cast()
    journal.append(user=cast.anna, read_id=cast.read.public_id, edits=[edit(cast.length())])
    newer = LabelSchema.objects.create(
        project=cast.project, version=2, labels=cast.schema.labels, created_by=cast.lead
    )
    found = []
    with transaction.atomic():
        Read.objects.select_for_update().get(pk=cast.read.pk)

        def draw():
            edits = [edit(cast.length())]
            found.append(journal.append(user=cast.anna, read_id=cast.read.public_id, edits=edits)[0])
            connection.close()

        drawing = threading.Thread(target=draw)
        drawing.start()
        until_someone_waits()
        Read.objects.filter(pk=cast.read.pk).update(schema=newer)
    drawing.join(timeout=60)
    assert [result["status"] for [result] in found] == ["applied"]
