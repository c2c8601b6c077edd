"""Rewrites a file's header element by element; what is kept is copied as it stands."""

import re
from bisect import bisect
from functools import lru_cache
from operator import itemgetter
from typing import BinaryIO

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from atlas.dicom.deidentify import rules, texts, written
from atlas.dicom.deidentify.keys import Keys
from atlas.dicom.deidentify.profile import Profile
from atlas.dicom.deidentify.result import Original, Refused, Rewritten
from atlas.dicom.deidentify.surplus import length_without_surplus
from atlas.dicom.deidentify.walking import Rewriter
from atlas.dicom.elements import UNDEFINED, CutOff, Element, Malformed
from atlas.dicom.headers import DEFLATED, EXPLICIT_LITTLE, PIXEL_KEYWORDS, TAGS, Header, Unreadable
from atlas.dicom.parts import Parts, take_apart

_ENCAPSULATED_DOCUMENTS = b"1.2.840.10008.5.1.4.1.1.104."
_ENCAPSULATED_DOCUMENT = 0x00420011
_SOP_CLASS, _SOP_INSTANCE, _STUDY, _SERIES = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E
_WANTED = frozenset(TAGS)
# Whose values name somebody: their words go from every text, whether they are imaging words or not.
_TELLING = (
    0x00100010, 0x00100020, 0x00101000, 0x00101001, 0x00101005, 0x00101060, 0x00080050, 0x00101040,
    0x00102154,    0x00080090, 0x00081048, 0x00081050, 0x00081060, 0x00081070, 0x00321032, 0x00080080,
)  # fmt: skip
_OF_THE_PATIENT = _TELLING[:7]
_BY_THEMSELVES = frozenset("CT MR PT".split())  # noqa: SIM905
_HEAD = re.compile(
    rb"(?i)head|brain|face|facial|skull|neck|neuro|crani|cerebr|sinus|orbit|jaw|maxill|mandib|dental|pituitar"
    rb"|whole.?body|kopf|sch.{1,2}del|t-d1000|t-d1100|t-d1200|69536005|12738006|89546000|774007"
)
_WHERE_IT_IS = (0x00180015, 0x00081030, 0x0008103E, 0x00181030, 0x00082218)


def deidentify(file: BinaryIO, profile: Profile, keys: Keys, *, explain: bool = False) -> Rewritten:
    """De-identify a seekable Part 10 file. `changes` is filled only with `explain`.

    Raises NotDicom, Unreadable, and Refused for what can't be de-identified safely.
    """
    parts = take_apart(file)
    try:
        return _File(parts, profile, keys, explain).rewritten()
    except CutOff as error:
        raise Unreadable(f"The header can't be read: a sequence ends in the middle of {error}.") from error
    except Malformed as error:
        raise Unreadable(f"The header can't be read: it is broken at {error}.") from error
    except ValueError as error:  # a value that no longer fits its VR
        raise Refused("A value of the header grew too long while it was de-identified.") from error


class _File:
    def __init__(self, parts: Parts, profile: Profile, keys: Keys, explain: bool) -> None:
        self.parts, self.profile, self.keys = parts, profile, keys
        self.raw = {
            element[0]: parts.buffer[element[3] : element[4]].strip(b"\0 ")
            for element in parts.elements
            if element[4] - element[3] < 1024 and not element[5]
        }
        charset = self.raw.get(rules.SPECIFIC_CHARACTER_SET, b"").decode("ascii", "replace")
        self.encodings = convert_encodings(charset.split("\\")) if charset else ["iso8859"]
        self.original = Original(
            patient_id=self._text(rules.PATIENT_ID),
            issuer=self._text(rules.ISSUER_OF_PATIENT_ID),
            study_uid=self._text(_STUDY),
            series_uid=self._text(_SERIES),
            sop_uid=self._text(_SOP_INSTANCE),
        )
        self._require_safe()
        self.rewriter = Rewriter(
            profile=profile,
            keys=keys,
            pseudonym=keys.subject(self.original.patient_id, self.original.issuer),
            shift_days=keys.shift_days(self.original.patient_id, self.original.issuer),
            sop_class_uid=self._text(_SOP_CLASS),
            decode=self.decode,
            telling=lambda: _telling_words(tuple(self._text(tag) for tag in _TELLING if tag in self.raw)),
            explain=explain,
        )

    def decode(self, raw: bytes) -> str:
        if raw.isascii() and b"\x1b" not in raw:
            return raw.decode("ascii")
        try:
            return decode_bytes(raw, self.encodings, {0x5C})
        except Exception:  # a character set that is named but not kept to
            return raw.decode("latin-1")

    def _text(self, tag: int) -> str:
        return self.decode(self.raw.get(tag, b"")).strip()

    def _require_safe(self) -> None:
        sop_class = self.raw.get(_SOP_CLASS, b"")
        has_document = any(element[0] == _ENCAPSULATED_DOCUMENT for element in self.parts.elements)
        if sop_class.startswith(_ENCAPSULATED_DOCUMENTS) or has_document:
            raise Refused(
                "This is a document (PDF, CDA or a model) in a DICOM file. Nothing can search it for names, "
                "so it can't be de-identified here."
            )
        if not self.original.patient_id:
            raise Refused("The header has no Patient ID, so nobody could tell whose image it is.")

    # Putting it together -----------------------------------------------------------------------

    def rewritten(self) -> Rewritten:
        head, tail, collected = self._rewrite()
        suspects = self._suspects()
        if suspects and any(word in text for text in (head.upper(), tail.upper()) for word in suspects):
            # A name stands somewhere that the table calls harmless.
            self.rewriter.begin_again(suspects)
            head, tail, collected = self._rewrite()
        parts, pixels = self.parts, self.parts.pixels
        syntax = EXPLICIT_LITTLE if parts.transfer_syntax_uid == DEFLATED else parts.transfer_syntax_uid
        meta = written.file_meta(
            self.raw.get(_SOP_CLASS, b""),
            self.keys.uid(self.original.sop_uid).encode(),
            syntax.encode("ascii", "replace"),
        )
        head = meta + head
        dataset = self._dataset(collected)
        body, length = (0, 0), None
        if pixels:
            kept = length_without_surplus(pixels, dataset)
            is_shorter = kept < pixels.end - pixels.value
            length = kept if is_shorter else pixels.length
            head += parts.encoding.head(pixels.tag, pixels.vr, UNDEFINED if length is None else length)
            body = (pixels.value, kept)
        header = Header(
            dataset=dataset,
            transfer_syntax_uid=syntax,
            size=len(head) + body[1] + len(tail),
            pixel_keyword=PIXEL_KEYWORDS[pixels.tag] if pixels else "",
            pixel_vr=pixels.vr.decode() if pixels else "",
            pixel_offset=len(head) if pixels else 0,
            pixel_length=length,
            body_offset=len(meta),
            meta_is_whole=True,
        )
        return Rewritten(
            head=head,
            body=body,
            tail=tail,
            source=parts.source,
            header=header,
            original=self.original,
            changed=True,
            changes=self.rewriter.changes,
        )

    def _rewrite(self) -> tuple[bytes, bytes, dict[int, tuple[bytes, bytes]]]:
        """(data set up to the pixels, what follows them, tag → (VR, value) of what a header needs)."""
        parts, rewriter = self.parts, self.rewriter
        collected: dict[int, tuple[bytes, bytes]] = {}
        chunks: list[bytes] = []
        done = 0
        for tag, inserted in self._inserted():
            at = bisect(parts.elements, tag, lo=done, key=itemgetter(0))
            chunks += self._elements(parts.buffer, parts.elements[done:at], collected)
            chunks.append(inserted)
            done = at
        chunks += self._elements(parts.buffer, parts.elements[done:], collected)
        rewriter.note_added(self.profile, self._dates_modified())
        tail = b"".join(self._elements(parts.tail, parts.tail_elements, None))
        return b"".join(chunks), tail, collected

    def _elements(
        self, buffer: bytes, elements: list[Element], collected: dict[int, tuple[bytes, bytes]] | None
    ) -> list[bytes]:
        return self.rewriter.data_set(buffer, elements, self.parts.encoding, collected, _WANTED)

    def _inserted(self) -> list[tuple[int, bytes]]:
        encoding = self.parts.encoding
        claims = [(rules.METHOD_CODES, written.claims(self.profile, encoding))]
        if rules.VISUAL_FEATURES not in self.raw and self._may_show_a_face():
            claims.append(
                (rules.VISUAL_FEATURES, written.element(rules.VISUAL_FEATURES, b"CS", b"YES", encoding))
            )
        modified = written.element(rules.DATES_MODIFIED, b"CS", self._dates_modified(), encoding)
        return [*claims, (rules.DATES_MODIFIED, modified)]

    def _dates_modified(self) -> bytes:
        return b"MODIFIED" if "dates" in self.profile.options else b"REMOVED"

    def _may_show_a_face(self) -> bool:
        """Whether a face could be rendered from it: slices of a head, or of a whole body."""
        if self._text(0x00080060) not in _BY_THEMSELVES:
            return False
        return _tells_of_a_head(tuple(self.raw.get(tag, b"") for tag in _WHERE_IT_IS))

    def _suspects(self) -> list[bytes]:
        return _suspects(tuple(self.raw.get(tag, b"") for tag in _OF_THE_PATIENT))

    def _dataset(self, collected: dict[int, tuple[bytes, bytes]]) -> Dataset:
        """What pydicom would have read: raw elements, decoded when somebody asks for them."""
        encoding = self.parts.encoding
        elements = {
            BaseTag(tag): RawDataElement(
                BaseTag(tag),
                vr.decode() if encoding.explicit else None,
                len(value),
                value,
                0,
                not encoding.explicit,
                encoding.little,
            )
            for tag, (vr, value) in collected.items()
        }
        dataset = Dataset(elements)  # type: ignore[arg-type]
        dataset.set_original_encoding(not encoding.explicit, encoding.little, self.encodings)
        return dataset


# The images of a series say the same, one after the other.


@lru_cache(maxsize=64)
def _telling_words(values: tuple[str, ...]) -> frozenset[str]:
    return texts.telling_words(list(values))


@lru_cache(maxsize=64)
def _tells_of_a_head(values: tuple[bytes, ...]) -> bool:
    return any(_HEAD.search(value) for value in values)


@lru_cache(maxsize=64)
def _suspects(values: tuple[bytes, ...]) -> list[bytes]:
    """Words of the patient's names and numbers that mean nothing else."""
    found = set()
    for value in values:
        for word in re.split(rb"[\^=\\ ,;]+", value.upper()):
            if len(word) >= (6 if word.isdigit() else 4) and not texts.is_common(
                word.decode("latin-1").casefold()
            ):
                found.add(word)
    return sorted(found)
