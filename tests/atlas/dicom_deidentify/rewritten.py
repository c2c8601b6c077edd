"""De-identifies bytes for tests."""

import io

import pydicom
from pydicom.dataset import Dataset

from atlas.dicom.deidentify import Keys, Profile, Rewritten, deidentify

KEYS = Keys(b"a secret of at least 32 bytes, for tests only")


def whole(result: Rewritten) -> bytes:
    """The new file: what its reader would store."""
    offset, length = result.body
    result.source.seek(offset)
    return result.head + result.source.read(length) + result.tail


def done(file: bytes, profile: Profile | None = None, keys: Keys = KEYS) -> bytes:
    return whole(deidentify(io.BytesIO(file), profile or Profile(), keys))


def read(file: bytes, *options: str) -> Dataset:
    """The de-identified file, as pydicom reads it."""
    return pydicom.dcmread(io.BytesIO(done(file, Profile.of(options))))
