"""The manifest of a release as one table: CSV, or Parquet."""

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import batched
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from django.http import HttpResponseBase, StreamingHttpResponse

from atlas.api.ranges import off_the_loop
from atlas.archive.storage import COPY_BYTES, spool
from atlas.spreadsheets import csv_lines

ROWS_AT_ONCE = 10_000
SCHEMA = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        pa.field("format", pa.string(), nullable=False),
        pa.field("part", pa.string(), nullable=False),
        pa.field("case", pa.int32()),
        pa.field("size", pa.int64(), nullable=False),
        pa.field("sha256", pa.string(), nullable=False),
        pa.field("withdrawn_at", pa.timestamp("us", tz="UTC")),
        pa.field("url", pa.string(), nullable=False),
    ]
)

type Line = dict[str, Any]


def _write_csv(lines: Iterable[Line], stream: BinaryIO) -> None:
    def rows() -> Iterator[list[object]]:
        yield list(SCHEMA.names)
        for line in lines:
            at = line["withdrawn_at"]
            yield [*(line | {"withdrawn_at": at.isoformat() if at else None}).values()]

    for text in csv_lines(rows()):
        stream.write(text.encode())


def _write_parquet(lines: Iterable[Line], stream: BinaryIO) -> None:
    with pq.ParquetWriter(stream, SCHEMA, compression="zstd") as writer:
        for some in batched(lines, ROWS_AT_ONCE):
            writer.write_table(pa.Table.from_pylist(list(some), schema=SCHEMA))


KINDS: dict[str, tuple[str, Callable[[Iterable[Line], BinaryIO], None]]] = {
    "csv": ("text/csv; charset=utf-8", _write_csv),
    "parquet": ("application/vnd.apache.parquet", _write_parquet),
}


def answer(kind: str, lines: Iterable[Line], name: str) -> HttpResponseBase:
    """The table as a file to save. It is made at once: the lines come from the caller's transaction."""
    content_type, write = KINDS[kind]
    stream = spool()
    write(lines, stream)
    size = stream.tell()
    stream.seek(0, os.SEEK_SET)
    response = StreamingHttpResponse(off_the_loop(_pieces(stream)), content_type=content_type)
    response["Content-Length"] = str(size)
    response["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    response["Cache-Control"] = "private, no-cache"
    response["Content-Encoding"] = "identity"  # or the gzip middleware would take the length away
    return response


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    with stream:
        while piece := stream.read(COPY_BYTES):
            yield piece
