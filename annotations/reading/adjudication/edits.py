"""Edits that the server makes on behalf of an adjudicator: one gesture, through the journal like any
other."""

import base64
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone
from rest_framework.exceptions import ValidationError

from accounts.models import User
from annotations.models import Annotation, Read
from annotations.reading import journal
from annotations.reading.adjudication.fields import Plane
from annotations.reading.journal.answers import answer_id

type Json = dict[str, Any]


class Edits:
    """Collected under the lock of the read, then sent at once: what is there doesn't change in between."""

    def __init__(self, read: Read) -> None:
        self.read = read
        self.group = uuid4()
        self.at = timezone.now().isoformat()
        self.edits: list[Json] = []
        rows = Annotation.objects.filter(read=read).values_list("annotation_id", "version", "value")
        self.versions: dict[UUID, int] = {}
        self.values: dict[UUID, Any] = {}
        for identity, version, value in rows:
            self.versions[identity], self.values[identity] = version, value

    def add(self, value: Json, planes: Sequence[Plane]) -> UUID:
        """A new mark with its voxels."""
        identity = uuid4()
        self._edit({"annotation": str(identity)}, value)
        for plane in planes:
            target = {
                "annotation": str(identity),
                "sop": plane.sop_instance_uid,
                "frame": plane.frame_number,
            }
            runs = base64.b64encode(plane.runs).decode()
            self._edit(target, {"rle": runs, "rows": plane.rows, "columns": plane.columns})
        return identity

    def delete(self, marks: Sequence[UUID]) -> None:
        """Those of these marks that are still there, with the answers about them."""
        gone = {str(one) for one in marks}
        for identity, value in self.values.items():
            is_about = (value or {}).get("of") == "annotation" and value.get("id") in gone
            if value is not None and (str(identity) in gone or is_about):
                self._edit({"annotation": str(identity)}, None, seen=self.versions[identity])

    def answer(self, question: str, about: UUID, value: Any) -> None:
        """About a mark."""
        self.answer_about(question, of="annotation", about=str(about), value=value)

    def answer_about(self, question: str, *, of: str, about: str, value: Any) -> None:
        """Unless it is what is there already."""
        identity = answer_id(answer=question, of=of, about=about)
        whole = {"answer": question, "of": of, "id": about, "value": value}
        if self.values.get(identity) != whole:
            self._edit({"annotation": str(identity)}, whole, seen=self.versions.get(identity, 0))

    def send(self, user: User, tab: str = "") -> int:
        """Into the journal; the number of its last edit. Raises ValidationError with the journal's own words
        where it takes one of them not: nothing is written then."""
        if not self.edits:
            return self.read.last_edit_number
        results, number = journal.append(user=user, read_id=self.read.public_id, edits=self.edits, tab=tab)
        refused = next((one for one in results if one["status"] != "applied"), None)
        if refused is not None:
            raise ValidationError({"choice": [refused.get("reason", "This can't be written as it is.")]})
        self.read.last_edit_number = number
        return number

    def _edit(self, target: Json, value: Json | None, *, seen: int = 0) -> None:
        self.edits.append(
            {
                "id": str(uuid4()),
                "group": str(self.group),
                "inverts": None,
                "at": self.at,
                "object": target,
                "seen": seen,
                "value": value,
            }
        )
