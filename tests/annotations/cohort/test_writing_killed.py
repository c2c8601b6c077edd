"""Writing by workers that die or meet, each with its own connection: so all is committed."""

import threading

import pytest
from django.db import connection, connections

from annotations.cohort import filing, releases, writer
from annotations.models import Release, ReleaseCase, ReleaseFile
from atlas.archive.storage import storage
from tests import dying
from tests.annotations.cohort.conftest import Cohort
from tests.annotations.cohort.dying_writer import STEPS, write
from tests.annotations.cohort.test_writing import case_ids, frozen, named_by_rows, objects, state_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cohort(committed_cohort: Cohort) -> Cohort:
    return committed_cohort


# Killed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", STEPS)
def test_a_case_whose_worker_was_killed_is_written_again_and_nothing_is_left_behind(
    cohort: Cohort, step: str
) -> None:
    before = objects()
    release = frozen(cohort)
    [case_id] = case_ids(release)
    dying.killed(write, connection.settings_dict["NAME"], storage().folder, release.pk, case_id, step)
    left = objects() - before
    case = ReleaseCase.objects.get(release=release)
    assert left <= named_by_rows(release) | set(case.attempted)
    assert bool(left) == (step != "planned")

    writer.write_case(release.pk, case_id)
    writer.finish(release.pk)
    assert state_of(release) == (Release.State.READY, "")
    assert objects() - before == named_by_rows(release)


def test_what_a_killed_worker_left_goes_when_the_release_is_cancelled(cohort: Cohort) -> None:
    before = objects()
    release = frozen(cohort)
    [case_id] = case_ids(release)
    name, folder = connection.settings_dict["NAME"], storage().folder
    dying.killed(write, name, folder, release.pk, case_id, "third file stored")
    assert objects() - before
    releases.cancel(by=cohort.people["lead"], release=release)
    releases.clear(release.pk)
    writer.write_case(release.pk, case_id)  # its job, which the sweep of dead workers put back
    assert objects() == before
    assert state_of(release)[0] == Release.State.CANCELLED


# Two at once ------------------------------------------------------------------------------------


def test_two_workers_that_take_the_same_case_write_it_once(
    cohort: Cohort, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = frozen(cohort)
    [case_id] = case_ids(release)
    made, here, errors = filing.made, threading.Barrier(2, timeout=30), []
    paths: list[str] = []

    def counted(*args):
        paths.append(args[3].path)
        return made(*args)

    def work() -> None:
        try:
            here.wait()
            writer.write_case(release.pk, case_id)
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    monkeypatch.setattr(filing, "made", counted)
    workers = [threading.Thread(target=work) for _ in range(2)]
    for one in workers:
        one.start()
    for one in workers:
        one.join(120)
    assert errors == []
    assert len(paths) == len(set(paths)) == ReleaseFile.objects.filter(release=release).count()
    writer.finish(release.pk)
    assert state_of(release) == (Release.State.READY, "")
