"""Unique identifiers that follow from what they name: writing the same thing twice gives the same file."""

from uuid import UUID, uuid5

from pydicom.uid import UID

_ATLAS = UUID("9d0f6a0e-6b0e-5f0c-8b9b-2f6f3a7c1d54")  # the name space of everything this product derives


def derived_uid(*parts: str | int) -> UID:
    """A DICOM UID (PS3.5 B.2, root 2.25) for these parts: the same parts always give the same one."""
    return uid_of(uuid5(_ATLAS, "\x1f".join(map(str, parts))))


def uid_of(identity: UUID) -> UID:
    """The DICOM UID that stands for a UUID (PS3.5 B.2)."""
    return UID(f"2.25.{identity.int}")
