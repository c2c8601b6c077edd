"""Tells what was done to each attribute, for the page that shows a profile's effect on one file."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from pydicom.datadict import dictionary_has_tag, keyword_for_tag

from atlas.dicom.deidentify.profile import BASIC_CODE_MEANING, BY_KEY, Profile
from atlas.dicom.deidentify.result import VALUE_LENGTH_MAX, Change
from atlas.dicom.elements import VR_OF, Element, Encoding

_NUMBERS = {b"US": 2, b"SS": 2, b"UL": 4, b"SL": 4, b"UV": 8, b"SV": 8}
_TEXTS = frozenset(b"AE AS CS DA DS DT IS LO LT PN SH ST TM UC UI UR UT".split())


ITEMS_TOLD = 5  # of one sequence; an enhanced image has one a frame
LINES_MAX = 3000

_NOT_YET = Change("", "", "", "", "", "")
_UNTOLD = -1


@dataclass(slots=True)
class _Rest:
    """Attributes that aren't told of one by one: those of one action in the further items of a sequence, or
    in all that comes after LINES_MAX lines."""

    place: int
    count: int = 0
    last_item: int = 0


class Explanation:
    """Collects changes in the order of the file: of repeated items the first few, then how many more."""

    def __init__(self, decode: Callable[[bytes], str]) -> None:
        self._changes: list[Change] = []
        self._rests: dict[tuple[str, str], _Rest] = {}
        self._decode = decode
        self._repeated: tuple[str, tuple[str, int] | None] = ("", None)

    def begin_again(self) -> None:
        self._changes.clear()
        self._rests.clear()

    @property
    def changes(self) -> list[Change]:
        told = list(self._changes)
        for (sequence, action), rest in self._rests.items():
            told[rest.place] = _line_of(sequence, action, rest)
        return [change for change in told if change is not _NOT_YET]

    def reserved(self, path: str) -> int:
        """The next place: a sequence is told of before its items, though it is done after them."""
        if len(self._changes) >= LINES_MAX or self._repetition(path):
            return _UNTOLD
        self._changes.append(_NOT_YET)
        return len(self._changes) - 1

    def _repetition(self, path: str) -> tuple[str, int] | None:
        """The outermost sequence, and its item, that is one too many to be told of."""
        if self._repeated[0] != path:
            items = re.finditer(r"\[(\d+)\]", path)
            found = ((path[: item.start()], int(item[1])) for item in items if int(item[1]) > ITEMS_TOLD)
            self._repeated = path, next(found, None)
        return self._repeated[1]

    def note(
        self,
        place: int,
        path: str,
        element: Element,
        buffer: bytes,
        encoding: Encoding,
        new: bytes | None,
        is_dropped: bool,
    ) -> None:
        tag, vr, _, value, end, is_open = element
        old = buffer[value:end]
        shown_vr = VR_OF.get(tag, vr) if vr == b"UN" else vr
        if is_dropped:
            action, after = "removed", b""
        elif new is None:
            action, after = "kept", old
        elif not new.strip(b" \0"):
            action, after = ("emptied" if old.strip(b" \0") else "kept"), b""
        else:
            action, after = "changed", new
        if place == _UNTOLD:
            self._count(path, action)
            return
        is_sequence = shown_vr == b"SQ" or is_open
        self._changes[place] = Change(
            path=f"{path}{tag:08X}",
            keyword=keyword_for_tag(tag) if dictionary_has_tag(tag) else "",
            vr=shown_vr.decode("latin-1"),
            action=action,
            before=_counted(old) if is_sequence else self._shown(old, shown_vr, encoding),
            after=""
            if not after
            else _counted(after)
            if is_sequence
            else self._shown(after, shown_vr, encoding),
        )

    def _count(self, path: str, action: str) -> None:
        sequence, item = self._repetition(path) or ("", 0)
        if (sequence, action) not in self._rests and len(self._rests) >= LINES_MAX:
            sequence, item = "", 0
        rest = self._rests.get((sequence, action))
        if rest is None:
            rest = self._rests[sequence, action] = _Rest(len(self._changes))
            self._changes.append(_NOT_YET)
        rest.count += 1
        rest.last_item = max(rest.last_item, item)

    def claims(self, profile: Profile, dates_modified: bytes) -> None:
        """What is added to say what was done."""
        meanings = [BASIC_CODE_MEANING]
        meanings += [BY_KEY[key].code_meaning for key in sorted(profile.options) if key != "clean_pixel_data"]
        for tag, vr, value in (
            (0x00120062, "CS", "YES"),
            (0x00120064, "SQ", "; ".join(meanings)),
            (0x00280303, "CS", dates_modified.decode()),
        ):
            self._changes.append(
                Change(f"{tag:08X}", keyword_for_tag(tag), vr, "added", "", value[:VALUE_LENGTH_MAX])
            )

    def _shown(self, value: bytes, vr: bytes, encoding: Encoding) -> str:
        size = _NUMBERS.get(vr)
        if size and len(value) % size == 0:
            order, signed = ("little" if encoding.little else "big"), vr[:1] == b"S"
            numbers = (
                int.from_bytes(value[at : at + size], order, signed=signed)  # type: ignore[arg-type]
                for at in range(0, min(len(value), 16 * size), size)
            )
            return "\\".join(map(str, numbers))[:VALUE_LENGTH_MAX]
        if vr in _TEXTS or (vr == b"UN" and value.isascii() and len(value) < 1024):
            text = self._decode(value[:1024]).strip(" \0")
            return "".join(letter if letter.isprintable() else " " for letter in text)[:VALUE_LENGTH_MAX]
        return _counted(value)


def _counted(value: bytes) -> str:
    return f"{len(value):,} bytes"


def _line_of(sequence: str, action: str, rest: _Rest) -> Change:
    if not sequence:
        return Change("", "", "", action, "", "", count=rest.count)
    tag = int(sequence[-8:], 16)
    first = ITEMS_TOLD + 1
    items = f"items {first:,} to {rest.last_item:,}" if rest.last_item > first else f"item {first:,}"
    return Change(
        sequence,
        keyword_for_tag(tag) if dictionary_has_tag(tag) else "",
        "SQ",
        action,
        "",
        f"{rest.count:,} more attributes, in {items}",
        count=rest.count,
    )
