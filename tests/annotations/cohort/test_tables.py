"""The tables of a release: the same rows in each format, complete, and nothing of what is withheld."""

import io
import json
from datetime import date
from uuid import uuid4

import pyarrow.parquet as pq
import pytest

from annotations.cohort import releases
from annotations.exchange.columns import TABLES
from annotations.models import Read, Release, ReleaseCase
from tests.annotations.cohort.conftest import LENGTH, NODE, OUTLINE, SECOND, Cohort
from tests.annotations.cohort.test_answers import put, said
from tests.annotations.cohort.test_release import annotations, content, run_jobs, table, written


def parquet(release: Release, name: str) -> list[dict]:
    return pq.read_table(io.BytesIO(content(release, f"tables/{name}.parquet"))).to_pylist()


def as_csv_has_it(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)


def test_csv_and_parquet_hold_the_same_rows_by_the_columns_that_are_documented(cohort: Cohort) -> None:
    release, _ = written(cohort)
    told = json.loads(content(release, "tables/columns.json"))["tables"]
    assert set(told) == set(TABLES)
    for name, defined in TABLES.items():
        rows, typed = table(release, name), parquet(release, name)
        assert [list(row) for row in rows] == [defined.names] * len(rows)
        assert [column["name"] for column in told[name]["columns"]] == defined.names
        assert rows == [{key: as_csv_has_it(value) for key, value in row.items()} for row in typed]
        keys = [tuple(row[column] for column in defined.key) for row in rows]
        assert len(set(keys)) == len(keys)
    assert [len(table(release, name)) for name in TABLES] == [1, 1, 4, 4, 2, 0]


def test_a_case_and_its_series_are_told_with_place_time_and_scanner(cohort: Cohort) -> None:
    study = cohort.series.study
    study.date, study.age_years = date(2020, 10, 11), 44
    study.save()
    release, _ = written(cohort)
    [case] = parquet(release, "cases")
    assert (case["case_number"], case["subject"], case["site"], case["country"]) == (
        1,
        "N-0001",
        "nordhain",
        "DE",
    )
    assert (case["dataset"], case["age_years"], case["time_points"], case["days_spanned"]) == (
        "breast-mr",
        44,
        1,
        0,
    )
    assert (case["first_study_date"], case["reference"], case["part"]) == (
        date(2020, 10, 11),
        "accepted",
        None,
    )
    [series] = parquet(release, "series")
    assert series["series_instance_uid"] == cohort.series.series_instance_uid
    assert (series["time_point"], series["days_since_first"], series["modality"]) == (1, 0, "MR")
    depth, rows, columns = cohort.volume.values.shape
    assert (series["frames"], series["rows"], series["columns"]) == (depth, rows, columns)
    assert series["row_spacing_mm"] == pytest.approx(0.664062)
    assert series["slice_distance_mm"] == pytest.approx(2.1)
    assert release.files.filter(path=series["image"]).exists()
    assert series["no_nifti_because"] is None


def test_a_mark_is_told_with_its_label_and_the_files_that_hold_it(cohort: Cohort) -> None:
    release, drawn = written(cohort)
    marks = {row["annotation"]: row for row in parquet(release, "annotations")}
    assert set(marks) == {str(identity) for identity in (OUTLINE, SECOND, NODE, LENGTH)}
    second = marks[str(SECOND)]
    assert (second["code_value"], second["code_scheme"], second["is_reference"]) == ("108369006", "SCT", True)
    assert (second["origin"], second["changed"], second["unaided"]) == ("reader", None, None)
    assert second["seg_segment_number"] == 2
    assert release.files.filter(path__in=[second["mask"], second["seg"]]).count() == 2
    assert (marks[str(LENGTH)]["mask"], marks[str(LENGTH)]["seg"]) == (None, None)
    _, document = annotations(release)
    assert {"mask", "seg", "labelmap", "sr", "rtstruct"} <= set().union(
        *(mark.get("files", {}) for mark in document["annotations"])
    )
    for mark in document["annotations"]:
        row = marks[mark["id"]]
        assert mark.get("files", {}) == {name: row[name] for name in mark.get("files", {})}
    measured = {row["annotation"]: row for row in parquet(release, "measurements")}
    assert measured[str(OUTLINE)]["voxels"] == int(drawn[OUTLINE].sum())
    assert measured[str(LENGTH)]["length_mm"] == pytest.approx(5.0)


def test_labels_tell_what_was_found_what_was_not_and_what_nobody_said(cohort: Cohort) -> None:
    cohort.schema.labels = [
        *cohort.schema.labels,
        cohort.schema.labels[1] | {"key": "cyst", "name": "Cyst"},
        cohort.schema.labels[1] | {"key": "scar", "name": "Scar"},
    ]
    cohort.schema.save()
    read = cohort.read()
    put(
        read,
        (uuid4(), cohort.segment("node", state="absent")),
        (uuid4(), cohort.segment("tumour", state="indeterminate")),
        said("absent", answer="state", of="label", about="cyst"),
    )
    cohort.accept(read)
    release = releases.freeze(by=cohort.people["lead"], project=cohort.project)
    run_jobs()
    rows = {row["label"]: row for row in parquet(release, "labels")}
    assert {key: (row["state"], row["is_stated"], row["marks"]) for key, row in rows.items()} == {
        "tumour": ("indeterminate", False, 1),
        "node": ("absent", False, 1),
        "cyst": ("absent", True, 0),
        "scar": (None, False, 0),
    }


def test_a_note_that_is_a_formula_runs_in_no_spreadsheet_and_is_exact_in_parquet(cohort: Cohort) -> None:
    read = cohort.read()
    put(read, (uuid4(), cohort.segment("tumour") | {"note": '=HYPERLINK("http://example.org")'}))
    cohort.accept(read)
    release = releases.freeze(by=cohort.people["lead"], project=cohort.project)
    run_jobs()
    assert table(release, "annotations")[0]["note"] == '\'=HYPERLINK("http://example.org")'
    assert parquet(release, "annotations")[0]["note"] == '=HYPERLINK("http://example.org")'


def test_a_mark_says_whether_it_was_there_before_proposals_were_shown(cohort: Cohort) -> None:
    read = cohort.read()
    kept, changed, later = uuid4(), uuid4(), uuid4()
    put(read, (kept, cohort.segment("tumour")), (changed, cohort.segment("tumour")))
    read.refresh_from_db()
    Read.objects.filter(pk=read.pk).update(unaided_edit_number=read.last_edit_number)
    put(
        read,
        (kept, cohort.segment("tumour") | {"note": "Seen."}),
        (changed, cohort.segment("node")),
        (later, cohort.segment("tumour")),
    )
    read.refresh_from_db()
    cohort.accept(read)
    release = releases.freeze(by=cohort.people["lead"], project=cohort.project)
    run_jobs()
    rows = {row["annotation"]: row["unaided"] for row in parquet(release, "annotations")}
    assert rows == {str(kept): "same", str(changed): "other", str(later): "none"}


@pytest.mark.parametrize(
    ("sequestered", "told"),
    [
        (Release.Sequestered.NOTHING, [1, 1, 4, 4, 2, 0]),
        (Release.Sequestered.MARKS, [1, 1, 0, 0, 0, 0]),
        (Release.Sequestered.ALL, [0, 0, 0, 0, 0, 0]),
    ],
)
def test_tables_hold_nothing_that_is_sequestered(cohort: Cohort, sequestered: str, told: list[int]) -> None:
    read = cohort.read()
    cohort.draw(read)
    cohort.accept(read)
    release = releases.freeze(by=cohort.people["lead"], project=cohort.project)
    Release.objects.filter(pk=release.pk).update(sequestered=sequestered)
    ReleaseCase.objects.filter(release=release).update(part="test", stratum="nordhain, tumour")
    run_jobs()
    release.refresh_from_db()
    assert release.state == Release.State.READY, release.problem
    assert [len(parquet(release, name)) for name in TABLES] == told
    strata = {row["stratum"] for row in parquet(release, "cases")}
    named = sequestered == Release.Sequestered.NOTHING
    assert strata <= ({"nordhain, tumour"} if named else {None})
