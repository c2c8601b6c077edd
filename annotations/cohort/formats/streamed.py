"""JSON documents with long lists, written row by row: as many cases as there are, memory stays flat."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO


def write_json(stream: BinaryIO, head: Mapping[str, Any], **lists: Iterable[Any]) -> None:
    """One object: what `head` says, then each list, one element a line. Same input, same bytes."""
    stream.write(b"{")
    between = b"\n "
    for name, value in head.items():
        stream.write(between + _compact(name) + b": " + _compact(value))
        between = b",\n "
    for name, rows in lists.items():
        stream.write(between + _compact(name) + b": [")
        before = b"\n  "
        for row in rows:
            stream.write(before + _compact(row))
            before = b",\n  "
        stream.write(b"\n ]" if before == b",\n  " else b"]")
        between = b",\n "
    stream.write(b"\n}\n")


def _compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
