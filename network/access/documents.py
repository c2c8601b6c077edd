"""What is attached to a request: bounded in size and kind, read by its requester and its committees only."""

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath
from urllib.parse import quote

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext

from accounts.models import User
from atlas.archive.storage import new_key, storage
from atlas.holdings import Holding
from network.access import limits
from network.access.cart import locked_draft
from network.models import AccessDocument, AccessRequest

SIZE_MAX = 5_000_000  # bytes; in one message to another node, too
DOCUMENTS_MAX = 10

_ZIP = b"PK\x03\x04"
KINDS = {  # by ending: media type, and how such a file begins
    ".pdf": ("application/pdf", b"%PDF-"),
    ".png": ("image/png", b"\x89PNG\r\n\x1a\n"),
    ".jpg": ("image/jpeg", b"\xff\xd8\xff"),
    ".jpeg": ("image/jpeg", b"\xff\xd8\xff"),
    ".docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", _ZIP),
    ".odt": ("application/vnd.oasis.opendocument.text", _ZIP),
    ".txt": ("text/plain", b""),
}


def checked_name(name: str) -> str:
    """The last part of a file's name, fit for a header and a line. Raises ValidationError."""
    last = PurePosixPath(name.replace("\\", "/")).name
    cleaned = "".join(letter for letter in last if letter.isprintable() and letter not in '"<>|:*?').strip()
    if not cleaned or PurePosixPath(cleaned).suffix.lower() not in KINDS:
        kinds = ", ".join(sorted(ending[1:] for ending in KINDS))
        said = gettext("Documents end with one of %(kinds)s. Export it as PDF, then attach that.")
        raise ValidationError(said % {"kinds": kinds})
    stem, suffix = cleaned[: -len(PurePosixPath(cleaned).suffix)], PurePosixPath(cleaned).suffix
    return f"{stem[: 200 - len(suffix)]}{suffix}"


def media_type_of(name: str, content: bytes) -> str:
    """Of a file with a name that was checked. Raises ValidationError where it isn't what its name says."""
    media_type, start = KINDS[PurePosixPath(name).suffix.lower()]
    is_right = content.startswith(start)
    if media_type == "text/plain":
        try:
            content.decode()
            is_right = b"\0" not in content
        except UnicodeDecodeError:
            is_right = False
    if not content or not is_right:
        said = gettext("“%(name)s” is empty, or not the kind of file that its name says.")
        raise ValidationError(said % {"name": name})
    return media_type


@transaction.atomic
def attach(*, by: User, request: AccessRequest, file: UploadedFile) -> AccessDocument:
    """Raises ValidationError: too large, too many of a request or a day, no document."""
    locked = locked_draft(by, request)
    if (file.size or 0) > SIZE_MAX:
        raise _too_large()
    if locked.documents.count() >= DOCUMENTS_MAX:
        said = gettext("A request has at most %(most)d documents.")
        raise ValidationError(said % {"most": DOCUMENTS_MAX})
    name = checked_name(file.name or "")
    content = file.read(SIZE_MAX + 1)
    if len(content) > SIZE_MAX:
        raise _too_large()
    media_type = media_type_of(name, content)
    sha256 = hashlib.sha256(content).hexdigest()
    again = locked.documents.filter(sha256=sha256, name=name).first()
    if again is not None:  # a double click
        return again
    limits.require_document(by, len(content))
    return AccessDocument.objects.create(
        request=locked,
        name=name,
        media_type=media_type,
        size=len(content),
        sha256=sha256,
        object_key=keep(content),
    )


def _too_large() -> ValidationError:
    return ValidationError(gettext("A document has at most %(most)d MB.") % {"most": SIZE_MAX // 1_000_000})


def keep(content: bytes) -> str:
    """Store it; returns its key."""
    key = new_key(".document")
    storage().put_durable(key, content)
    return key


@transaction.atomic
def detach(*, by: User, request: AccessRequest, public_id: str) -> None:
    """Nothing happens where it isn't there."""
    locked = locked_draft(by, request)
    _delete(locked.documents.filter(public_id=public_id))


def discard(draft: AccessRequest) -> None:
    """Nobody but its researcher saw its documents, and nobody will. Within the caller's transaction."""
    _delete(draft.documents.all())


def _delete(rows: QuerySet[AccessDocument]) -> None:
    keys = [key for key in rows.values_list("object_key", flat=True) if key]
    rows.delete()
    for key in keys:
        transaction.on_commit(partial(storage().delete, key))


def content_of(document: AccessDocument) -> bytes:
    """Raises ObjectMissing."""
    return storage().read_range(document.object_key, 0, document.size)


def holdings() -> Iterator[Holding]:
    for one in AccessDocument.objects.exclude(object_key="").order_by("pk").iterator():
        what = f"document {one.pk} of a request for access"
        yield Holding(one.object_key, one.size, one.sha256, what)


def disposition(name: str) -> str:
    """A header that has browsers keep the file under its name, whatever letters it has (RFC 6266)."""
    plain = "".join(letter if letter.isascii() and letter not in '"\\%' else "_" for letter in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
