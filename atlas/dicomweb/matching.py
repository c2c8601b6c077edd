"""Attribute matching (PS3.4 C.2.2.2): from what a search asks to a condition on rows.

Single value, list of UIDs, universal, wildcard, range, and empty value matching. Matching is by the letter,
as the standard has it; whoever wants more writes wildcards.
"""

import datetime
import re
from datetime import date, timedelta
from typing import Any

from django.db.models import CharField, Lookup, Q

from atlas.dicom import values
from atlas.dicomweb.answers import Problem
from atlas.dicomweb.attributes import Attribute

VALUES_MAX = 1000
_EMPTY = '""'  # PS3.4 C.2.2.2.7
_UID = re.compile(r"[0-9][0-9.]{0,63}")


@CharField.register_lookup
class Like(Lookup):
    """SQL's LIKE with the pattern as it is."""

    lookup_name = "like"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple]:
        left, left_values = self.process_lhs(compiler, connection)
        right, right_values = self.process_rhs(compiler, connection)
        return f"{left} LIKE {right}", (*left_values, *right_values)


def condition(attribute: Attribute, path: str, asked: str) -> Q | None:
    """A condition on the column `path`, or None for universal matching. Raises Problem (400)."""
    asked = asked.strip(" \0")
    if asked in ("", "*"):
        return None
    if attribute.vr in ("DA", "TM"):
        return _of_time(attribute, path, asked)
    if attribute.vr in ("IS", "US"):
        return _of_number(attribute, path, asked)
    if asked == _EMPTY:
        return Q(**{path: ""})
    if attribute.vr == "UI":
        return _of_uids(attribute, path, asked)
    if attribute.vr == "CS":
        return _of_codes(attribute, path, asked)
    return _of_text(path, asked)


def _of_uids(attribute: Attribute, path: str, asked: str) -> Q:
    uids = _listed(attribute, asked)
    wrong = next((uid for uid in uids if not _UID.fullmatch(uid)), None)
    if wrong is not None:
        raise Problem(400, f"{attribute.keyword}: {wrong[:64]!r} is not a UID.")
    return Q(**{path: uids[0]}) if len(uids) == 1 else Q(**{f"{path}__in": uids})


def _listed(attribute: Attribute, asked: str) -> list[str]:
    """The values of a list. A comma may separate them as well as a backslash: neither can be part of one."""
    found = [value for value in re.split(r"[,\\]", asked) if value]
    if not found or len(found) > VALUES_MAX:
        raise Problem(400, f"{attribute.keyword}: a list holds 1 to {VALUES_MAX} values.")
    return found


def _of_codes(attribute: Attribute, path: str, asked: str) -> Q:
    codes = _listed(attribute, asked)
    if len(codes) > 1 and not any(letter in asked for letter in "*?"):
        return Q(**{f"{path}__in": codes})
    found = Q()
    for code in codes:
        found |= _of_text(path, code)
    return found


def _of_text(path: str, asked: str) -> Q:
    if "*" not in asked and "?" not in asked:
        return Q(**{path: asked})
    if asked.endswith("*") and not re.search(r"[*?]", asked[:-1]):
        return Q(**{f"{path}__startswith": asked[:-1]})
    return Q(**{f"{path}__like": like_pattern(asked)})


def like_pattern(asked: str) -> str:
    """The pattern of SQL's LIKE for one with * (any characters) and ? (any one)."""
    escaped = re.sub(r"([\\%_])", r"\\\1", asked)
    return re.sub(r"\*+", "%", escaped).replace("?", "_")


def _of_number(attribute: Attribute, path: str, asked: str) -> Q:
    if asked == _EMPTY:
        return Q(**{path: None})
    try:
        number = int(asked)
    except ValueError:
        raise Problem(400, f"{attribute.keyword}: {asked[:40]!r} is not a whole number.") from None
    return Q(**{path: number}) if -(2**31) <= number < 2**31 else Q(pk__in=[])


def _of_time(attribute: Attribute, path: str, asked: str) -> Q:
    """A day or time, or a range of them: "a-b", "a-", "-b", both ends included."""
    if asked == _EMPTY:
        return Q(**{path: None})
    first, dash, last = asked.partition("-")
    if not dash:
        begin, end = _span(attribute, first)
        return Q(**{path: begin}) if begin == end else Q(**{f"{path}__range": (begin, end)})
    found = Q(**{f"{path}__isnull": False})
    if not first and not last:
        raise Problem(400, f"{attribute.keyword}: a range names where it begins or ends.")
    if first:
        found &= Q(**{f"{path}__gte": _span(attribute, first)[0]})
    if last:
        found &= Q(**{f"{path}__lte": _span(attribute, last)[1]})
    return found


def _span(attribute: Attribute, written: str) -> tuple[Any, Any]:
    """What a day or time covers: "1030" is all of that minute."""
    if attribute.vr == "DA":
        day = _day(written)
        if day is None:
            raise Problem(400, f"{attribute.keyword}: {written[:40]!r} is not a date. Write YYYYMMDD.")
        return day, day
    begin = values.parse_clock(written)
    if begin is None:
        raise Problem(400, f"{attribute.keyword}: {written[:40]!r} is not a time. Write HHMMSS.")
    digits = written.replace(":", "")
    covered = {2: timedelta(hours=1), 4: timedelta(minutes=1), 6: timedelta(seconds=1)}.get(len(digits))
    if covered is None:
        return begin, begin
    passed = timedelta(hours=begin.hour, minutes=begin.minute, seconds=begin.second)
    microseconds = (passed + covered) // timedelta(microseconds=1) - 1
    seconds, rest = divmod(microseconds, 1_000_000)
    return begin, datetime.time(seconds // 3600, seconds // 60 % 60, seconds % 60, rest)


def _day(written: str) -> date | None:
    digits = written.replace(".", "")
    if not re.fullmatch(r"[0-9]{8}", digits):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
