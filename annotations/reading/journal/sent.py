"""An edit as the browser sent it, once it has the right shape."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.utils.dateparse import parse_datetime

NUMBER_MAX = 2**31 - 1
UID_LENGTH_MAX = 64
BODY_BYTES_MAX = 16 * 1024 * 1024
PLANE_SIDE_MAX = 2**16 - 1  # what DICOM's Rows and Columns can say

type ObjectKey = tuple[UUID, str, int]


class Refused(Exception):
    """This edit can't be taken as it is; the text says why, for the person who drew."""


@dataclass(frozen=True)
class PlaneValue:
    runs: bytes
    rows: int
    columns: int


@dataclass(frozen=True)
class SentEdit:
    """`sop_instance_uid` is "" and `frame_number` 0 where the object is the annotation itself."""

    id: UUID
    group: UUID
    inverts: UUID | None
    drawn_at: datetime
    annotation_id: UUID
    sop_instance_uid: str
    frame_number: int
    seen: int
    value: dict[str, Any] | None
    plane: PlaneValue | None

    @property
    def key(self) -> ObjectKey:
        return self.annotation_id, self.sop_instance_uid, self.frame_number

    @property
    def is_plane(self) -> bool:
        return self.frame_number > 0


def edit_id(raw: Any) -> UUID | None:
    """The id, without which an edit can't even be answered."""
    try:
        return UUID(raw["id"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def is_storable(raw: Any) -> bool:
    """Whether PostgreSQL can keep this JSON: no NUL, no half of a character, no infinity, not too much."""
    try:
        text = json.dumps(raw, ensure_ascii=False, allow_nan=False)
        return "\\u0000" not in text and len(text.encode()) <= BODY_BYTES_MAX
    except (UnicodeEncodeError, ValueError, RecursionError):
        return False


def parse(raw: dict[str, Any]) -> SentEdit:
    """Raises Refused."""
    if not is_storable(raw):
        raise Refused("This change holds characters that can't be kept, or is too large.")
    target = raw.get("object")
    if not isinstance(target, dict):
        raise Refused("The change doesn't name what it changes.")
    sop_instance_uid, frame_number = "", 0
    if "sop" in target or "frame" in target:
        sop_instance_uid = _uid(target.get("sop"), "sop")
        frame_number = _number(target.get("frame"), "frame", 1)
    value = raw.get("value")
    if value is not None and not isinstance(value, dict):
        raise Refused("The value of a change is an object, or null to delete.")
    is_plane = frame_number > 0
    inverts = raw.get("inverts")
    return SentEdit(
        id=_uuid(raw.get("id"), "id"),
        group=_uuid(raw.get("group"), "group"),
        inverts=_uuid(inverts, "inverts") if inverts is not None else None,
        drawn_at=_time(raw.get("at")),
        annotation_id=_uuid(target.get("annotation"), "annotation"),
        sop_instance_uid=sop_instance_uid,
        frame_number=frame_number,
        seen=_number(raw.get("seen"), "seen", 0),
        value=None if is_plane else value,
        plane=_plane(value) if is_plane and value is not None else None,
    )


def _plane(value: dict[str, Any]) -> PlaneValue:
    rows = _number(value.get("rows"), "rows", 1, PLANE_SIDE_MAX)
    columns = _number(value.get("columns"), "columns", 1, PLANE_SIDE_MAX)
    rle = value.get("rle")
    if not isinstance(rle, str):
        raise Refused("A mask slice has its runs in `rle`, as base64.")
    try:
        return PlaneValue(base64.b64decode(rle, validate=True), rows, columns)
    except (binascii.Error, ValueError):
        raise Refused("The runs of a mask slice are not base64.") from None


def _uuid(raw: Any, name: str) -> UUID:
    try:
        return UUID(raw)
    except (TypeError, ValueError, AttributeError):
        raise Refused(f"`{name}` is not a UUID.") from None


def _uid(raw: Any, name: str) -> str:
    if not isinstance(raw, str) or not 0 < len(raw) <= UID_LENGTH_MAX:
        raise Refused(f"`{name}` is not a DICOM UID.")
    return raw


def _number(raw: Any, name: str, least: int, most: int = NUMBER_MAX) -> int:
    if type(raw) is not int or not least <= raw <= most:
        raise Refused(f"`{name}` is a whole number from {least} to {most}.")
    return raw


def _time(raw: Any) -> datetime:
    try:
        at = parse_datetime(raw)
    except (TypeError, ValueError):
        at = None
    if at is None or not 2000 <= at.year <= 2200:
        raise Refused("`at` is not a time in ISO 8601.")
    return at if at.tzinfo else at.replace(tzinfo=UTC)
