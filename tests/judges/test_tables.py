"""The tables of a release of real series, read by DuckDB; its Croissant, checked and loaded by mlcroissant.

Data: LIDC-IDRI-0314, Soft-tissue-Sarcoma STS_001, CMB-CRC-MSB-06489 (TCIA, CC BY 3.0 and 4.0).
"""

import hashlib
import json
from itertools import pairwise
from pathlib import Path

import duckdb
import mlcroissant
import pydicom
import pytest
from django.db import transaction
from django.test import override_settings

from annotations.exchange.columns import TABLES
from annotations.models import CaseStudy, ImportedSegment
from atlas.models import Series, Study
from tests.judges.real_project import RealProject, by_position, label

pytestmark = pytest.mark.judge

LABELS = (
    label("mass", "Mass", ("segment", "length"), "4147007"),
    label("node", "Lymph node"),
    label("cyst", "=Cyst"),
)
SQL_TYPES = {"text": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE"}
FORMATS = ("nifti", "seg", "json", "tables")


@pytest.fixture(scope="module")
def release(django_db_setup, django_db_blocker, test_data: Path, tmp_path_factory) -> Path:
    """A folder as a scientist has it after a download: three subjects, one of them seen twice."""
    folder = tmp_path_factory.mktemp("release")
    with (
        django_db_blocker.unblock(),
        override_settings(OBJECTS_DIR=tmp_path_factory.mktemp("objects")),
        transaction.atomic(),
    ):
        project = RealProject(*LABELS)
        _chest(project, test_data / "ct_chest_lidc_0314")
        _sarcoma(project, test_data / "petct_mr_sts_001")
        _colon(project, test_data / "mr_longitudinal_crc_06489")
        project.release(folder, *FORMATS)
        transaction.set_rollback(True)
    return folder


def _taken_in(project: RealProject, *files: Path) -> list[Study]:
    known = set(Study.objects.values_list("pk", flat=True))
    project.take_in(*files)
    return list(Study.objects.exclude(pk__in=known).order_by("date"))


def _chest(project: RealProject, data: Path) -> None:
    [study] = _taken_in(project, *sorted((data / "image").glob("*.dcm")), data / "seg_readers.dcm")
    read = project.read_of(1, study)
    for segment in ImportedSegment.objects.order_by("segment_number")[:2]:
        read.take_over("mass", segment)
    series = Series.objects.get(study=study, modality="CT")
    read.segment("node", series, {}, state="absent")
    read.figure("mass", series, "length", 10, [[100.5, 100.5], [103.5, 104.5]])
    read.accept()


def _sarcoma(project: RealProject, data: Path) -> None:
    files = [file for folder in ("CT_cropped", "PET") for file in (data / folder).glob("*.dcm")]
    files += [
        file for folder in ("CT_cropped_rtstruct", "PET_rtstruct") for file in (data / folder).glob("*.dcm")
    ]
    [study] = _taken_in(project, *sorted(files))
    read = project.read_of(2, study)
    for segment in ImportedSegment.objects.filter(series__study=study).order_by("series", "segment_number"):
        read.take_over("mass", segment)
    read.accept()


def _colon(project: RealProject, data: Path) -> None:
    first, second = _taken_in(project, *sorted(data.glob("study_*/*.dcm")))
    read = project.read_of(3, first)
    CaseStudy.objects.create(case=read.read.case, study=second, position=2)
    read.accept()


def select(release: Path, name: str, ending: str) -> str:
    return f"SELECT * FROM '{release / 'tables' / f'{name}.{ending}'}'"


def as_csv_had_it(name: str) -> str:
    """DuckDB reads CSV by the documented types. Texts are marked there where a spreadsheet would run them."""
    types = {column.name: SQL_TYPES[column.kind] for column in TABLES[name].columns}
    listed = ", ".join(f"'{column}': '{kind}'" for column, kind in types.items())
    plain = ", ".join(
        f"regexp_replace({column}, '^''([=+@\\t\\r-])', '\\1') AS {column}" if kind == "VARCHAR" else column
        for column, kind in types.items()
    )
    return f"SELECT {plain} FROM read_csv(?, header = true, columns = {{{listed}}})"


@pytest.mark.parametrize("name", TABLES)
def test_duckdb_finds_the_same_in_parquet_and_csv_by_the_documented_types(release: Path, name: str) -> None:
    typed = duckdb.execute(select(release, name, "parquet"))
    assert [(column[0], str(column[1])) for column in typed.description] == [
        (column.name, SQL_TYPES[column.kind]) for column in TABLES[name].columns
    ]
    rows = typed.fetchall()
    path = str(release / "tables" / f"{name}.csv")
    assert duckdb.execute(as_csv_had_it(name), [path]).fetchall() == rows
    assert (
        len(rows)
        == {"cases": 3, "series": 5, "annotations": 7, "measurements": 7, "labels": 9, "answers": 0}[name]
    )


def test_duckdb_joins_cases_series_and_marks_and_finds_their_files(release: Path) -> None:
    tables = {name: f"'{release / 'tables' / f'{name}.parquet'}'" for name in TABLES}
    found = duckdb.execute(
        f"""SELECT marks.case_number, site, series.modality, marks.label, volume_ml, mask, seg, image
        FROM {tables["annotations"]} AS marks
        JOIN {tables["measurements"]} AS sizes USING (reader, annotation)
        JOIN {tables["cases"]} AS cases ON cases.case_number = marks.case_number
        JOIN {tables["series"]} AS series ON series.series_instance_uid = marks.series_instance_uid
        WHERE marks.kind = 'segment' AND marks.state = 'present' ORDER BY volume_ml"""
    ).fetchall()
    assert len(found) == 5
    for case, site, _, marked, volume_ml, *paths in found:
        assert (case in (1, 2), site, marked, volume_ml > 0) == (True, "nordhain", "mass", True)
        assert all((release / path).is_file() for path in paths)


def test_series_are_told_as_pydicom_reads_their_images(release: Path, test_data: Path) -> None:
    rows = duckdb.execute(select(release, "series", "parquet")).fetchdf().to_dict("records")
    chest = by_position(test_data / "ct_chest_lidc_0314" / "image")
    [told] = [row for row in rows if row["series_instance_uid"] == chest[0].SeriesInstanceUID]
    first = chest[0]
    assert (told["manufacturer"], told["model"]) == (first.Manufacturer, first.ManufacturerModelName)
    assert told["slice_thickness_mm"] == float(first.SliceThickness)
    assert (told["row_spacing_mm"], told["column_spacing_mm"]) == tuple(map(float, first.PixelSpacing))
    assert (told["frames"], told["rows"], told["columns"]) == (len(chest), first.Rows, first.Columns)
    apart = [float(b.ImagePositionPatient[2]) - float(a.ImagePositionPatient[2]) for a, b in pairwise(chest)]
    assert told["slice_distance_mm"] == pytest.approx(sorted(apart)[len(apart) // 2], abs=1e-3)
    dates = [
        pydicom.dcmread(next((test_data / "mr_longitudinal_crc_06489" / name).glob("*.dcm"))).StudyDate
        for name in ("study_1959-12-09", "study_1960-04-13")
    ]
    twice = sorted((row for row in rows if row["case_number"] == 3), key=lambda row: row["time_point"])
    assert [f"{row['study_date']:%Y%m%d}" for row in twice] == dates == ["19591209", "19600413"]
    assert [row["days_since_first"] for row in twice] == [0, 126]


# Croissant ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def croissant(release: Path) -> mlcroissant.Dataset:
    return mlcroissant.Dataset(jsonld=release / "croissant.json")


def test_mlcroissant_finds_nothing_wrong(croissant: mlcroissant.Dataset) -> None:
    """Making the data set validates it, and raises for an error."""
    assert croissant.metadata.issues.errors == set()
    assert croissant.metadata.issues.warnings == set()
    assert croissant.metadata.ctx.is_v1_1()
    assert croissant.metadata.name == "real-images-1"
    assert croissant.metadata.license == ["https://creativecommons.org/licenses/by/3.0/"]
    assert croissant.metadata.data_annotation_protocol
    assert croissant.metadata.personal_sensitive_information


@pytest.mark.parametrize("name", TABLES)
def test_mlcroissant_loads_each_table_as_duckdb_does(
    release: Path, croissant: mlcroissant.Dataset, name: str
) -> None:
    """It checks the SHA-256 of what it loads."""
    loaded = [
        {key.partition("/")[2]: _plain(value) for key, value in record.items()}
        for record in croissant.records(name)
    ]
    asked = duckdb.execute(select(release, name, "parquet"))
    columns = [column[0] for column in asked.description]
    rows = [dict(zip(columns, row, strict=True)) for row in asked.fetchall()]
    assert loaded == rows


def _plain(value: object) -> object:
    """It gives texts as bytes, and dates as moments."""
    if isinstance(value, bytes):
        return value.decode()
    return value.date() if hasattr(value, "date") else value


def test_every_file_object_is_there_with_its_hash_and_every_set_has_its_files(release: Path) -> None:
    document = json.loads((release / "croissant.json").read_text())
    kinds = {"cr:FileObject": 0, "cr:FileSet": 0}
    for one in document["distribution"]:
        kinds[one["@type"]] += 1
        if one["@type"] == "cr:FileObject":
            content = (release / one["contentUrl"]).read_bytes()
            assert (one["sha256"], one["contentSize"]) == (
                hashlib.sha256(content).hexdigest(),
                f"{len(content)} B",
            )
        else:
            assert len(list(release.glob(one["includes"]))) == int(
                one["description"].split("Files: ")[1].split(".")[0]
            )
    assert kinds == {"cr:FileObject": 18, "cr:FileSet": 4}


def test_a_changed_table_is_noticed(release: Path, tmp_path: Path) -> None:
    document = json.loads((release / "croissant.json").read_text())
    (tmp_path / "tables").mkdir()
    for one in document["distribution"]:
        if one["@type"] == "cr:FileObject":
            target = tmp_path / one["contentUrl"]
            target.parent.mkdir(exist_ok=True)
            target.write_bytes((release / one["contentUrl"]).read_bytes())
    cases = tmp_path / "tables" / "cases.parquet"
    (tmp_path / "croissant.json").write_text(json.dumps(document))
    cases.write_bytes((release / "tables" / "series.parquet").read_bytes())
    with pytest.raises(mlcroissant.GenerationError) as found:
        list(mlcroissant.Dataset(jsonld=tmp_path / "croissant.json").records("cases"))
    assert "not identical with the reference" in str(found.value.__cause__)
