"""Values of a header, read without trust: what can't be understood is None, never an exception."""

import math
import re
from datetime import date, time
from typing import Any

from pydicom.dataset import Dataset

UID = re.compile(r"^[0-9]+(\.[0-9]+)*$")
UID_LENGTH_MAX = 64  # PS3.5 9.1
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def value(dataset: Dataset | None, keyword: str) -> Any:
    """The value as pydicom gives it; None where it is absent, empty or can't be parsed."""
    if dataset is None:
        return None
    try:
        found = dataset.get(keyword)
    except Exception:  # any parser of a hostile value may raise anything
        return None
    return None if found is None or (isinstance(found, str) and not found) else found


def first(found: Any) -> Any:
    """The first of several values, or the value itself."""
    if isinstance(found, (str, bytes)) or not hasattr(found, "__len__"):
        return found
    return found[0] if len(found) else None


def text(dataset: Dataset | None, keyword: str, *, length_max: int = 64) -> str:
    """A text without control characters (PostgreSQL takes no NUL), cut at `length_max`; "" if absent."""
    found = value(dataset, keyword)
    if found is None or isinstance(found, bytes):
        return ""
    if not isinstance(found, str) and hasattr(found, "__len__"):
        found = "\\".join(map(str, found))
    try:
        return _CONTROL.sub("", str(found)).strip()[:length_max]
    except Exception:  # str() of a value with an unknown character set
        return ""


def uid(dataset: Dataset | None, keyword: str) -> str:
    """A UID that PS3.5 9.1 allows, else ""."""
    found = text(dataset, keyword, length_max=UID_LENGTH_MAX + 1)
    return found if len(found) <= UID_LENGTH_MAX and UID.match(found) else ""


def integer(dataset: Dataset | None, keyword: str) -> int | None:
    """A whole number that fits 32 bits."""
    try:
        found = int(first(value(dataset, keyword)))
    except (TypeError, ValueError, OverflowError):
        return None
    return found if -(2**31) <= found < 2**31 else None


def number(dataset: Dataset | None, keyword: str) -> float | None:
    """A finite number."""
    try:
        found = float(first(value(dataset, keyword)))
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def numbers(dataset: Dataset | None, keyword: str, count: int) -> tuple[float, ...] | None:
    """Exactly `count` finite numbers, else None."""
    found = value(dataset, keyword)
    if found is None or isinstance(found, (str, bytes)) or not hasattr(found, "__len__"):
        return None
    try:
        result = tuple(float(item) for item in found)
    except (TypeError, ValueError, OverflowError):
        return None
    return result if len(result) == count and all(map(math.isfinite, result)) else None


def items(dataset: Dataset | None, keyword: str) -> list[Dataset]:
    """The items of a sequence; empty where there is none."""
    found = value(dataset, keyword)
    if found is None or isinstance(found, (str, bytes)):
        return []
    try:
        return [item for item in found if isinstance(item, Dataset)]
    except Exception:  # a sequence that breaks off while it is read
        return []


def item(dataset: Dataset | None, keyword: str) -> Dataset | None:
    """The first item of a sequence."""
    found = items(dataset, keyword)
    return found[0] if found else None


def day(dataset: Dataset | None, keyword: str) -> date | None:
    """A date (DA, or the start of a DT): YYYYMMDD, or the old YYYY.MM.DD."""
    return parse_day(text(dataset, keyword))


def parse_day(written: str) -> date | None:
    digits = written.replace(".", "").replace("-", "")[:8]
    if len(digits) != 8 or not digits.isascii() or not digits.isdigit():
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None


def clock(dataset: Dataset | None, keyword: str) -> time | None:
    """A time of day (TM): HH, HHMM, HHMMSS or HHMMSS.FFFFFF, or the old HH:MM:SS."""
    return parse_clock(text(dataset, keyword))


def parse_clock(written: str) -> time | None:
    whole, _, fraction = written.replace(":", "").partition(".")
    if len(whole) not in (2, 4, 6) or not (whole + fraction).isascii() or not (whole + fraction).isdigit():
        return None
    microseconds = int((fraction + "000000")[:6])
    try:
        return time(int(whole[:2]), int(whole[2:4] or 0), int(whole[4:6] or 0), microseconds)
    except ValueError:
        return None


def age_years(dataset: Dataset | None) -> int | None:
    """Patient's Age (0010,1010) in whole years: "064Y", "018M", "030W", "200D"."""
    written = text(dataset, "PatientAge").upper()
    match = re.fullmatch(r"([0-9]{1,3})([DWMY])", written)
    if match is None:
        return None
    in_a_year = {"D": 365.25, "W": 52.18, "M": 12, "Y": 1}
    return int(int(match[1]) / in_a_year[match[2]])
