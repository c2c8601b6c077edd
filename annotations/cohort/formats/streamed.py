"""JSON documents with long lists, written row by row: as many cases as there are, memory stays flat."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, BinaryIO

from atlas.archive.storage import spool

type Rows = Iterable[tuple[str, Any]]
"""Elements, each with the name of the list that it belongs to, in any order of lists."""


def write_json(stream: BinaryIO, head: Mapping[str, Any], **lists: Iterable[Any]) -> None:
    """One object: what `head` says, then each list, one element a line. Same input, same bytes."""
    _write(stream, head, {name: map(_compact, rows) for name, rows in lists.items()})


def write_lists(stream: BinaryIO, head: Mapping[str, Any], lists: Sequence[str], rows: Rows) -> None:
    """The same where one run through the rows fills several lists, which wait in temporary files."""
    with ExitStack() as stack:
        waiting = {name: stack.enter_context(spool()) for name in lists}
        for name, row in rows:
            waiting[name].write(_compact(row) + b"\n")
        _write(stream, head, {name: _lines(kept) for name, kept in waiting.items()})


def _write(stream: BinaryIO, head: Mapping[str, Any], lists: Mapping[str, Iterable[bytes]]) -> None:
    stream.write(b"{")
    between = b"\n "
    for name, value in head.items():
        stream.write(between + _compact(name) + b": " + _compact(value))
        between = b",\n "
    for name, rows in lists.items():
        stream.write(between + _compact(name) + b": [")
        before = b"\n  "
        for row in rows:
            stream.write(before + row)
            before = b",\n  "
        stream.write(b"\n ]" if before == b",\n  " else b"]")
        between = b",\n "
    stream.write(b"\n}\n")


def _lines(kept: BinaryIO) -> Iterator[bytes]:
    kept.seek(0)
    for line in kept:
        yield line.rstrip(b"\n")


def _compact(value: Any) -> bytes:
    """In one line: line breaks in texts are escaped."""
    return json.dumps(value, ensure_ascii=False).encode()
