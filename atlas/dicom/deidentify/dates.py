"""Dates and times that move by whole days, in whatever precision they are written (PS3.5 6.2, DA and DT)."""

import re
from datetime import date, timedelta

_DA = re.compile(rb"(\d{4})(\.?)(\d{2})\2(\d{2})$")  # YYYYMMDD, or the old YYYY.MM.DD
_DT = re.compile(rb"(\d{4})(\d{2})?(\d{2})?(\d{2}(?:\d{2}){0,2}(?:\.\d{1,6})?)?([+-]\d{4})?$")


def shifted(value: bytes, vr: bytes, days: int) -> bytes:
    """The value with every date in it moved by `days`. A date that can't be understood becomes empty."""
    move = _shifted_date if vr == b"DA" else _shifted_datetime
    return b"\\".join(move(part.strip(b" \0"), days) for part in value.split(b"\\"))


def _shifted_date(written: bytes, days: int) -> bytes:
    match = _DA.match(written)
    if match is None:
        return b""
    moved = _moved(int(match[1]), int(match[3]), int(match[4]), days)
    return moved.strftime("%Y.%m.%d" if match[2] else "%Y%m%d").encode().rjust(8, b"0") if moved else b""


def _shifted_datetime(written: bytes, days: int) -> bytes:
    """Where day or month are left out, the middle of what is meant moves, and they stay left out."""
    match = _DT.match(written)
    if match is None:
        return b""
    year, month, day, clock, offset = match.groups()
    moved = _moved(int(year), int(month or 7), int(day or 15), days)
    if moved is None:
        return b""
    digits = moved.strftime("%Y%m%d").encode().rjust(8, b"0")
    whole = digits if day else digits[:6] if month else digits[:4]
    return whole + (clock or b"") + (offset or b"")


def _moved(year: int, month: int, day: int, days: int) -> date | None:
    try:
        return date(year, month, day) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None
