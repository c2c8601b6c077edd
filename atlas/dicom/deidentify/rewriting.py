"""Rewrites a file's header element by element; what is kept is copied as it stands."""

from typing import BinaryIO

from atlas.dicom.deidentify.keys import Keys
from atlas.dicom.deidentify.profile import Profile
from atlas.dicom.deidentify.result import Rewritten


def deidentify(file: BinaryIO, profile: Profile, keys: Keys, *, explain: bool = False) -> Rewritten:
    """De-identify a seekable Part 10 file. `changes` is filled only with `explain`.

    Raises NotDicom, Unreadable, and Refused for what can't be de-identified safely.
    """
    raise NotImplementedError
