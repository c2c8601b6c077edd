"""This node's key pair (Ed25519): other nodes know it by its public half.

The secret half lies in a file below KEYS_DIR. A node that joined a hub, or has members, never gets another
one silently: to the others it would be a stranger.
"""

import hashlib
import os
import re
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from atlas.archive.keys import KeyUnusable, make_secret, read_secret
from network.models import Node

KEY_FILE = "node.key"
NEXT_KEY_FILE = "node.key.next"
_PUBLIC_KEY = re.compile(r"[0-9a-f]{64}")


def private_key() -> Ed25519PrivateKey:
    """This node's, made when it is first asked for. Raises KeyUnusable."""
    path = key_path()
    try:
        secret = read_secret(path)
    except FileNotFoundError:
        if Node.objects.exclude(state=Node.State.LEFT).exists():
            raise KeyUnusable(
                f"The key file {path} is missing, but other nodes know this node by it. Restore it from the "
                "backup, or leave the network and join it again with a new key."
            ) from None
        make_secret(path)
        secret = read_secret(path)
    return _private(secret)


def next_private_key() -> Ed25519PrivateKey:
    """The one that will take the place of this node's: made when first asked for, and kept until then."""
    path = key_path().with_name(NEXT_KEY_FILE)
    if not path.exists():
        make_secret(path)
    return _private(read_secret(path))


def next_is_there() -> bool:
    return key_path().with_name(NEXT_KEY_FILE).exists()


def take_next() -> None:
    """From now on the next key is this node's. The old one is gone."""
    key_path().with_name(NEXT_KEY_FILE).replace(key_path())
    folder = os.open(key_path().parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def key_path() -> Path:
    return Path(settings.KEYS_DIR) / KEY_FILE


def public_hex(key: Ed25519PrivateKey) -> str:
    """Its public half as other nodes write it: 64 hexadecimal characters."""
    return key.public_key().public_bytes_raw().hex()


@lru_cache(maxsize=4)
def _private(secret: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(secret)


@lru_cache(maxsize=1024)
def public_key(text: str) -> Ed25519PublicKey:
    """Raises ValueError where `text` isn't 32 bytes in lower-case hex."""
    if not _PUBLIC_KEY.fullmatch(text):
        raise ValueError("A public key has 64 hexadecimal characters.")
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text))


def fingerprint(text: str) -> str:
    """Of a public key, for people to compare by telephone: eight groups of four characters (128 bits)."""
    digest = hashlib.sha256(bytes.fromhex(text)).hexdigest()[:32]
    return " ".join(digest[start : start + 4] for start in range(0, 32, 4))
