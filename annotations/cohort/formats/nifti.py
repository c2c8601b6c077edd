"""Volumes for numpy: images in their units, and one mask a segment on the grid of its image.

cases/0314/images/CT_<series>.nii.gz
cases/0314/<reader>/masks/CT_<series>_<label>.nii.gz
"""

from collections.abc import Iterator
from typing import BinaryIO

from annotations.cohort.formats.plan import Format, ImageVolume, MaskVolume, PlannedFile, Write
from annotations.cohort.images import StoredSeries
from annotations.cohort.material import CaseMaterial, ReadMaterial, described, numbered
from annotations.exchange.marks import Mark
from annotations.exchange.nifti import NiftiWriter
from annotations.exchange.source import ExchangeError


def image_path(case: CaseMaterial, stored: StoredSeries) -> str:
    return f"{case.folder}/images/{stored.name}.nii.gz"


def mask_paths(read: ReadMaterial, stored: StoredSeries) -> list[tuple[Mark, str]]:
    """Each segment on a series with the path of its mask."""
    segments = read.segments_on(stored)
    names = numbered([mark.label["key"] for mark in segments], "_")
    return [
        (mark, f"{read.folder}/masks/{stored.name}_{name}.nii.gz")
        for mark, name in zip(segments, names, strict=True)
    ]


def image_writer(stored: StoredSeries, nifti: NiftiWriter) -> Write:
    """Writes every pixel of a series, rescaled. The database is asked here, not when it writes."""
    pixels = stored.pixels

    def write(stream: BinaryIO) -> None:
        try:
            nifti.write_image(stream, pixels, stored_range=stored.stored_range)
        except ExchangeError as error:
            raise ExchangeError(f"series {described(stored)}: {error}") from error

    return write


class Nifti(Format):
    key, title, holds = "nifti", "NIfTI", "volumes in RAS millimetres, one mask for each segment on its image"

    def of_case(self, case: CaseMaterial) -> Iterator[PlannedFile]:
        for stored in case.stored.values():
            nifti = case.nifti(stored)
            if not isinstance(nifti, NiftiWriter):
                continue
            yield PlannedFile(
                image_path(case, stored),
                image_writer(stored, nifti),
                holds_marks=False,
                is_apart=True,
                expected=ImageVolume(stored),
            )
            for read in case.reads:
                for mark, path in mask_paths(read, stored):
                    yield PlannedFile(
                        path, _mask(nifti, mark), read=read.pinned, expected=MaskVolume(stored, mark)
                    )


def _mask(nifti: NiftiWriter, mark: Mark) -> Write:
    return lambda stream: nifti.write_mask(stream, mark.planes)
