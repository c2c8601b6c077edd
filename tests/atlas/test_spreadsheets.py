"""What people open in a spreadsheet runs nothing there."""

import csv

import pytest

from atlas.spreadsheets import csv_lines, harmless


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_text_that_looks_like_a_formula_becomes_text(start: str) -> None:
    assert harmless(f"{start}HYPERLINK(1)") == f"'{start}HYPERLINK(1)"


@pytest.mark.parametrize("cell", ["", "N-0001", "a=b", "'", -3, -0.5, None])
def test_anything_else_stays_what_it_is(cell: object) -> None:
    assert harmless(cell) is cell


def test_rows_come_line_by_line_with_empty_cells_where_nothing_is_known() -> None:
    lines = list(csv_lines([("case", "note"), (-1, None), (2, '=1+1,"x"')]))
    assert len(lines) == 3
    assert list(csv.reader(lines)) == [["case", "note"], ["-1", ""], ["2", '\'=1+1,"x"']]
