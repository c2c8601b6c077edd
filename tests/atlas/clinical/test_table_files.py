"""CSV as it comes: any separator and encoding, spreadsheets' habits, and files that are none."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.clinical import facts, headings, mapping, terminology
from atlas.clinical.codes import DEATH_CODE, STAGES, STATUS_CODES
from atlas.clinical.errors import NotTaken, Wrong
from atlas.clinical.medicines import CODES
from atlas.clinical.tables import Row, Table

CELLS = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=12).filter(
    lambda cell: not cell.startswith(("'", "="))
)


@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3).filter(any), min_size=1, max_size=6),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(["\n", "\r\n"]),
)
@settings(max_examples=150)
def test_a_table_is_the_same_in_every_writing(rows: Any, separator: str, encoding: str, end: str) -> None:
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([["Patient", "Größe", "c"], *rows])
    table = Table(written.getvalue().encode(encoding))
    assert table.columns == ("Patient", "Größe", "c")
    assert [row.cells for row in table.rows()] == [tuple(row) for row in rows]
    assert [row.line for row in table.rows()] == list(range(2, len(rows) + 2))


def test_windows_letters_are_read() -> None:
    assert Table("Größe;b\n1;é\n".encode("cp1252")).columns == ("Größe", "b")


@pytest.mark.parametrize(
    ("content", "cells"),
    [
        ("sep=;\na;b\n1;2\n", [("1", "2")]),
        ('a,b\n="0012",\'0034\n', [("0012", "0034")]),
        ("a,b,,\n1,2,,\n,,,\n3\n", [("1", "2"), ("3", "")]),
        ('a,b\n"1,5",2\n', [("1,5", "2")]),
        ("a;b\n1,5;2,5\n3,1;4,2\n", [("1,5", "2,5"), ("3,1", "4,2")]),
        ('a,b\n"x\ny",2\n', [("x y", "2")]),
    ],
)
def test_habits_of_spreadsheets(content: str, cells: list[tuple[str, ...]]) -> None:
    assert [row.cells for row in Table(content.encode()).rows()] == cells


def test_columns_have_a_name_each() -> None:
    assert Table(b"a,a,,b\n1,2,3,4\n").columns == ("a", "a (2)", "Column 3", "b")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\n\n", "1 to 500 columns"),
        (b"a,b\0\n", "bytes that no text has"),
        (b"PK\x03\x04", "Excel workbook"),
        (b"\xd0\xcf\x11\xe0", "Excel workbook"),
        (b"\xff\xfea", "UTF-16"),
        (b'[{"a": 1}]', "JSON"),
        (b"SUBJ-1,2021-02-03\n", "first line holds values"),
        (b"471122,x\n", "first line holds values"),
        (b"a," * 600, "1 to 500 columns"),
    ],
)
def test_what_is_no_table_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(NotTaken, match=said):
        Table(content)


def test_a_quotation_without_an_end_is_told_of() -> None:
    table = Table(b'a,b\n1,2\n"' + b"x," * 100_000)
    with pytest.raises(NotTaken, match="row 3"):
        list(table.rows())


def test_more_rows_than_a_file_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atlas.clinical.tables.ROWS_MAX", 2)
    with pytest.raises(NotTaken, match="more than 2 rows"):
        Table(b"a\n1\n2\n3\n").count()


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reading(content: bytes) -> None:
    try:
        for row in Table(content).rows():
            assert row.problem or len(row.cells) == len(Table(content).columns)
    except NotTaken:
        pass


# Cells ---------------------------------------------------------------------------------------------

MAKERS: dict[str, Any] = {
    "condition": facts.condition,
    "T": lambda text: facts.stage("T", text),
    "N": lambda text: facts.stage("N", text),
    "M": lambda text: facts.stage("M", text),
    "group": lambda text: facts.stage("group", text),
    "sort": facts.treatment,
    "code": lambda text: facts.treatment("", text or "x"),
    "status": facts.status,
    "died": facts.death,
}


@given(st.sampled_from(sorted(MAKERS)), st.text(max_size=40))
@settings(max_examples=300)
def test_no_cell_breaks_it_and_none_stands_in_its_sentences(maker: str, text: str) -> None:
    made, said = None, ""
    try:
        made = MAKERS[maker](text)
    except Wrong as error:
        said = error.sentence
    assert len(text.strip()) < 5 or text not in said
    assert made is None or len(made.code) <= 80


@pytest.mark.parametrize("name", STAGES)
def test_every_category_is_understood_as_it_stands_and_with_its_letter(name: str) -> None:
    for category in STAGES[name]:
        for written in (
            category,
            category.upper(),
            f"p{category}" if name != "group" else f"Stage {category}",
        ):
            assert facts.stage(name, written).code == f"UICC:{category}", written


@pytest.mark.parametrize("code", [*STATUS_CODES.values(), *CODES.values(), DEATH_CODE])
def test_codes_of_snomed_ct_have_their_check_digit(code: str) -> None:
    assert terminology.coded(code) == code
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
    with pytest.raises(Wrong):
        terminology.coded(wrong)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("C34.1", "ICD10:C34.1"), ("c341", "ICD10:C34.1"), ("C34", "ICD10:C34"), ("C50.9G", "ICD10:C50.9"),
        ("ICD-10-CM: C50.912", "ICD10:C50.912"), ("8140/3", "ICDO3:8140/3"), ("ICD-O-3:C34.1", "ICDO3:C34.1"),
        ("254637007", "SCT:254637007"), ("SNOMED:254637007", "SCT:254637007"), ("L01XA01", "ATC:L01XA01"),
        ("5-324.70", "OPS:5-324.70"), ("NCIT:C2926", "NCIT:C2926"),
    ],
)  # fmt: skip
def test_codes_are_told_by_their_looks(written: str, code: str) -> None:
    assert terminology.coded(written) == code


@pytest.mark.parametrize(
    "written", ["Meier", "C34.1 Meier", "ICD10:Meier", "OWN:1", "C3", "12345", "254637008", ""]
)
def test_what_is_no_code_is_refused(written: str) -> None:
    with pytest.raises(Wrong) as raised:
        terminology.coded(written)
    assert "Meier" not in raised.value.sentence


@pytest.mark.parametrize(
    ("code", "words", "sort", "meaning"),
    [
        ("ATC:L01XA01", "", "chemotherapy", ""),
        ("ATC:L01FF02", "Pembrolizumab 25 mg/ml", "immunotherapy", "Pembrolizumab"),
        ("ATC:L02BA01", "", "hormone", ""),
        ("", "Carboplatin + Paclitaxel, Dr. Meier", "chemotherapy", "Carboplatin, paclitaxel"),
        ("OPS:8-522.30", "", "radiotherapy", ""),
        ("SCT:387713003", "", "surgery", ""),
        ("SCT:173171007", "Lobectomy of lung (procedure)", "other", "Lobectomy of lung"),
    ],
)
def test_the_sort_of_a_treatment_follows_from_code_or_medicine(
    code: str, words: str, sort: str, meaning: str
) -> None:
    made = facts.treatment("", code, words)
    assert (made.name, made.meaning) == (sort, meaning)


# Mappings ------------------------------------------------------------------------------------------


def test_one_fact_a_row() -> None:
    columns = ("id", "kind", "name", "value", "from", "to")
    reader = mapping.Reader(headings.guessed(columns), columns)
    rows = [
        ("1", "condition", "", "C34.1", "2021-02-10", ""),
        ("1", "stage", "t", "2a", "2021-03-01", ""),
        ("1", "treatment", "Chemo", "", "2021-03-01", "2021-05-01"),
        ("1", "status", "", "SD", "2021-06-01", ""),
        ("1", "death", "", "", "2022-01-01", ""),
    ]
    made = [reader.facts(Row(2, cells)) for cells in rows]
    assert [(one.kind, one.name) for (one,) in made] == [
        ("condition", ""), ("stage", "T"), ("treatment", "chemotherapy"), ("status", "stable"), ("death", "")
    ]  # fmt: skip
    with pytest.raises(Wrong, match="kind of fact"):
        reader.facts(Row(2, ("1", "weather", "", "", "", "")))


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        (("1", "", "2021-02-10", "", ""), "code"),
        (("1", "C34", "", "2021-05-02", "2021-05-01"), "chemo end"),
        (("1", "C34", "x", "", ""), "on"),
    ],
)
def test_what_does_not_fit_together_is_refused_with_its_column(cells: tuple[str, ...], column: str) -> None:
    columns = ("id", "code", "on", "chemo start", "chemo end")
    roles = ("subject", "condition.code", "condition.date", "chemotherapy.start", "chemotherapy.end")
    reader = mapping.Reader(
        mapping.read({"columns": dict(zip(columns, roles, strict=True))}, columns), columns
    )
    with pytest.raises(Wrong) as raised:
        reader.facts(Row(2, cells))
    assert raised.value.column == column


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "is an object"),
        ({"columns": []}, "role of each column"),
        ({"columns": {"a": "subject"}}, "which columns hold facts"),
        ({"columns": {"b": "stage.T"}}, "holds the Patient ID"),
        ({"columns": {"a": "subject", "b": "subject"}}, "Two columns say"),
        ({"columns": {"a": "subject", "b": "stage.date"}}, "says nothing without"),
        ({"columns": {"a": "subject", "z": "stage.T"}}, "no column “z”"),
        ({"columns": {"a": "subject", "b": ["stage.T"]}}, "no role"),
        ({"columns": {"a": "subject", "b": "stage.T"}, "dates": "ymd"}, "“dates” is one of"),
        ({"columns": {"a": "subject", "b": "stage.T"}, "issuer": "x" * 65}, "up to 64"),
        ({"columns": {"a": "subject", "b": "stage.T"}, "accept": None}, "“accept” is one of"),
        ({"column": {}}, "no “column”"),
    ],
)
def test_a_mapping_that_is_wrong_says_how(given: Any, said: str) -> None:
    with pytest.raises(NotTaken, match=said):
        mapping.read(given, ("a", "b"))


@pytest.mark.parametrize(
    "column",
    ["Surname", "Nachname", "First name", "Date of birth", "DOB", "Geburtsdatum", "PLZ", "E-Mail", "SSN"],
)
def test_columns_that_name_people_are_known(column: str) -> None:
    assert headings.names_somebody(column)


@pytest.mark.parametrize("column", ["Patient ID", "Tumour name", "Diagnosis", "Drug name", "Date", "Stage"])
def test_columns_that_name_nobody_are_left_in_peace(column: str) -> None:
    assert not headings.names_somebody(column)
