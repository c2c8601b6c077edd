"""Tables as spreadsheets and registries save them: CSV of any separator and usual encoding."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from atlas.clinical import dates
from atlas.clinical.errors import NotTaken

BYTES_MAX = 32 * 1024 * 1024
ROWS_MAX = 100_000
COLUMNS_MAX = 500
CELL_LENGTH_MAX = 1000
NAME_LENGTH_MAX = 80
SEPARATORS = (",", ";", "\t", "|")
_LOOKED_AT = 20

_FORMULA = re.compile(r'="(.*)"')
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Row:
    """`line` counts as a spreadsheet does: the names of the columns stand in line 1."""

    line: int
    cells: tuple[str, ...]
    problem: str = ""


class Table:
    """Read once to be understood, then row by row as often as one likes."""

    def __init__(self, content: bytes) -> None:
        """Raises NotTaken."""
        self._text = _decoded(content)
        self.separator, self._skipped = _separator(self._text)
        try:
            first = next(self._records(), None)
        except csv.Error:
            raise NotTaken("This is no table: its first line can't be read.") from None
        if first is None:
            raise NotTaken("The table is empty.")
        self.columns = _names(first)

    def _records(self) -> Iterator[list[str]]:
        records = csv.reader(io.StringIO(self._text, newline=""), delimiter=self.separator)
        for at, record in enumerate(records):
            if at >= self._skipped:
                yield record

    def rows(self) -> Iterator[Row]:
        """Every row that holds anything. Raises NotTaken for more than ROWS_MAX, or where it breaks off."""
        count, width = 0, len(self.columns)
        records = self._records()
        next(records)
        line = self._skipped + 1
        while True:
            line += 1
            try:
                record = next(records)
            except StopIteration:
                return
            except csv.Error:
                raise NotTaken(f"The table breaks off at row {line}: a quotation isn't closed.") from None
            cells = [_cell(one) for one in record]
            if not any(cells):
                continue
            count += 1
            if count > ROWS_MAX:
                raise NotTaken(f"The table has more than {ROWS_MAX:,} rows. Split it.")
            yield Row(line, *_fitted(cells, width))

    def count(self) -> int:
        """How many rows. Raises as `rows` does."""
        return sum(1 for _ in self.rows())


def _decoded(content: bytes) -> str:
    if len(content) > BYTES_MAX:
        raise NotTaken(f"The file is larger than {BYTES_MAX // 1024**2} MB. Split it.")
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise NotTaken("This is an Excel workbook. Save it as “CSV UTF-8” and send that.")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            text = content.decode("utf-16")
        except UnicodeDecodeError:
            raise NotTaken("This is no table: its letters can't be read as UTF-16.") from None
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", "replace")  # Latin-1 as Windows writes it
    if "\0" in text:
        raise NotTaken("This is no table: it holds bytes that no text has.")
    if text.lstrip()[:1] in ("{", "["):
        raise NotTaken("This is JSON, not a table. FHIR bundles are taken as FHIR.")
    return text


def _separator(text: str) -> tuple[str, int]:
    """(separator, records before the names): the one by which the first lines have most columns alike."""
    told = re.match(r"sep=(.)\r?\n", text[:10])
    if told:
        return told[1], 1
    best = (0, 0, SEPARATORS[0])
    start = text[:100_000]
    for at, separator in enumerate(SEPARATORS):
        reader = csv.reader(io.StringIO(start, newline=""), delimiter=separator)
        try:
            widths = [len(record) for _, record in zip(range(_LOOKED_AT), reader, strict=False) if record]
        except csv.Error:
            continue
        if widths and widths[0] > 1:
            alike = sum(1 for width in widths if width == widths[0])
            best = max(best, (alike * widths[0], -at, separator))
    return best[2], 0


def _names(first: Sequence[str]) -> tuple[str, ...]:
    cells = [_cell(one) for one in first]
    while cells and not cells[-1]:
        cells.pop()
    if not cells or len(cells) > COLUMNS_MAX:
        raise NotTaken(f"A table has 1 to {COLUMNS_MAX} columns with a line of names above.")
    if any(dates.looks_like_one(cell) or re.fullmatch(r"[0-9]{4,}", cell) for cell in cells):
        raise NotTaken("The first line holds values. Put a line with the names of the columns above it.")
    found: list[str] = []
    for at, cell in enumerate(cells, start=1):
        name = base = cell[:NAME_LENGTH_MAX] or f"Column {at}"
        again = 1
        while name in found:
            again += 1
            name = f"{base} ({again})"
        found.append(name)
    return tuple(found)


def _cell(written: str) -> str:
    """Without what spreadsheets put around text to keep it as it is: ="0012", '0012."""
    text = " ".join(_CONTROL.sub(" ", written).replace("\N{NO-BREAK SPACE}", " ").split())
    if match := _FORMULA.fullmatch(text):
        text = match[1].strip()
    return text[1:] if text.startswith("'") and len(text) > 1 else text


def _fitted(cells: list[str], width: int) -> tuple[tuple[str, ...], str]:
    if any(cells[width:]):
        return tuple(cells[:width]), f"The row has {len(cells)} cells where {width} columns have a name."
    if any(len(cell) > CELL_LENGTH_MAX for cell in cells):
        return (), f"A cell is longer than {CELL_LENGTH_MAX} characters: is a quotation mark missing?"
    return tuple(cells[:width]) + ("",) * (width - len(cells)), ""
