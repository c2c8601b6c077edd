"""Pseudonyms, UIDs and shifts of dates by keyed hash: the same in, the same out, and no way back without
the organisation's secret (HMAC-SHA256, RFC 2104)."""

import base64
import hmac
from functools import lru_cache

SHIFT_DAYS_MAX = 3652  # ten years
SECRET_BYTES_MIN = 32


class Keys:
    """What one organisation's secret makes of its identifiers."""

    __slots__ = ("_digest", "uid")

    def __init__(self, secret: bytes) -> None:
        """Raises ValueError for a secret that could be guessed."""
        if len(secret) < SECRET_BYTES_MIN:
            raise ValueError(f"The secret of an organisation has at least {SECRET_BYTES_MIN} bytes.")

        def digest(purpose: bytes, *parts: str) -> bytes:
            # Lengths stand before parts, so that ("ab", "c") and ("a", "bc") differ.
            message = purpose + b"".join(
                len(encoded).to_bytes(4, "big") + encoded
                for encoded in (part.encode("utf-8", "surrogateescape") for part in parts)
            )
            return hmac.digest(secret, message, "sha256")

        def uid(original: str) -> str:
            """A UID below 2.25 (PS3.5 B.2: the number of a UUID) in the place of `original`."""
            number = bytearray(digest(b"uid", original)[:16])
            number[6] = number[6] & 0x0F | 0x80  # version 8, variant 1: RFC 9562 5.8
            number[8] = number[8] & 0x3F | 0x80
            return f"2.25.{int.from_bytes(number, 'big')}"

        self._digest = digest
        self.uid = lru_cache(maxsize=4096)(uid)  # a series repeats its study's, series' and frame's UIDs

    def subject(self, patient_id: str, issuer: str = "") -> str:
        """The pseudonym of a patient: 20 characters, 100 bits."""
        letters = base64.b32encode(self._digest(b"subject", patient_id, issuer)).decode()
        return letters[:20]

    def shift_days(self, patient_id: str, issuer: str = "") -> int:
        """By how many days the dates of this patient move: -1 to -3652, never 0."""
        number = int.from_bytes(self._digest(b"shift", patient_id, issuer)[:8], "big")
        return -1 - number % SHIFT_DAYS_MAX
