"""Secrets that the node hands out are long and random, so a plain digest of them is safe to keep."""

import hashlib


def digest_of(secret: str) -> str:
    """SHA-256, 64 hexadecimal characters."""
    return hashlib.sha256(secret.encode()).hexdigest()
