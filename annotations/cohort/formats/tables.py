"""Tables of all cases, one shape of rows for all: what `annotations.exchange.columns` defines.

tables/{cases,series,annotations,measurements,labels,answers}.csv and .parquet
tables/columns.json
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from tempfile import TemporaryFile
from typing import IO, Any, BinaryIO

from annotations.cohort.formats import case_rows
from annotations.cohort.formats.places import places_of
from annotations.cohort.formats.plan import Format, PlannedFile
from annotations.cohort.material import CaseMaterial, ReadMaterial, ReleaseMaterial
from annotations.exchange import answers, columns, tables
from annotations.exchange.table_files import CsvFile, ParquetFile
from annotations.exchange.tables import MarkFacts, Row
from annotations.reading.journal import State, state_at
from annotations.reading.journal.answers import STATE
from annotations.reading.proposals import proposals
from atlas.archive.storage import COPY_BYTES

FOLDER = "tables"
WITHOUT_MARKS = (columns.CASES.name, columns.SERIES.name)
BESIDE = ("note", "color_index", "locked", "hidden")
"""What of a mark's value doesn't make it another mark."""
ENDINGS: dict[str, type[CsvFile] | type[ParquetFile]] = {"csv": CsvFile, "parquet": ParquetFile}


def table_path(name: str, ending: str) -> str:
    return f"{FOLDER}/{name}.{ending}"


class Tables(Format):
    key, title = "tables", "Tables"
    holds = "CSV and Parquet: cases, series, annotations, measurements, labels, answers"

    def record(self, case: CaseMaterial) -> Any:
        return case.once(rows_of_case)

    def of_release(self, release: ReleaseMaterial) -> Iterator[PlannedFile]:
        """All tables are filled in one pass over the cases, and wait in files for their turn."""
        with ExitStack() as kept:
            streams = {
                table_path(table.name, ending): kept.enter_context(TemporaryFile())
                for table in columns.TABLES.values()
                for ending in ENDINGS
            }
            _fill(release, streams)
            for path, stream in streams.items():
                yield PlannedFile(path, partial(_copy, stream))
        content = tables.as_json(columns.as_json())
        yield PlannedFile(f"{FOLDER}/columns.json", lambda stream: stream.write(content), holds_marks=False)


def _fill(release: ReleaseMaterial, streams: Mapping[str, IO[bytes]]) -> None:
    """One case in memory at a time."""
    files = {
        name: [kind(streams[table_path(name, ending)], table) for ending, kind in ENDINGS.items()]
        for name, table in columns.TABLES.items()
    }
    for _, record in release.records(Tables.key, without_marks=_without_marks):
        for name, own in files.items():
            for file in own:
                file.add(record[name])
    for own in files.values():
        for file in own:
            file.close()


def _copy(source: IO[bytes], stream: BinaryIO) -> None:
    source.seek(0)
    while piece := source.read(COPY_BYTES):
        stream.write(piece)


def rows_of_case(case: CaseMaterial) -> dict[str, list[Row]]:
    """By table; without what is empty, which a row needs not say."""
    places = case.once(places_of)
    rows: dict[str, list[Row]] = {name: [] for name in columns.TABLES}
    rows["cases"].append(case_rows.case_row(case))
    rows["series"] += case_rows.series_rows(case)
    time_points = case_rows.time_points(case)
    for read in case.reads:
        unaided = _unaided(read)
        proposed = _proposed_by(read)
        for mark in read.marks:
            identity = str(mark.identity)
            facts = MarkFacts(
                time_point=time_points.get(mark.source.study_instance_uid),
                proposed_by=proposed.get((mark.value.get("origin") or {}).get("imported", ""), ""),
                unaided=unaided.get(identity, "none") if unaided is not None else None,
                files=places.get((read.pinned.pk, identity)),
            )
            rows["annotations"].append(tables.annotation_row(mark, read.facts, facts))
            rows["measurements"].append(tables.measurement_row(mark, read.facts, facts))
        schema = read.submission.read.schema
        rows["labels"] += tables.label_rows(schema.labels, read.marks, _stated(read), read.facts)
        rows["answers"] += answers.answer_rows(read.answers, read.facts)
    return {name: [_told(row) for row in own] for name, own in rows.items()}


def _without_marks(record: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """Of a case whose marks are for scoring only. Its stratum names the labels that it shows."""
    left = {name: rows if name in WITHOUT_MARKS else [] for name, rows in record.items()}
    return left | {"cases": [row | {"stratum": ""} for row in record["cases"]]}


def _told(row: Row) -> Row:
    return {name: value for name, value in row.items() if value is not None and value != ""}


# What is known of a read's marks beside themselves ----------------------------------------------------


def _stated(read: ReadMaterial) -> dict[str, str]:
    """What the reader answered about each label of the schema."""
    return {
        one["about_id"]: one["answer"]
        for one in read.answers
        if one["about"] == "label" and one["question"] == STATE
    }


def _proposed_by(read: ReadMaterial) -> dict[str, str]:
    """By imported mark of which one was made: where that is from."""
    if not any((mark.value.get("origin") or {}).get("imported") for mark in read.marks):
        return {}
    return {one.imported: one.origin for one in proposals(read.submission.read, read.state)}


def _unaided(read: ReadMaterial) -> dict[str, str] | None:
    """Each mark that was there before proposals were shown, and whether it is the same now. None for a read
    that saw them from the start, or never."""
    number = read.submission.read.unaided_edit_number
    if number is None:
        return None
    before, now = (_contents(state) for state in (state_at(read.submission.read, number), read.state))
    return {identity: "same" if now.get(identity) == was else "other" for identity, was in before.items()}


def _contents(state: State) -> dict[str, tuple[Any, dict[tuple[str, int], bytes]]]:
    """What each mark is, by identity: its value and its voxels."""
    found: dict[str, tuple[Any, dict[tuple[str, int], bytes]]] = {
        str(mark.annotation_id): ({key: one for key, one in mark.value.items() if key not in BESIDE}, {})
        for mark in state.annotations
    }
    for plane in state.planes:
        own = found.get(str(plane.annotation_id))
        if own is not None:
            own[1][plane.sop_instance_uid, plane.frame_number] = plane.runs
    return found
