"""Tables as CSV for people, who open them in a spreadsheet: line by line, and no text that it would run."""

import csv
from collections.abc import Iterable, Iterator, Sequence

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def harmless[Cell](cell: Cell) -> Cell | str:
    """The cell; text that a spreadsheet would take for a formula is marked as text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell


def csv_lines(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Each row as one line, for answers that stream. None is an empty cell."""
    writer = csv.writer(_Line())
    for row in rows:
        yield writer.writerow(["" if cell is None else harmless(cell) for cell in row])  # type: ignore[misc]


class _Line:
    """What a csv.writer writes to, when each line is wanted by itself."""

    def write(self, text: str) -> str:
        return text
