"""Seals vault entries so that only the holder of the private key can open them (no Django).

Each entry has a key of its own: X25519 of a fresh key pair with the vault's public key (RFC 7748), HKDF with
SHA-256 (RFC 5869), ChaCha20-Poly1305 (RFC 8439). What the entry belongs to is authenticated with it, so
entries can't be exchanged. Contents are padded, so their length tells nothing.
"""

import base64
import binascii
import json
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = b"\x01"
PUBLIC_BYTES, NONCE_BYTES, KEY_BYTES = 32, 12, 32
PADDED_TO = 128
_INFO = b"atlas vault 1"


class CannotOpen(Exception):
    """The message is a sentence."""


def read_public_key(written: str) -> X25519PublicKey:
    """A public key as `make_vault_key` prints it. Raises ValueError, with a sentence."""
    try:
        raw = base64.b64decode(written.strip(), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != PUBLIC_BYTES or not any(raw):
        raise ValueError("This is no public key of a vault: 44 letters, digits and signs, ending with =.")
    return X25519PublicKey.from_public_bytes(raw)


def write_public_key(key: X25519PublicKey) -> str:
    return base64.b64encode(key.public_bytes_raw()).decode()


def private_key_pem(key: X25519PrivateKey, passphrase: bytes) -> bytes:
    """PKCS #8, encrypted where there is a passphrase."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def read_private_key(file: Path, passphrase: bytes = b"") -> X25519PrivateKey:
    """Raises CannotOpen; TypeError where a passphrase is needed and none is given."""
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), passphrase or None)
    except OSError as error:
        raise CannotOpen(f"{file} can't be read: {error.strerror}.") from error
    except ValueError as error:
        raise CannotOpen(f"{file} holds no private key, or the passphrase is another one.") from error
    if not isinstance(key, X25519PrivateKey):
        raise CannotOpen(f"{file} holds a key of another kind; make_vault_key makes the right one.")
    return key


def seal(content: dict[str, str], belongs_to: str, key: X25519PublicKey) -> bytes:
    """Version, fresh public key, ciphertext."""
    fresh = X25519PrivateKey.generate()
    fresh_public = fresh.public_key().public_bytes_raw()
    plain = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    plain += b" " * (-len(plain) % PADDED_TO)
    secret, nonce = _key_and_nonce(fresh.exchange(key), fresh_public, key.public_bytes_raw())
    return VERSION + fresh_public + ChaCha20Poly1305(secret).encrypt(nonce, plain, belongs_to.encode())


def unseal(sealed: bytes, belongs_to: str, key: X25519PrivateKey) -> dict[str, str]:
    """Raises CannotOpen for an entry that was changed, moved, or sealed to another key."""
    fresh_public, cipher = sealed[1 : 1 + PUBLIC_BYTES], sealed[1 + PUBLIC_BYTES :]
    if sealed[:1] != VERSION or len(fresh_public) != PUBLIC_BYTES:
        raise CannotOpen("The entry is of another version, or cut off.")
    try:
        shared = key.exchange(X25519PublicKey.from_public_bytes(fresh_public))
        secret, nonce = _key_and_nonce(shared, fresh_public, key.public_key().public_bytes_raw())
        content = json.loads(ChaCha20Poly1305(secret).decrypt(nonce, cipher, belongs_to.encode()))
    except (InvalidTag, ValueError) as error:
        raise CannotOpen("The entry was sealed to another key, or changed since.") from error
    return {str(name): str(value) for name, value in content.items()}


def _key_and_nonce(shared: bytes, fresh_public: bytes, public: bytes) -> tuple[bytes, bytes]:
    made = HKDF(hashes.SHA256(), KEY_BYTES + NONCE_BYTES, salt=fresh_public + public, info=_INFO).derive(
        shared
    )
    return made[:KEY_BYTES], made[KEY_BYTES:]
