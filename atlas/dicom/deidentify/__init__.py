"""De-identifies one file at a time: PS3.15 Annex E, without Django, by its bytes.

What is kept is copied as it stands; pixels are never read. `deidentify` rewrites, `check` looks at files
that somebody else de-identified.
"""

from atlas.dicom.deidentify.checking import check
from atlas.dicom.deidentify.keys import Keys
from atlas.dicom.deidentify.profile import OPTIONS, Option, Profile
from atlas.dicom.deidentify.result import Change, Original, Refused, Rewritten
from atlas.dicom.deidentify.rewriting import deidentify

__all__ = [
    "OPTIONS",
    "Change",
    "Keys",
    "Option",
    "Original",
    "Profile",
    "Refused",
    "Rewritten",
    "check",
    "deidentify",
]
