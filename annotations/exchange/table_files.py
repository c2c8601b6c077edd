"""Writes the rows of a table as CSV and as Parquet. Rows are added as they come, and no more are kept than a
group of Parquet takes; the same rows give the same bytes."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import batched
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from annotations.exchange.columns import Column, Table
from atlas.spreadsheets import harmless

type Rows = Iterable[Mapping[str, Any]]

ROWS_OF_A_GROUP = 1_000
ROWS_OF_A_BATCH = 500
_TYPES = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
}


class CsvFile:
    """UTF-8, one header, “true” and “false”, dates as 2026-11-30; nothing where a value is missing.

    Text that a spreadsheet would run as a formula is marked by an apostrophe, as whoever opens the file can't
    be told apart from a program that reads it; the Parquet file has it as it is.
    """

    def __init__(self, stream: IO[bytes], table: Table) -> None:
        self._stream, self._table = stream, table
        self._write([table.names])

    def add(self, rows: Rows) -> None:
        cells = ([_cell(column, row.get(column.name)) for column in self._table.columns] for row in rows)
        for some in batched(cells, ROWS_OF_A_BATCH):
            self._write(some)

    def close(self) -> None:
        """Nothing is left to write."""

    def _write(self, rows: Iterable[Sequence[str]]) -> None:
        lines = io.StringIO(newline="")
        csv.writer(lines, lineterminator="\n").writerows(rows)
        self._stream.write(lines.getvalue().encode())


def _cell(column: Column, value: Any) -> str:
    if value is None or value == "":
        return ""
    if column.kind == "boolean":
        return "true" if value else "false"
    if column.kind == "number":
        return repr(float(value))
    return str(harmless(str(value)) if column.kind == "text" else value)


class ParquetFile:
    """Typed; each column says its unit and meaning in its metadata. What is empty is null, also a text."""

    def __init__(self, stream: IO[bytes], table: Table) -> None:
        self._table, self._schema = table, schema_of(table)
        self._values: list[list[Any]] = [[] for _ in table.columns]
        sink = pa.PythonFile(_Sink(stream), mode="w")
        self._writer = pq.ParquetWriter(sink, self._schema, compression="zstd")

    def add(self, rows: Rows) -> None:
        for row in rows:
            for column, values in zip(self._table.columns, self._values, strict=True):
                values.append(_value(column, row.get(column.name)))
            if len(self._values[0]) >= ROWS_OF_A_GROUP:
                self._write()

    def close(self) -> None:
        if self._values[0]:
            self._write()
        self._writer.close()

    def _write(self) -> None:
        arrays = [
            pa.array(values, type=field.type)
            for field, values in zip(self._schema, self._values, strict=True)
        ]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._values = [[] for _ in self._values]


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

    def __init__(self, stream: IO[bytes]) -> None:
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
