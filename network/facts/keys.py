"""The secret key of each subject, from which the noise of counts is made.

The node's secret lies in a file below KEYS_DIR, never in the database. Losing it only means that counts get
other noise; whoever gets hold of it can take the noise off.
"""

import hashlib
import hmac
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from django.conf import settings

from atlas.archive.keys import make_secret, read_secret
from network.facts.columns import Array

NAME = "counts.key"


def keys_of(public_ids: Iterable[str]) -> Array:
    """uint64, one a subject: HMAC-SHA256 of its public id, cut. Raises KeyUnusable."""
    secret = _secret()
    cut = [hmac.digest(secret, public_id.encode(), hashlib.sha256)[:8] for public_id in public_ids]
    return np.array([int.from_bytes(one) for one in cut], np.uint64)


def _secret() -> bytes:
    path = Path(settings.KEYS_DIR) / NAME
    try:
        return read_secret(path)
    except FileNotFoundError:
        make_secret(path)
        return read_secret(path)
