from django.core.management.color import Style
from django.db import transaction
from django.db.backends.postgresql import base, operations
from psycopg import sql

MADE_ONCE = {"django_content_type", "auth_permission"}
"""Written when the database was made, and by no test."""

JOBS = ("procrastinate_jobs", "procrastinate_events", "procrastinate_periodic_defers")
"""Django doesn't know these tables as its own: a job that was left would meet the next tests."""


class DatabaseOperations(operations.DatabaseOperations):
    def sql_flush(
        self, style: Style, tables: list[str], *, reset_sequences: bool = False, allow_cascade: bool = False
    ) -> list[str]:
        """Empties what was filled, and leaves nothing to execute: after that, Django would make all
        permissions again. With that, and truncating every table, it took a second a test. Sequences go on."""
        with transaction.atomic(self.connection.alias), self.connection.cursor() as cursor:
            # As a replica: without triggers, so without a look at every foreign key.
            cursor.execute("SET LOCAL session_replication_role = replica")
            for name in self._filled([*tables, *JOBS]):
                cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
        return []

    def _filled(self, tables: list[str]) -> list[str]:
        ask = sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(sql.Literal(name), sql.Identifier(name))
            for name in tables
            if name not in MADE_ONCE
        )
        with self.connection.cursor() as cursor:
            cursor.execute(ask)
            return [name for (name,) in cursor.fetchall()]


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations
