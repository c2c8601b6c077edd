"""A running node's database as it is in an empty node: to start another node takes longer than most tests."""

import time
from pathlib import Path

import psycopg
from psycopg import sql

from atlas import postgres

NOBODYS = ("django_migrations", "procrastinate_")
"""How the tables begin that are the programs' own: nobody's data."""
MADE_ONCE = ("django_content_type", "auth_permission", "auth_group", "auth_group_permissions")
"""Written when the database was made: roles and what they may."""
JOBS_S = 60.0


def empty(home: Path) -> None:
    with psycopg.connect(**postgres.connection(home).parameters(), autocommit=True) as database:
        _end_jobs(database)
        with database.transaction():
            # Rather an error than a wait for a request that never ends.
            database.execute("SET LOCAL lock_timeout = '20s'")
            # As a replica: without triggers, so without a look at every foreign key.
            database.execute("SET LOCAL session_replication_role = replica")
            for table in _filled(database):
                database.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))


def _end_jobs(database: psycopg.Connection) -> None:
    """Nothing waits to be done, and what was begun is done."""
    deadline = time.monotonic() + JOBS_S
    while True:
        database.execute("DELETE FROM procrastinate_jobs WHERE status <> 'doing'")
        found = database.execute("SELECT task_name FROM procrastinate_jobs").fetchall()
        if not found:
            return
        assert time.monotonic() < deadline, f"still at work: {found}"
        time.sleep(0.1)


def _filled(database: psycopg.Connection) -> list[str]:
    found = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    tables = [name for (name,) in found if name not in MADE_ONCE and not name.startswith(NOBODYS)]
    ask = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(sql.Literal(name), sql.Identifier(name))
        for name in tables
    )
    return [name for (name,) in database.execute(ask).fetchall()]
