"""What was uploaded, sealed while it waits to be read, and gone once it was.

It may name patients, so it lies in storage encrypted (ChaCha20-Poly1305, RFC 8439) with a key made from the
organisation's secret (HKDF, RFC 5869), which storage doesn't have.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.db import transaction

from accounts.models import Organisation
from atlas.archive.intake import StorageRefuses
from atlas.archive.keys import organisation_key
from atlas.archive.storage import ObjectMissing, new_key, storage
from atlas.archive.tasks import delete_superseded
from atlas.clinical.errors import NotTaken
from atlas.holdings import Holding
from atlas.models import ClinicalImport

_INFO = b"atlas clinical file 1"
_INFO_OF_MARKS = b"atlas clinical headings 1"
NONCE_BYTES = 12
_OF_TABLES, _OF_BUNDLES = (".csv", ".tsv", ".txt"), (".json",)


def keep(organisation: Organisation, public_id: str, content: bytes) -> str:
    """Durable when it returns; the key of its object. Raises KeyUnusable, StorageRefuses."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = _cipher(organisation).encrypt(nonce, content, public_id.encode())
    key = new_key(".sealed")
    try:
        storage().put_durable(key, nonce, sealed)
    except OSError as error:
        raise StorageRefuses("The storage of this node takes no files now. Send it again later.") from error
    return key


def mark(organisation: Organisation, headings: Sequence[str]) -> str:
    """The same for a table with the same headings, which nobody can tell from it. Raises KeyUnusable."""
    key = HKDF(hashes.SHA256(), 32, salt=None, info=_INFO_OF_MARKS).derive(organisation_key(organisation))
    return hmac.digest(key, json.dumps(list(headings)).encode(), "sha256").hex()


def read(one: ClinicalImport) -> bytes:
    """Raises NotTaken where it is gone or was changed; KeyUnusable."""
    try:
        sealed = storage().read_range(one.object_key, 0, storage().size(one.object_key))
        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        return _cipher(one.dataset.organisation).decrypt(nonce, rest, one.public_id.encode())
    except (ObjectMissing, FileNotFoundError, InvalidTag, ValueError):
        raise NotTaken("The sent file is gone. Send it again.") from None


def discard(one: ClinicalImport) -> None:
    """Its bytes go once the caller's transaction is over, by a job where this process is killed before; the
    row remembers what became of it, and nothing that somebody wrote: no name of the file, no issuer."""
    key = one.object_key
    ClinicalImport.objects.filter(pk=one.pk).update(
        object_key="", file_name=nameless(one), mapping=without_issuer(one.mapping)
    )
    if key:
        delete_superseded.defer(keys=[key])
        transaction.on_commit(lambda: storage().delete(key))


def without_issuer(mapping: dict[str, Any]) -> dict[str, Any]:
    """Whose numbers the Patient IDs are is written by hand, and anything may be written there."""
    return {**mapping, "issuer": ""} if mapping.get("issuer") else mapping


def nameless(one: ClinicalImport) -> str:
    """What a file is called whose own name may name a patient: "table.tsv"."""
    bare, known = ("table", _OF_TABLES) if one.kind == "csv" else ("bundle", _OF_BUNDLES)
    ending = PurePath(one.file_name).suffix.lower()
    return bare + (ending if ending in known else known[0])


def held() -> Iterator[Holding]:
    """For those who look through storage: what waits there."""
    for key in ClinicalImport.objects.exclude(object_key="").values_list("object_key", flat=True):
        try:
            sealed = storage().read_range(key, 0, storage().size(key))
        except (ObjectMissing, FileNotFoundError):
            continue  # read and deleted a moment ago
        yield Holding(key, len(sealed), hashlib.sha256(sealed).hexdigest(), "a file of clinical facts")


def _cipher(organisation: Organisation) -> ChaCha20Poly1305:
    derived = HKDF(hashes.SHA256(), 32, salt=None, info=_INFO).derive(organisation_key(organisation))
    return ChaCha20Poly1305(derived)
