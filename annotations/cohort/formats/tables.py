"""Tables of all cases, one row a mark or an answer.

measurements.csv
answers.csv
"""

import csv
from collections.abc import Iterator
from functools import partial
from io import StringIO
from typing import Any, BinaryIO

from annotations.cohort.formats.plan import Format, PlannedFile
from annotations.cohort.material import CaseMaterial, ReleaseMaterial
from annotations.exchange import answers, tables


class Tables(Format):
    key, title, holds = "tables", "Tables", "CSV, one row a mark and one row an answer"

    def record(self, case: CaseMaterial) -> Any:
        return {
            "measurements": [
                tables.measurement_row(mark, read.facts) for read in case.reads for mark in read.marks
            ],
            "answers": [row for read in case.reads for row in answers.answer_rows(read.answers, read.facts)],
        }

    def of_release(self, release: ReleaseMaterial) -> Iterator[PlannedFile]:
        yield PlannedFile("measurements.csv", partial(_join, release, "measurements", tables.COLUMNS))
        if any(record["answers"] for _, record in release.records(self.key)):
            yield PlannedFile("answers.csv", partial(_join, release, "answers", answers.COLUMNS))


def _join(release: ReleaseMaterial, name: str, columns: tuple[str, ...], stream: BinaryIO) -> None:
    """The cases' rows below one header, in order; one case in memory at a time."""
    stream.write(_lines(columns, [dict(zip(columns, columns, strict=True))]))
    for _, record in release.records(Tables.key):
        stream.write(_lines(columns, record[name]))


def _lines(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> bytes:
    text = StringIO(newline="")
    csv.DictWriter(text, columns, lineterminator="\n", restval="", extrasaction="ignore").writerows(rows)
    return text.getvalue().encode()
