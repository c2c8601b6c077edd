"""docs/cohorts.md lists every fact with its operators and values; its examples are understood."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from annotations.cohort.language import CohortError, as_json, parse, parse_text, written
from annotations.cohort.language.documentation import tables
from annotations.cohort.language.expression import (
    CONDITIONS_MAX,
    DEPTH_MAX,
    OF,
    TEXT_LENGTH_MAX,
    VALUE_LENGTH_MAX,
    VALUES_MAX,
)

PAGE = Path(settings.BASE_DIR) / "docs" / "cohorts.md"
BEGIN, END = "<!-- facts -->\n", "<!-- end of facts -->"


def text() -> str:
    return PAGE.read_text()


def test_the_tables_are_those_of_the_language() -> None:
    _, _, rest = text().partition(BEGIN)
    written_there, _, _ = rest.partition(END)
    assert written_there.strip() == tables().strip(), (
        "put what `documentation.tables()` gives between the marks"
    )


def test_every_example_is_understood() -> None:
    examples = re.findall(r"^```cohort\n(.*?)^```", text(), re.M | re.S)
    lines = [line for block in examples for line in block.splitlines() if line.strip()]
    assert len(lines) > 8
    for line in lines:
        assert written(parse_text(line)) == line


def test_json_and_text_side_by_side_say_the_same() -> None:
    import json

    shown = re.search(r"^```json\n(.*?)^```", text(), re.M | re.S)
    assert shown
    expression = parse(json.loads(shown[1]))
    assert as_json(expression) == json.loads(shown[1])
    assert f"`{written(expression)}`" in text()


def test_limits_and_reads_are_told_as_they_are() -> None:
    for limit in (
        CONDITIONS_MAX,
        DEPTH_MAX,
        VALUES_MAX,
        VALUE_LENGTH_MAX,
        f"{TEXT_LENGTH_MAX:,}".replace(",", " "),
    ):
        assert str(limit) in text()
    for of in OF:
        assert f"`{of}`" in text()


@pytest.mark.parametrize("line", re.findall(r"^\| `([^`]+)` \| refused", PAGE.read_text(), re.M))
def test_what_is_said_to_be_refused_is_refused(line: str) -> None:
    with pytest.raises(CohortError):
        parse_text(line)
