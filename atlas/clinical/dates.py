"""Days as tables and FHIR write them, whole or in part, and how they move. No Django here."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from atlas.clinical.errors import Wrong

ORDERS = ("", "dmy", "mdy")
"""Which number of 03/04/2021 is the day. "": nobody has said."""

DAY, MONTH, YEAR = "day", "month", "year"
EARLIEST, LATEST = date(1850, 1, 1), date(2250, 12, 31)
_EXCEL_DAY_0 = date(1899, 12, 30)
_EXCEL_DAYS = (15_000, 80_000)  # 1941 to 2119

_TIME = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s*[AaPp][Mm])?(?:Z|[+-]\d{2}:?\d{2})?)?"
_ISO = re.compile(rf"(\d{{4}})-(\d{{1,2}})-(\d{{1,2}}){_TIME}")
_YEAR_FIRST = re.compile(rf"(\d{{4}})[/.](\d{{1,2}})[/.](\d{{1,2}}){_TIME}")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_DOTS = re.compile(rf"(\d{{1,2}})\.\s?(\d{{1,2}})\.\s?(\d{{4}}){_TIME}")
_SLASHES = re.compile(rf"(\d{{1,2}})[/-](\d{{1,2}})[/-](\d{{4}}){_TIME}")
_NAMED = re.compile(r"(\d{1,2})[ .-]+([A-Za-z]{3})[A-Za-z]*\.?[ .,-]+(\d{4})")
_YEAR_MONTH = re.compile(r"(\d{4})-(\d{2})")
_MONTH_YEAR = re.compile(r"(\d{1,2})[./](\d{4})")
_YEAR = re.compile(r"\d{4}")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, slots=True)
class Day:
    """A day, or (precision "month", "year") the middle of the month or year that was told."""

    day: date
    precision: str = DAY

    def moved(self, days: int) -> "Day":
        """Raises Wrong where that leaves the calendar.

        What is known to the month or year lands in the middle of one again: a middle that was moved like a
        day would say by how many days.
        """
        try:
            return Day(middle(self.day + timedelta(days=days), self.precision), self.precision)
        except OverflowError:
            raise Wrong("This date can't be moved: it is too early.") from None

    @property
    def span(self) -> tuple[date, date]:
        """The first and the last day that it may be."""
        year, month = self.day.year, self.day.month
        if self.precision == YEAR:
            return date(year, 1, 1), date(year, 12, 31)
        if self.precision == MONTH:
            return date(year, month, 1), date(year, month, monthrange(year, month)[1])
        return self.day, self.day


def middle(day: date, precision: str) -> date:
    """What stands for all days of that month or year; a day stands for itself."""
    if precision == YEAR:
        return date(day.year, 7, 1)
    return day.replace(day=15) if precision == MONTH else day


def cut(day: date, precision: str) -> str:
    """As ISO 8601 writes what is known of it: "2021-05-03", "2021-05", "2021"."""
    return day.isoformat()[: {YEAR: 4, MONTH: 7}.get(precision, 10)]


def parse(written: str, order: str = "") -> Day | None:
    """None for an empty cell. `order` is of ORDERS. Raises Wrong, without the value."""
    text = written.strip()
    if not text or text.casefold() in ("na", "n/a", "nan", "null", "none", "-", "unknown", "."):
        return None
    found = _parsed(text, order)
    if not EARLIEST <= found.day <= LATEST:
        raise Wrong("This date is out of range: years from 1850 to 2250 are understood.")
    return found


def _parsed(text: str, order: str) -> Day:
    for pattern in (_ISO, _YEAR_FIRST, _COMPACT):
        if match := pattern.fullmatch(text):
            return _day(*match.groups())
    if match := _DOTS.fullmatch(text):
        day, month, year = match.groups()
        if int(day) == 0:  # registries write 00 for what isn't known
            return _part(year, month) if int(month) else _part(year)
        return _day(year, month, day)
    if match := _SLASHES.fullmatch(text):
        return _of_slashes(*match.groups(), order=order)
    if match := _NAMED.fullmatch(text):
        day, name, year = match.groups()
        if name.casefold() in _MONTHS:
            return _day(year, str(_MONTHS.index(name.casefold()) + 1), day)
    if match := _YEAR_MONTH.fullmatch(text):
        return _part(*match.groups())
    if match := _MONTH_YEAR.fullmatch(text):
        return _part(match[2], match[1])
    if _YEAR.fullmatch(text):
        return _part(text)
    if text.isascii() and text.isdecimal() and _EXCEL_DAYS[0] <= int(text) <= _EXCEL_DAYS[1]:
        return Day(_EXCEL_DAY_0 + timedelta(days=int(text)))  # a date that lost its format in a spreadsheet
    raise Wrong("This is no date. Write 2021-03-17, or 2021-03 or 2021 where no more is known.")


def _of_slashes(first: str, second: str, year: str, *, order: str) -> Day:
    if int(first) > 12:
        order = "dmy"
    elif int(second) > 12:
        order = "mdy"
    elif first == second:
        order = "dmy"
    if not order:
        raise Wrong("Day or month first? This date may be two. Say which on the mapping page.")
    day, month = (first, second) if order == "dmy" else (second, first)
    return _day(year, month, day)


def order_of(written: list[str]) -> str:
    """Which order these cells are written in, as far as they tell: "dmy", "mdy" or ""."""
    orders = set()
    for cell in written:
        if match := _SLASHES.fullmatch(cell.strip()):
            first, second = int(match[1]), int(match[2])
            if first > 12 >= second:
                orders.add("dmy")
            elif second > 12 >= first:
                orders.add("mdy")
    return orders.pop() if len(orders) == 1 else ""


def looks_like_one(cell: str) -> bool:
    """Whether it is a whole date; a number alone is none."""
    if cell.strip().isdecimal():
        return False
    try:
        found = parse(cell, "dmy")
    except Wrong:
        return False
    return found is not None


def _day(year: str, month: str, day: str) -> Day:
    try:
        return Day(date(int(year), int(month), int(day)))
    except ValueError:
        raise Wrong("There is no such day in the calendar.") from None


def _part(year: str, month: str | None = None) -> Day:
    try:
        if month is None:
            return Day(middle(date(int(year), 1, 1), YEAR), YEAR)
        return Day(middle(date(int(year), int(month), 1), MONTH), MONTH)
    except ValueError:
        raise Wrong("There is no such month in the calendar.") from None
