"""Proves that a subject is gone: looks for its names in every text of the database and in every object.

The same UIDs may stand in another organisation's images by right; those rows and objects are left out.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import connection
from psycopg import sql

from accounts.models import Organisation
from atlas.archive.listing import Listing, is_old_enough, keys_in_use, keys_of_images
from atlas.archive.names import Names
from atlas.archive.storage import COPY_BYTES, Listed, ObjectMissing, storage

TEXTS = ["character varying", "character", "text", "json", "jsonb", "ARRAY"]
GZIP = b"\x1f\x8b"
UID_LIKE = "[0-9][0-9.]{3,63}"


@dataclass
class Proof:
    """How much was searched, and where something was found: table and column, or object; never what."""

    tables: int = 0
    columns: int = 0
    objects: int = 0
    bytes: int = 0
    found: list[str] = field(default_factory=list)
    remains: int = 0
    notes: list[str] = field(default_factory=list)


def search(names: Names) -> Proof:
    """Look everywhere. Objects that hold a name and belong to nobody (a process was killed while it wrote
    them) are deleted and counted as `remains`."""
    proof = Proof()
    if not names.is_pseudonym_long_enough:
        proof.notes.append(
            "The pseudonym is so short that it stands in pixels and texts by chance: it was looked for as a "
            "whole value only. UIDs were looked for everywhere."
        )
    _search_database(names, proof)
    _search_objects(names, proof)
    return proof


# The database ----------------------------------------------------------------------------------------


def _search_database(names: Names, proof: Proof) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS erased_uids")
        cursor.execute("CREATE TEMPORARY TABLE erased_uids (uid text PRIMARY KEY)")
        with cursor.copy("COPY erased_uids FROM STDIN") as copy:
            for uid in names.uids:
                copy.write_row((uid,))
        for table, columns, has_organisation in _texts():
            proof.tables += 1
            proof.columns += len(columns)
            for column, rows in _hits(cursor, table, columns, has_organisation, names).items():
                proof.found.append(f"{rows} rows of table {table}, column {column}")
        cursor.execute("DROP TABLE erased_uids")


def _texts() -> list[tuple[str, list[str], bool]]:
    """Every table with texts: its name, their columns, and whether its rows name an organisation."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.table_name,
                   array_agg(c.column_name::text ORDER BY c.ordinal_position)
                       FILTER (WHERE c.data_type = ANY(%s)),
                   bool_or(c.column_name = 'organisation_id')
            FROM information_schema.columns AS c
            JOIN information_schema.tables AS t USING (table_schema, table_name)
            WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'
            GROUP BY c.table_name ORDER BY c.table_name
            """,
            [TEXTS],
        )
        return [(table, columns, has) for table, columns, has in cursor.fetchall() if columns]


def _hits(cursor, table: str, columns: list[str], has_organisation: bool, names: Names) -> dict[str, int]:  # type: ignore[no-untyped-def]
    """Column -> rows that hold a name; one pass over the table."""
    word, values = _word(names)
    counts = [
        sql.SQL(
            """
            count(*) FILTER (WHERE {word} OR EXISTS (
                SELECT FROM regexp_matches({text}, {uid}, 'g') AS like_uid
                WHERE rtrim(like_uid[1], '.') IN (SELECT uid FROM erased_uids)
            ))
            """
        ).format(word=word.format(text=_text(column)), text=_text(column), uid=sql.Literal(UID_LIKE))
        for column in columns
    ]
    query = sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(counts), sql.Identifier(table))
    parameters = values * len(columns)
    if has_organisation:
        query += sql.SQL(" WHERE organisation_id = %s")
        parameters = [*parameters, names.organisation_id]
    cursor.execute(query.as_string(cursor.connection), parameters)
    return {column: rows for column, rows in zip(columns, cursor.fetchone(), strict=True) if rows}


def _text(column: str) -> sql.Composed:
    return sql.SQL("{}::text").format(sql.Identifier(column))


def _word(names: Names) -> tuple[sql.SQL, list]:
    if names.is_pseudonym_long_enough:
        return sql.SQL("{text} ~ %s"), [names.pattern]
    return sql.SQL("{text} IN (%s, %s)"), [names.pseudonym, f'"{names.pseudonym}"']


# Storage ---------------------------------------------------------------------------------------------


def _search_objects(names: Names, proof: Proof) -> None:
    own = Organisation.objects.get(pk=names.organisation_id)
    with Listing() as listing:
        listing.name(keys_of_images(but=own))
        candidates = listing.unnamed()
    hits: dict[str, Listed] = {}
    for one in candidates:
        proof.objects += 1
        proof.bytes += one.size
        try:
            if names.are_in_bytes(_content(one.key)):
                hits[one.key] = one
        except ObjectMissing:  # deleted meanwhile
            continue
    if not hits:
        return
    in_use = {key for key in keys_in_use() if key in hits}
    for key, one in hits.items():
        if key not in in_use and is_old_enough(one):
            storage().delete(key)
            proof.remains += 1
        else:
            proof.found.append(f"object {key}")


def _content(key: str) -> Iterator[bytes]:
    """As stored; gzipped texts and tables unpacked."""
    with storage().open(key) as file:
        chunk = file.read(COPY_BYTES)
        machine = zlib.decompressobj(wbits=31) if chunk[:2] == GZIP else None
        while chunk:
            yield chunk
            if machine is not None:
                try:
                    yield from _unpacked(machine, chunk)
                except zlib.error:  # it only looked like gzip
                    machine = None
            chunk = file.read(COPY_BYTES)


def _unpacked(machine, chunk: bytes) -> Iterator[bytes]:  # type: ignore[no-untyped-def]
    while chunk and not machine.eof:
        yield machine.decompress(chunk, COPY_BYTES)
        chunk = machine.unconsumed_tail
