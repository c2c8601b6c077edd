"""One throwaway PostgreSQL a test session, migrated once, one copy of the database a test process."""

import fcntl
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from atlas import postgres, samples
from tests.settings import SESSION_HOME

TEMPLATE = "atlas_template"
ROOT = Path(__file__).resolve().parents[1]


def session_home() -> Path:
    return Path(os.environ[SESSION_HOME])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs the test data or a judge's tools runs in `make judges`, everything else in `make test`."""
    for item in items:
        if "test_data" in getattr(item, "fixturenames", ()) or ROOT / "tests" / "judges" in item.path.parents:
            item.add_marker(pytest.mark.judge)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the main process, before pytest-xdist starts others
        postgres.ensure_running(session_home(), durable=False)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        postgres.stop(session_home())
        shutil.rmtree(session_home(), ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_setup(worker_id: str, django_db_blocker: pytest.FixtureRequest) -> None:
    """pytest-django's: here a copy of a template that the first test process migrates."""
    from django.core.management import call_command
    from django.db import connections

    home = session_home()
    name = f"atlas_test_{worker_id}"
    database = connections["default"]
    with (home / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _create_database(home, TEMPLATE):
            database.close()
            database.settings_dict["NAME"] = TEMPLATE
            with django_db_blocker.unblock():
                call_command("migrate", verbosity=0, interactive=False)
                call_command("createcachetable", verbosity=0)
            database.close()
        _create_database(home, name, template=TEMPLATE)
    database.settings_dict["NAME"] = name


def _create_database(home: Path, name: str, template: str = "template1") -> bool:
    parameters = postgres.connection(home).parameters(database="postgres")
    with psycopg.connect(**parameters, autocommit=True) as database:
        if database.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return False
        database.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
    return True


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
