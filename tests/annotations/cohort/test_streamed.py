"""Long lists in JSON, row by row."""

import json
from io import BytesIO

import pytest

from annotations.cohort.formats.streamed import write_json, write_lists


def written(head: dict, lists: tuple[str, ...], rows: list) -> bytes:
    stream = BytesIO()
    write_lists(stream, head, lists, iter(rows))
    return stream.getvalue()


def test_rows_come_into_their_lists_in_order_whatever_the_order_of_lists() -> None:
    rows = [("images", {"id": 1}), ("outlines", [2]), ("images", {"id": 3}), ("outlines", ["ä"])]
    assert json.loads(written({"name": "größer"}, ("images", "outlines"), rows)) == {
        "name": "größer",
        "images": [{"id": 1}, {"id": 3}],
        "outlines": [[2], ["ä"]],
    }


@pytest.mark.parametrize("head", [{}, {"a": None}])
def test_lists_without_rows_are_empty(head: dict) -> None:
    assert json.loads(written(head, ("images", "outlines"), [])) == head | {"images": [], "outlines": []}


def test_more_rows_than_fit_into_memory_at_once_are_all_there() -> None:
    rows = [("rows", "x" * 1000 + str(number)) for number in range(30_000)]
    found = json.loads(written({}, ("rows",), rows))["rows"]
    assert (len(found), found[0][1000:], found[-1][1000:]) == (30_000, "0", "29999")


def test_one_list_after_another_gives_the_same_as_all_in_one_run() -> None:
    stream = BytesIO()
    write_json(stream, {"a": 1}, rows=iter([{"b": "one\ntwo"}, 3]), others=[])
    rows = [("rows", {"b": "one\ntwo"}), ("rows", 3)]
    assert stream.getvalue() == written({"a": 1}, ("rows", "others"), rows)
    assert json.loads(stream.getvalue()) == {"a": 1, "rows": [{"b": "one\ntwo"}, 3], "others": []}
