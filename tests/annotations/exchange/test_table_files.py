"""Rows as CSV and Parquet: typed, with units, harmless for spreadsheets, the same bytes each time."""

import csv
import io
from datetime import date

import pyarrow.parquet as pq
import pytest

from annotations.exchange import columns
from annotations.exchange.columns import TABLES, Table
from annotations.exchange.table_files import ROWS_OF_A_GROUP, CsvFile, ParquetFile

TABLE = Table(
    "things",
    "a thing",
    ("name",),
    (
        columns.text("name", "What it is called"),
        columns.integer("count", "How many"),
        columns.number("length_mm", "How long", "mm"),
        columns.boolean("is_there", "Whether it is there"),
        columns.date("day", "When"),
    ),
)
ROWS = [
    {"name": "=cmd()", "count": -3, "length_mm": 0.1 + 0.2, "is_there": True, "day": "2026-11-30"},
    {"name": 'two\nlines, “quoted" twice', "is_there": False},
    {"name": "", "length_mm": 5},
]


def written(kind, rows=ROWS, table: Table = TABLE) -> bytes:
    stream = io.BytesIO()
    file = kind(stream, table)
    for row in rows:
        file.add([row])
    file.close()
    return stream.getvalue()


def test_csv_has_a_header_and_tells_every_type_in_one_way() -> None:
    rows = list(csv.reader(io.StringIO(written(CsvFile).decode(), newline="")))
    assert rows == [
        ["name", "count", "length_mm", "is_there", "day"],
        ["'=cmd()", "-3", "0.30000000000000004", "true", "2026-11-30"],
        ['two\nlines, “quoted" twice', "", "", "false", ""],
        ["", "", "5.0", "", ""],
    ]


def test_parquet_is_typed_and_holds_texts_as_they_were_written() -> None:
    found = pq.read_table(io.BytesIO(written(ParquetFile)))
    assert {field.name: str(field.type) for field in found.schema} == {
        "name": "string",
        "count": "int64",
        "length_mm": "double",
        "is_there": "bool",
        "day": "date32[day]",
    }
    assert found.schema.field("length_mm").metadata == {b"description": b"How long", b"unit": b"mm"}
    assert found.to_pylist() == [
        {"name": "=cmd()", "count": -3, "length_mm": 0.1 + 0.2, "is_there": True, "day": date(2026, 11, 30)},
        {
            "name": 'two\nlines, “quoted" twice',
            "count": None,
            "length_mm": None,
            "is_there": False,
            "day": None,
        },
        {"name": None, "count": None, "length_mm": 5.0, "is_there": None, "day": None},
    ]


@pytest.mark.parametrize("kind", [CsvFile, ParquetFile])
def test_the_same_rows_give_the_same_bytes(kind) -> None:
    assert written(kind) == written(kind)


def test_without_rows_there_are_still_the_columns() -> None:
    assert written(CsvFile, []) == b"name,count,length_mm,is_there,day\n"
    empty = pq.read_table(io.BytesIO(written(ParquetFile, [])))
    assert (empty.num_rows, empty.column_names) == (0, TABLE.names)


def test_parquet_is_written_in_groups_so_that_it_never_stands_in_memory_whole() -> None:
    sizes = []
    stream = io.BytesIO()
    file = ParquetFile(stream, TABLE)
    for number in range(2 * ROWS_OF_A_GROUP + 5):
        file.add([{"name": f"thing {number}", "count": number}])
        sizes.append(len(stream.getbuffer()))
    file.close()
    assert sizes[ROWS_OF_A_GROUP - 2] < 10 < sizes[ROWS_OF_A_GROUP - 1] < sizes[-1]
    found = pq.ParquetFile(io.BytesIO(stream.getvalue()))
    groups = [found.metadata.row_group(place).num_rows for place in range(found.num_row_groups)]
    assert groups == [ROWS_OF_A_GROUP, ROWS_OF_A_GROUP, 5]
    assert found.read().column("count").to_pylist() == list(range(2 * ROWS_OF_A_GROUP + 5))


def test_every_column_is_defined_once_and_numbers_have_a_unit() -> None:
    for table in TABLES.values():
        assert len(set(table.names)) == len(table.names)
        assert set(table.key) <= set(table.names)
        for column in table.columns:
            assert column.meaning
            assert (column.kind == "number") == bool(column.unit) or column.kind == "integer"
            suffix = {"mm": "_mm", "mm2": "_mm2", "mL": "_ml", "deg": "_deg", "{pixel}2": "_px2"}.get(
                column.unit
            )
            assert suffix is None or column.name.endswith(suffix)
