"""One throwaway PostgreSQL a test session, one copy of an empty node's database a test process."""

import fcntl
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from xdist.scheduler import LoadGroupScheduling

from atlas import postgres, samples
from tests import prepared
from tests.settings import SESSION_HOME

NAME_MOST = 80  # of a parameter, in the name of a test
ROOT = Path(__file__).resolve().parents[1]


def session_home() -> Path:
    return Path(os.environ[SESSION_HOME])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs the test data or a judge's tools runs in `make judges`, everything else in `make test`."""
    for item in items:
        if "test_data" in getattr(item, "fixturenames", ()) or ROOT / "tests" / "judges" in item.path.parents:
            item.add_marker(pytest.mark.judge)


class _FilesTogether(LoadGroupScheduling):
    """A file's tests run in one process: what they share is made once. Groups hold as before."""

    def _split_scope(self, nodeid: str) -> str:
        return super()._split_scope(nodeid).partition("::")[0]


@pytest.hookimpl(optionalhook=True)  # pytest-xdist's
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadGroupScheduling | None:
    return _FilesTogether(config, log) if config.getoption("dist") == "loadgroup" else None


def pytest_make_parametrize_id(val: object) -> str | None:
    """A test of what is far too long has a name that can be read."""
    if isinstance(val, str | bytes) and len(val) > NAME_MOST:
        return f"{val[:NAME_MOST]!r}… {len(val)} long"
    return None


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the main process, before pytest-xdist starts others
        prepared.copy_to(session_home())
        postgres.ensure_running(session_home(), durable=False)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        postgres.stop(session_home())
        shutil.rmtree(session_home(), ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_setup(worker_id: str) -> None:
    """pytest-django's: here a copy of an empty node's database for each test process."""
    from django.db import connections

    name = f"atlas_test_{worker_id}"
    with (session_home() / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        parameters = postgres.connection(session_home()).parameters(database="postgres")
        with psycopg.connect(**parameters, autocommit=True) as database:
            copied = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            database.execute(copied.format(sql.Identifier(name), sql.Identifier(postgres.DATABASE)))
    connections["default"].settings_dict["NAME"] = name


@pytest.fixture(scope="module")
def module_rows(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[Callable]:
    """For fixtures of a module: what they write `with module_rows():` is there for each of its tests, whose
    own changes are undone after each. Not for tests that commit."""
    from django.db import transaction

    with django_db_blocker.unblock():
        rows = transaction.atomic()
        rows.__enter__()
    yield django_db_blocker.unblock
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        rows.__exit__(None, None, None)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Real studies for tests and judges: $ATLAS_TEST_DATA, by default `shared/data` beside the checkout."""
    folder = Path(os.environ.get("ATLAS_TEST_DATA") or ROOT.parent / "shared" / "data").resolve()
    if not folder.is_dir():
        pytest.fail(f"No test data at {folder}: name its folder with ATLAS_TEST_DATA.", pytrace=False)
    return folder


@pytest.fixture(scope="session")
def pyradiomics_archive() -> Iterator[Path]:
    """The source archive of pyradiomics 3.0.1, with real cases and masks: downloaded once a machine."""
    try:
        yield samples.fetch_pyradiomics_archive(samples.cache_folder())
    except samples.SampleError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def pyradiomics_data(pyradiomics_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the archive's volumes and label maps (NRRD)."""
    folder = tmp_path_factory.mktemp("pyradiomics")
    with tarfile.open(pyradiomics_archive) as archive:
        volumes = [member for member in archive.getmembers() if member.name.endswith(".nrrd")]
        archive.extractall(folder, volumes, filter="data")
    return next(folder.glob("*/data"))


@pytest.fixture
async def layer():
    """Messages between processes, as in production, in place of those of one process."""
    from channels.layers import channel_layers

    from atlas.fanout import PostgresChannelLayer

    layer = PostgresChannelLayer()
    before = channel_layers["default"]
    channel_layers.set("default", layer)
    yield layer
    await layer.close()
    channel_layers.set("default", before)


# A hospital and two of its people, whom most tests of pages need. Models exist once Django is ready.


@pytest.fixture
def organisation(db):
    from accounts.models import Organisation

    return Organisation.objects.create(name="Karlsund University Hospital", slug="karlsund", country="SE")


@pytest.fixture
def owner(organisation):
    """Its manager."""
    return _with_role("nina", "Nina", "Berg", "manager", organisation)


@pytest.fixture
def member(organisation):
    """Belongs to it, and may look at none of its images."""
    return _with_role("rui", "Rui", "Silva", "project_creator", organisation)


def _with_role(username: str, first_name: str, last_name: str, role: str, organisation):
    from accounts import permissions
    from tests.cast import person

    user = person(username, first_name, last_name)
    permissions.grant(user=user, role=role, scope=organisation)
    return user
