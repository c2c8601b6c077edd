"""How a client tells whether what it fetched is still what the catalogue says."""

from django.db import connection
from django.db.models import QuerySet

from network.models import Listing

_SAID = [
    field.attname for field in Listing._meta.concrete_fields if field.name not in ("id", "public_id", "words")
]
"""All but the full text column, which follows from the others."""


def digest(shown: QuerySet[Listing]) -> str:
    """Changes with anything that these listings say, and with which they are; "" for none. One query."""
    rows = shown.select_related(None).order_by("slug").values(*_SAID)
    sql, parameters = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        # The query inside is Django's own, its values are parameters.
        counted = f"SELECT md5(string_agg(md5(t::text), '' ORDER BY slug)) FROM ({sql}) AS t"  # noqa: S608
        cursor.execute(counted, parameters)
        return cursor.fetchone()[0] or ""
