"""What a subject is called here, and finding that in texts and bytes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from atlas.models import Instance, Series, Study, Subject

STANDARDS_ROOT = "1.2.840.10008."
PSEUDONYM_LENGTH_MIN = 6
"""A shorter pseudonym stands somewhere in any gigabyte of pixels by chance: bytes aren't searched for it."""

TOKEN_BYTES_MAX = 64
_UID_LIKE = re.compile(rb"[0-9][0-9.]{3,63}")


@dataclass(frozen=True)
class Names:
    """A subject's pseudonym, and the UIDs of its studies, series, images and frames of reference."""

    organisation_id: int
    pseudonym: str
    uids: frozenset[str]

    @classmethod
    def of(cls, subject: Subject) -> "Names":
        series = Series.objects.filter(study__subject=subject)
        uids = set(Study.objects.filter(subject=subject).values_list("study_instance_uid", flat=True))
        uids.update(series.values_list("series_instance_uid", flat=True))
        uids.update(Instance.objects.filter(series__in=series).values_list("sop_instance_uid", flat=True))
        places = set(series.values_list("frame_of_reference_uid", flat=True))
        shared = Series.objects.filter(frame_of_reference_uid__in=places).exclude(study__subject=subject)
        places -= set(shared.values_list("frame_of_reference_uid", flat=True))
        uids.update(uid for uid in places if uid and not uid.startswith(STANDARDS_ROOT))  # an atlas's
        return cls(subject.organisation_id, subject.pseudonym, frozenset(uids))

    @property
    def is_pseudonym_long_enough(self) -> bool:
        """Whether finding it in bytes says anything."""
        return len(self.pseudonym) >= PSEUDONYM_LENGTH_MIN

    @cached_property
    def pattern(self) -> str:
        """The pseudonym as a word of its own: a regular expression for Python and PostgreSQL alike."""
        return rf"(^|[^[:alnum:]]){_escaped(self.pseudonym)}($|[^[:alnum:]])"

    @cached_property
    def _word(self) -> re.Pattern[str]:
        return re.compile(self.pattern.replace("[:alnum:]", r"\w"))

    @cached_property
    def _uids(self) -> frozenset[bytes]:
        return frozenset(uid.encode() for uid in self.uids)

    def are_in(self, text: str) -> bool:
        return bool(self._word.search(text)) or self._has_uid(text.encode())

    def are_in_bytes(self, pieces: Iterator[bytes]) -> bool:
        """Whether a stream holds one of the names; a few bytes are kept so that none is cut in two."""
        needle, kept = self.pseudonym.encode(), b""
        for piece in pieces:
            window = kept + piece
            if (self.is_pseudonym_long_enough and needle in window) or self._has_uid(window):
                return True
            kept = window[-2 * TOKEN_BYTES_MAX :]
        return False

    def _has_uid(self, window: bytes) -> bool:
        return any(found[0].rstrip(b".") in self._uids for found in _UID_LIKE.finditer(window))


def _escaped(text: str) -> str:
    return re.sub(r"([^\w\s])", r"\\\1", text)
