"""The embedded PostgreSQL starts, is found again, and comes back after a kill -9 with its data."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from atlas import postgres, postgres_account


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="atlas-postgres-"))
    yield folder
    postgres.stop(folder)
    shutil.rmtree(folder)


def query(home: Path, statement: str) -> list[tuple]:
    with psycopg.connect(postgres.database_url(home), autocommit=True) as database:
        cursor = database.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_a_new_home_gets_a_utf8_database_that_only_a_socket_reaches(home):
    facts = postgres.ensure_running(home)
    assert query(home, "SELECT current_database(), current_user") == [(facts.database, facts.user)]
    assert query(home, "SHOW server_encoding") == [("UTF8",)]
    assert query(home, "SHOW listen_addresses") == [("",)]
    assert query(home, "SHOW fsync") == [("on",)]
    assert query(home, "SELECT upper('ä')") == [("Ä",)]
    assert Path(facts.host).stat().st_mode & 0o777 == 0o700


def test_a_second_call_finds_the_same_server(home):
    postgres.ensure_running(home, durable=False)
    first = postgres.postmaster_pid(home)
    postgres.ensure_running(home, durable=False)
    assert first is not None
    assert postgres.postmaster_pid(home) == first


def test_after_a_sigkill_the_server_comes_back_with_what_was_committed(home):
    postgres.ensure_running(home)
    query(home, "CREATE TABLE kept (word text)")
    query(home, "INSERT INTO kept VALUES ('committed')")
    killed = postgres.postmaster_pid(home)
    os.kill(killed, signal.SIGKILL)
    postgres.ensure_running(home)
    assert postgres.postmaster_pid(home) != killed
    assert query(home, "SELECT word FROM kept") == [("committed",)]


def test_a_process_number_that_another_program_got_since_does_not_stop_the_start(home):
    postgres.ensure_running(home, durable=False)
    pid_file = home / "postgres" / "data" / "postmaster.pid"
    text = pid_file.read_text()
    postgres.stop(home)
    # What a machine that lost power leaves: the file, and its number now belongs to this test.
    pid_file.write_text("\n".join([str(os.getpid()), *text.splitlines()[1:]]) + "\n")
    assert postgres.postmaster_pid(home) is None
    postgres.ensure_running(home, durable=False)
    assert query(home, "SELECT 1") == [(1,)]


def test_a_copy_of_a_running_home_is_a_cluster_of_its_own(home):
    original, copy = home / "original", home / "copy"
    postgres.ensure_running(original)
    query(original, "CREATE TABLE mine ()")
    # Copied while it runs, as a careless backup does; checkpointed so that the copy is whole.
    query(original, "CHECKPOINT")
    shutil.copytree(original / "postgres", copy / "postgres", ignore=shutil.ignore_patterns("socket"))
    try:
        assert postgres.postmaster_pid(copy) is None
        postgres.ensure_running(copy)
        assert postgres.postmaster_pid(copy) != postgres.postmaster_pid(original)
        query(copy, "DROP TABLE mine")
        postgres.stop(copy)
        assert query(original, "SELECT * FROM mine") == []
    finally:
        postgres.stop(copy)
        postgres.stop(original)


def test_an_interrupted_creation_is_begun_anew(home):
    half = home / "postgres" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    postgres.ensure_running(home, durable=False)
    assert query(home, "SELECT 1") == [(1,)]
    assert not half.exists()


@pytest.mark.parametrize("name", ["a" * 120, "with space, comma and ümlaut"])
def test_a_home_whose_path_no_socket_can_have_works(home, name):
    odd = home / name
    try:
        facts = postgres.ensure_running(odd, durable=False)
        assert len(os.fsencode(facts.host)) <= postgres.SOCKET_FOLDER_BYTES_MAX
        assert query(odd, "SELECT 1") == [(1,)]
    finally:
        postgres.stop(odd)
        shutil.rmtree(postgres.connection(odd).host, ignore_errors=True)


def test_many_callers_at_once_get_one_server(home):
    command = [sys.executable, "-m", "atlas.postgres", "start"]
    environment = {**os.environ, "ATLAS_HOME": str(home)}
    root = Path(__file__).parents[2]

    def start(_: int) -> str:
        return subprocess.run(
            command, env=environment, cwd=root, check=True, capture_output=True, text=True
        ).stdout.strip()

    with ThreadPoolExecutor(6) as pool:
        answers = set(pool.map(start, range(6)))
    assert answers == {postgres.database_url(home)}
    assert query(home, "SELECT count(*) FROM pg_database WHERE datname = 'atlas'") == [(1,)]


def test_the_server_survives_ctrl_c_in_the_terminal_of_its_starter(home):
    code = (
        "import signal, sys, time; from pathlib import Path; from atlas import postgres;"
        "signal.signal(signal.SIGINT, signal.default_int_handler);"  # background shells ignore it
        "postgres.ensure_running(Path(sys.argv[1]), durable=False); print('up', flush=True); time.sleep(60)"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", code, str(home)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert starter.stdout is not None
    assert starter.stdout.readline() == b"up\n"
    os.killpg(starter.pid, signal.SIGINT)  # what a terminal does: the whole foreground group
    starter.communicate(timeout=10)
    assert postgres.is_running(home)


def test_stop_ends_the_server_and_says_nothing_where_none_runs(home):
    postgres.ensure_running(home, durable=False)
    pid = postgres.postmaster_pid(home)
    begun = time.monotonic()
    postgres.stop(home)
    assert time.monotonic() - begun < 10
    assert not postgres.is_running(home)
    assert postgres.postmaster_pid(home) is None
    assert pid is not None
    postgres.stop(home)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes the account PostgreSQL runs as")
def test_root_without_user_namespaces_runs_it_as_nobody_and_can_change_back(home, monkeypatch):
    home.chmod(0o755)
    monkeypatch.setattr(postgres_account, "may_unshare", lambda: False)
    programs = postgres._programs() / "postgres"
    if not all(folder.stat().st_mode & 0o001 for folder in programs.parents):
        # The checkout itself is closed to `nobody`: then that is what the user must be told.
        with pytest.raises(postgres.PostgresError, match=r"may not enter .* DATABASE_URL"):
            postgres.ensure_running(home, durable=False)
        return
    postgres.ensure_running(home, durable=False)
    assert (home / "postgres" / "data").stat().st_uid == postgres_account.NOBODY
    query(home, "CREATE TABLE kept ()")
    postgres.stop(home)
    monkeypatch.undo()
    postgres.ensure_running(home, durable=False)
    assert query(home, "SELECT * FROM kept") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes the account PostgreSQL runs as")
def test_a_home_closed_to_nobody_is_named_in_the_error(home, monkeypatch):
    home.chmod(0o700)
    monkeypatch.setattr(postgres_account, "may_unshare", lambda: False)
    with pytest.raises(postgres.PostgresError, match="may not enter"):
        postgres.ensure_running(home, durable=False)
