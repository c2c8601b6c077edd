"""Looks whether a file that should be de-identified already still names somebody."""

from typing import BinaryIO

from atlas.dicom.headers import Header


def check(file: BinaryIO, header: Header) -> list[str]:
    """Sentences naming the attributes that still identify a person, never their values; [] if none does.

    Raises NotDicom or Unreadable.
    """
    raise NotImplementedError
