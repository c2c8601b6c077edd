"""Tells what was done to each attribute, for the page that shows a profile's effect on one file."""

from collections.abc import Callable

from pydicom.datadict import dictionary_has_tag, keyword_for_tag

from atlas.dicom.deidentify.profile import BASIC_CODE_MEANING, BY_KEY, Profile
from atlas.dicom.deidentify.result import VALUE_LENGTH_MAX, Change
from atlas.dicom.elements import VR_OF, Element, Encoding

_NUMBERS = {b"US": 2, b"SS": 2, b"UL": 4, b"SL": 4, b"UV": 8, b"SV": 8}
_TEXTS = frozenset(b"AE AS CS DA DS DT IS LO LT PN SH ST TM UC UI UR UT".split())


_NOT_YET = Change("", "", "", "", "", "")


class Explanation:
    """Collects changes in the order of the file."""

    def __init__(self, decode: Callable[[bytes], str]) -> None:
        self.changes: list[Change] = []
        self._decode = decode

    def reserved(self) -> int:
        """The next place: a sequence is told of before its items, though it is done after them."""
        self.changes.append(_NOT_YET)
        return len(self.changes) - 1

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
        is_sequence = shown_vr == b"SQ" or is_open
        self.changes[place] = Change(
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

    def claims(self, profile: Profile, dates_modified: bytes) -> None:
        """What is added to say what was done."""
        meanings = [BASIC_CODE_MEANING]
        meanings += [BY_KEY[key].code_meaning for key in sorted(profile.options) if key != "clean_pixel_data"]
        for tag, vr, value in (
            (0x00120062, "CS", "YES"),
            (0x00120064, "SQ", "; ".join(meanings)),
            (0x00280303, "CS", dates_modified.decode()),
        ):
            self.changes.append(
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
