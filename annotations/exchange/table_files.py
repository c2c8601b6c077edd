"""Writes the rows of a table as CSV and as Parquet. Rows come one after another and are not kept; the same
rows give the same bytes."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import batched
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from annotations.exchange.columns import Column, Table
from atlas.spreadsheets import harmless

type Rows = Iterable[Mapping[str, Any]]

ROWS_OF_A_GROUP = 10_000
ROWS_OF_A_BATCH = 500
_TYPES = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
}


def write_csv(stream: BinaryIO, table: Table, rows: Rows) -> None:
    """UTF-8, one header, “true” and “false”, dates as 2026-11-30; nothing where a value is missing.

    Text that a spreadsheet would run as a formula is marked by an apostrophe, as whoever opens the file can't
    be told apart from a program that reads it; the Parquet file has it as it is.
    """
    for some in batched(_headed(table, rows), ROWS_OF_A_BATCH):
        lines = io.StringIO(newline="")
        csv.writer(lines, lineterminator="\n").writerows(some)
        stream.write(lines.getvalue().encode())


def _headed(table: Table, rows: Rows) -> Iterator[list[str]]:
    yield table.names
    for row in rows:
        yield [_cell(column, row.get(column.name)) for column in table.columns]


def _cell(column: Column, value: Any) -> str:
    if value is None or value == "":
        return ""
    if column.kind == "boolean":
        return "true" if value else "false"
    if column.kind == "number":
        return repr(float(value))
    return str(harmless(str(value)) if column.kind == "text" else value)


def write_parquet(stream: BinaryIO, table: Table, rows: Rows) -> None:
    """Typed; each column says its unit and meaning in its metadata. Nothing is null, also an empty text."""
    schema = schema_of(table)
    with pq.ParquetWriter(
        pa.PythonFile(_Sink(stream), mode="w"), schema, compression="zstd", store_schema=True
    ) as writer:
        for some in batched(rows, ROWS_OF_A_GROUP):
            columns = [
                pa.array([_value(column, row.get(column.name)) for row in some], type=schema.field(at).type)
                for at, column in enumerate(table.columns)
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def schema_of(table: Table) -> pa.Schema:
    fields = [
        pa.field(
            column.name,
            _TYPES[column.kind],
            metadata={"description": column.meaning, **({"unit": column.unit} if column.unit else {})},
        )
        for column in table.columns
    ]
    return pa.schema(fields, metadata={"description": f"One row: {table.row}."})


def _value(column: Column, value: Any) -> Any:
    if value is None or value == "":
        return None
    if column.kind == "date":
        return value if isinstance(value, date) else date.fromisoformat(value)
    if column.kind == "number":
        return float(value)
    return str(value) if column.kind == "text" else value


class _Sink(io.RawIOBase):
    """What pyarrow takes for a file that it may only append to; closing it leaves the stream open."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._at = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._stream.write(bytes(data))
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        return self._at
