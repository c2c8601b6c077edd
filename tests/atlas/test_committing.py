"""Group commit: one thread writes for many senders, and nobody waits for a thread that ended."""

import psycopg
import pytest
from django.db import connection

from atlas.archive import committing, intake, receiving
from atlas.archive.committing import Committer
from atlas.archive.received import STORED, Received, Stored
from atlas.archive.storage import storage
from atlas.models import Instance
from tests.atlas.slices import series

pytestmark = pytest.mark.django_db(transaction=True)


def stored(dataset, places) -> list[Stored]:
    door = receiving.door_of(dataset)
    entries = [
        receiving.receive(intake.from_bytes(f"{place}.dcm", content), door) for place, content in places
    ]
    return [intake.store(entry) for entry in entries if isinstance(entry, Received)]


@pytest.fixture
def images(dataset) -> list[Stored]:
    return stored(dataset, enumerate(series([(0, 0, z) for z in range(3)])))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_after_an_error_that_ended_its_thread_the_next_sender_gets_another(images, dataset, monkeypatch):
    committer = Committer()

    def ends(group):
        raise SystemExit("no more threads")

    with monkeypatch.context() as broken:
        broken.setattr(committing, "_commit", ends)
        failed = committer.submit(images[:1], dataset)
        with pytest.raises(SystemExit):
            failed.result(10)
    outcomes = committer.submit(images[1:], dataset).result(10)
    assert [one.status for one in outcomes] == [STORED, STORED]


def test_a_row_that_a_broken_connection_left_behind_is_not_taken_for_another_image(
    images, dataset, monkeypatch
):
    """The server commits, the answer is lost, the committer tries again."""
    intake.commit(images[:1], dataset)
    index, calls = committing.index, []

    def loses_its_answer(*args):
        outcomes = index(*args)
        calls.append(outcomes)
        if len(calls) == 1:
            raise connection.Database.OperationalError("server closed the connection unexpectedly")
        return outcomes

    def as_django_raises_it(*args):
        with connection.wrap_database_errors:
            return loses_its_answer(*args)

    monkeypatch.setattr(committing, "index", as_django_raises_it)
    outcomes = intake.commit(images[1:], dataset)
    assert len(calls) == 2
    assert [one.status for one in outcomes] == [STORED, STORED]
    for instance in Instance.objects.all():
        assert storage().size(instance.object_key) == instance.size


def test_a_database_that_was_restarted_costs_a_second_try_and_no_image(images, dataset):
    committer = Committer()
    committer.submit(images[:1], dataset).result(10)  # its connection stays open for a moment
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    connection.close()
    outcomes = committer.submit(images[1:], dataset).result(10)
    assert [one.status for one in outcomes] == [STORED, STORED]
