"""Goes through the elements of a data set and its sequences, and does with each what the rules say."""

import re
from collections.abc import Callable
from functools import cached_property

from atlas.dicom.deidentify import dates, profile_tables, rules, texts, written
from atlas.dicom.deidentify.explaining import Explanation
from atlas.dicom.deidentify.keys import Keys
from atlas.dicom.deidentify.profile import Profile
from atlas.dicom.deidentify.result import Change
from atlas.dicom.deidentify.rules import Act
from atlas.dicom.elements import (
    DEPTH_MAX,
    ITEM,
    SEQUENCE_END,
    UNDEFINED,
    VR_OF,
    CutOff,
    Element,
    Encoding,
    Malformed,
    inner,
    item_encoding,
    named,
    walk,
)

STANDARD_ROOT = b"1.2.840.10008."
AGE_YEARS_MAX = 89
SAFE_PRIVATE_BYTES_MAX = 1024
_SAFE_PRIVATE_VRS = frozenset(
    (b"CS", b"DS", b"IS", b"FD", b"FL", b"US", b"SS", b"UL", b"SL", b"LO", b"SH", b"UN", b"OF", b"OD")
)
_OVERLAY_KEPT = frozenset((0x0010, 0x0011, 0x0015, 0x0040, 0x0050, 0x0051, 0x0100, 0x0102, 0x3000))
# Kept values in which a name may stand; what is no free text goes as a whole then.
_MAY_NAME = rules.TEXT_VRS | {b"AE", b"AS", b"CS", b"DS", b"IS", b"PN", b"TM", b"UN", b"UR"}
_CONCEPT_NAME = 0x0040A043
# Observation context (TID 1007): name, number, date of birth, sex and age of the subject; accession number.
_ABOUT_THE_SUBJECT = re.compile(rb"(?<!\d)1210(?:29|30|31|32|33|22)(?!\d)")
_ABOUT_THE_SUBJECT_RULES = {
    0x0040A160: Act.DUMMY,  # Text Value
    0x0040A121: Act.DUMMY,  # Date
    0x0040A120: Act.DUMMY,  # DateTime
    0x0040A168: Act.EMPTY,  # Concept Code Sequence
    0x0040A300: Act.EMPTY,  # Measured Value Sequence
}
_DROPPED = object()


class Rewriter:
    """Rewrites the elements of one file. `decode` turns its texts into str; `telling` finds the words that
    identify in this file, if a text has to be cleaned."""

    def __init__(
        self,
        *,
        profile: Profile,
        keys: Keys,
        pseudonym: str,
        shift_days: int,
        sop_class_uid: str,
        decode: Callable[[bytes], str],
        telling: Callable[[], frozenset[str]],
        explain: bool,
    ) -> None:
        self.rules = rules.rules_for(profile)
        self.options = profile.options
        self.keys = keys
        self.pseudonym = pseudonym.encode()
        self.shift_days = shift_days
        self.sop_class_uid = sop_class_uid
        self.decode = decode
        self.find_telling = telling
        self.suspects: list[bytes] = []
        self.explanation = Explanation(decode) if explain else None

    @property
    def changes(self) -> list[Change]:
        return self.explanation.changes if self.explanation else []

    @cached_property
    def telling(self) -> frozenset[str]:
        return self.find_telling()

    def begin_again(self, suspects: list[bytes]) -> None:
        """Before a second pass, which also cleans texts that hold one of these words in capitals."""
        self.suspects = suspects
        if self.explanation:
            self.explanation.begin_again()

    def note_added(self, profile: Profile, dates_modified: bytes) -> None:
        if self.explanation:
            self.explanation.claims(profile, dates_modified)

    def data_set(
        self,
        buffer: bytes,
        elements: list[Element],
        encoding: Encoding,
        collected: dict[int, tuple[bytes, bytes]] | None,
        wanted: frozenset[int],
    ) -> list[bytes]:
        """The bytes of the elements of a data set itself. Those that are wanted are collected as well."""
        changed = self._elements(buffer, elements, encoding, self.rules, 0, 0, "", collected, wanted)
        if changed is None:
            return [buffer[elements[0][2] : elements[-1][4]]] if elements else []
        return changed

    def _elements(
        self,
        buffer: bytes,
        elements: list[Element],
        encoding: Encoding,
        acts: dict[int, Act],
        within: int,
        depth: int,
        path: str,
        collected: dict[int, tuple[bytes, bytes]] | None = None,
        wanted: frozenset[int] = frozenset(),
    ) -> list[bytes] | None:
        """The new bytes, or None where nothing changes. `within` is the sequence's tag, 0 for none."""
        out: list[bytes] = []
        creators: dict[int, str] = {}
        copied = elements[0][2] if elements else 0
        find, keep, walk_on = acts.get, Act.KEEP, Act.WALK
        explanation, suspects = self.explanation, self.suspects
        is_changed = False
        for element in elements:
            tag, vr, start, value, end, is_open = element
            act = find(tag)
            if act is keep:
                if is_open or vr == b"SQ":
                    act = walk_on
                elif not suspects and not explanation:  # the common road
                    if tag in wanted and collected is not None:
                        collected[tag] = vr, buffer[value:end]
                    continue
                elif suspects and vr in _MAY_NAME and self._is_suspicious(buffer[value:end]):
                    act = Act.TEXT if vr in rules.TEXT_VRS else Act.DROP
            elif act is None:
                act = self._act_for_others(element, buffer, elements, creators, within)
            noted = explanation.reserved(path) if explanation else 0
            act = self._resolved(act, tag, VR_OF.get(tag, vr), within)
            new = self._new_value(act, element, buffer, encoding, acts, within, depth, path)
            if explanation:
                new_bytes = new if isinstance(new, bytes) else None
                explanation.note(noted, path, element, buffer, encoding, new_bytes, new is _DROPPED)
            if new is None:
                if tag in wanted and collected is not None:
                    collected[tag] = vr, buffer[value:end]
                continue
            is_changed = True
            if copied < start:
                out.append(buffer[copied:start])
            copied = end
            if isinstance(new, bytes):
                out.append(encoding.head(tag, vr, UNDEFINED if is_open and act in _OPEN_ACTS else len(new)))
                out.append(new)
                if tag in wanted and collected is not None:
                    collected[tag] = vr, new
        if not is_changed:
            return None
        if elements and copied < elements[-1][4]:
            out.append(buffer[copied : elements[-1][4]])
        return out

    # One element --------------------------------------------------------------------------------

    def _resolved(self, act: Act, tag: int, kind: bytes, within: int) -> Act:
        if act is Act.BY_TYPE:
            act = rules.by_type(tag, self.sop_class_uid, within)
        if act is Act.DUMMY and kind == b"SQ" and tag not in written.SEQUENCE_DUMMIES:
            return Act.WALK
        return act

    def _new_value(
        self,
        act: Act,
        element: Element,
        buffer: bytes,
        encoding: Encoding,
        acts: dict[int, Act],
        within: int,
        depth: int,
        path: str,
    ) -> bytes | object | None:
        """The bytes of the new value, None where it stays, _DROPPED where the element goes."""
        tag, vr, _, value, end, _ = element
        if act is Act.DROP:
            return _DROPPED
        if act is Act.KEEP:
            return None
        if act in _OPEN_ACTS:
            return self._sequence(act, element, buffer, encoding, acts, depth, path)
        kind = VR_OF.get(tag, vr)
        old = b"" if kind == b"SQ" else buffer[value:end]
        if act is Act.EMPTY:
            return b"" if end > value else None
        if act is Act.UID:
            return self._uids(old, vr)
        if act is Act.PATIENT:
            return written.padded(self.pseudonym, vr)
        if act is Act.DATE:
            new = dates.shifted(old, b"DA" if kind == b"DA" else b"DT", self.shift_days)
            return written.padded(new, vr) if old.strip(b" \0") else None
        if act is Act.AGE:
            return self._age(old, vr)
        if act is Act.TEXT:
            return self._text(element, old, within)
        return self._dummy(element, kind, buffer, encoding)

    def _uids(self, old: bytes, vr: bytes) -> bytes | None:
        written_uids = old.strip(b"\0 ").split(b"\\")
        new = b"\\".join(
            uid if not uid or uid.startswith(STANDARD_ROOT) else self.keys.uid(uid.decode("latin-1")).encode()
            for uid in (one.strip(b"\0 ") for one in written_uids)
        )
        return None if new == old.strip(b"\0 ") else written.padded(new, b"UI" if vr == b"UN" else vr)

    def _age(self, old: bytes, vr: bytes) -> bytes | None:
        match = re.fullmatch(rb"(\d{1,3})([DWMYdwmy]?)", old.strip(b" \0"))
        if match is None:
            return b"" if old else None
        in_years = match[2].upper() in (b"Y", b"")
        return written.padded(b"090Y", vr) if in_years and int(match[1]) > AGE_YEARS_MAX else None

    def _text(self, element: Element, old: bytes, within: int) -> bytes | object | None:
        tag, vr = element[0], element[1]
        if not old.strip(b" \0"):
            return None
        has_several = VR_OF.get(tag, vr) in (b"LO", b"SH", b"UC")  # the others hold sentences
        before = [part.strip(b" \0") for part in (old.split(b"\\") if has_several else [old])]
        after = [self._cleaned(part, mark=not has_several) for part in before]
        if after == before:
            return None
        if any(after):
            return written.padded(b"\\".join(after), vr)
        act = rules.when_cleaned_away(tag, self.sop_class_uid, within)
        if act is Act.DUMMY or tag == 0x0040A160:
            return written.padded(written.REMOVED, vr)
        return b"" if act is Act.EMPTY else _DROPPED

    def _cleaned(self, raw: bytes, *, mark: bool) -> bytes:
        return texts.cleaned(self.decode(raw), self.telling, mark=mark).encode("ascii")

    def _dummy(
        self, element: Element, kind: bytes, buffer: bytes, encoding: Encoding
    ) -> bytes | object | None:
        tag, vr, _, value, end, _ = element
        if kind == b"SQ":
            if vr not in (b"SQ", b"UN"):
                return _DROPPED
            # Only the value: a sequence of undefined length becomes one of defined length.
            full = written.element(tag, b"SQ", written.SEQUENCE_DUMMIES[tag], inner(encoding, vr))
            return full[len(inner(encoding, vr).head(tag, b"SQ", 0)) :]
        if kind == b"UI":
            return self._uids(buffer[value:end], vr)
        return written.padded(written.dummy(kind), vr)

    def _is_suspicious(self, value: bytes) -> bool:
        capitals = value.upper()
        return any(word in capitals for word in self.suspects)

    # Sequences -----------------------------------------------------------------------------------

    def _sequence(
        self,
        act: Act,
        element: Element,
        buffer: bytes,
        encoding: Encoding,
        acts: dict[int, Act],
        depth: int,
        path: str,
    ) -> bytes | object | None:
        tag, vr, _, value, end, is_open = element
        if vr not in (b"SQ", b"UN") and not is_open:
            return _DROPPED  # something else where a sequence belongs: nobody knows what
        if depth >= DEPTH_MAX:
            raise Malformed(f"more than {DEPTH_MAX} sequences within each other")
        if act is Act.CODES:
            acts = acts | {0x00080104: Act.TEXT}
        try:
            return self._items(tag, buffer, value, end, inner(encoding, vr), is_open, acts, depth + 1, path)
        except (CutOff, Malformed):
            if vr == b"UN":  # its content was no sequence after all
                return _DROPPED
            raise

    def _items(
        self,
        tag: int,
        buffer: bytes,
        position: int,
        end: int,
        encoding: Encoding,
        is_open: bool,
        acts: dict[int, Act],
        depth: int,
        path: str,
    ) -> bytes | None:
        out: list[bytes] = []
        copied, number = position, 0
        unpack = encoding.tag_and_length.unpack_from
        while position < end:
            if position + 8 > end:
                raise CutOff(named(ITEM))
            group, low, length = unpack(buffer, position)
            if (group << 16 | low) == SEQUENCE_END and is_open:
                break
            if (group << 16 | low) != ITEM:
                raise Malformed(named(group << 16 | low))
            start = position + 8
            number += 1
            within = item_encoding(buffer, start, end, encoding)
            if length == UNDEFINED:
                elements, after = walk(buffer, start, end, within, is_open=True, depth=depth)
            elif start + length > end:
                raise CutOff(named(ITEM))
            else:
                elements, after = walk(buffer, start, start + length, within, depth=depth)
            its_acts = self._acts_of_item(tag, elements, buffer, acts)
            its_path = f"{path}{tag:08X}[{number}]." if self.explanation else ""
            new = self._elements(buffer, elements, within, its_acts, tag, depth, its_path)
            if new is not None:
                content = b"".join(new)
                out.append(buffer[copied:position])
                out.append(encoding.item(UNDEFINED if length == UNDEFINED else len(content)))
                out.append(content)
                copied = after - 8 if length == UNDEFINED else after
            position = after
        if not out:
            return None
        out.append(buffer[copied:end])
        return b"".join(out)

    def _acts_of_item(
        self, tag: int, elements: list[Element], buffer: bytes, acts: dict[int, Act]
    ) -> dict[int, Act]:
        """A content item about the subject is emptied; it stays, because others point to it by number."""
        if tag != rules.CONTENT_SEQUENCE:
            return acts
        for element in elements:
            if element[0] == _CONCEPT_NAME and _ABOUT_THE_SUBJECT.search(buffer[element[3] : element[4]]):
                return acts | _ABOUT_THE_SUBJECT_RULES
        return acts

    # What the dictionary doesn't list -------------------------------------------------------------

    def _act_for_others(
        self, element: Element, buffer: bytes, elements: list[Element], creators: dict[int, str], within: int
    ) -> Act:
        tag = element[0]
        group = tag >> 16
        if group & 1 and "safe_private" in self.options:
            return self._act_for_private(element, buffer, creators)
        if 0x6000 <= group <= 0x60FE and "clean_graphics" in self.options and not within:
            is_region = any(
                other[0] == (group << 16 | 0x0040) and buffer[other[3] : other[4]].strip(b" \0") == b"R"
                for other in elements
            )
            return Act.KEEP if is_region and tag & 0xFFFF in _OVERLAY_KEPT and not element[5] else Act.DROP
        return Act.DROP

    def _act_for_private(self, element: Element, buffer: bytes, creators: dict[int, str]) -> Act:
        tag, vr, _, value, end, is_open = element
        group, number = tag >> 16, tag & 0xFFFF
        safe = profile_tables.safe_private()
        if 0x10 <= number <= 0xFF:
            creator = buffer[value:end].strip(b" \0").decode("latin-1")[:64]
            if any(name == creator and of_group == group for name, of_group, _ in safe):
                creators[group << 8 | number] = creator
                return Act.KEEP
            return Act.DROP
        creator = creators.get(group << 8 | number >> 8, "")
        is_small = end - value <= SAFE_PRIVATE_BYTES_MAX and not is_open and vr in _SAFE_PRIVATE_VRS
        return Act.KEEP if is_small and (creator, group, number & 0xFF) in safe else Act.DROP


_OPEN_ACTS = frozenset((Act.WALK, Act.CODES, Act.CONTENT))
