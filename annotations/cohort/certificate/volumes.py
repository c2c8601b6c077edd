"""NIfTI images, masks and label maps, read back by nibabel: voxels against pixels and marks, places against
the positions of the images (RAS to LPS). One slice in memory at a time."""

import gzip
import zlib
from collections.abc import Iterable
from typing import BinaryIO

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from annotations.cohort.certificate import journal
from annotations.cohort.certificate.findings import Differs, Findings, at
from annotations.cohort.certificate.pixels import values_of
from annotations.cohort.certificate.places import allowed_mm, corners_mm
from annotations.cohort.formats.plan import ImageVolume, LabelVolume, MaskVolume
from annotations.exchange.source import SourceSeries

READ_BY = ("nibabel",)

type Values = NDArray[np.generic]


def image(expected: ImageVolume, file: BinaryIO, findings: Findings) -> None:
    """Every voxel against stored pixels × slope + intercept, through pydicom's decoders."""
    volume = _opened(file, expected.series.source, findings)
    kind = volume.get_data_dtype()
    wanted = (
        values.astype(kind) if kind.kind == "f" else values for values in values_of(expected.series, findings)
    )
    _compare(volume, wanted, findings)


def mask(expected: MaskVolume, file: BinaryIO, findings: Findings, *, overlaps: bool) -> None:
    """1 in the voxels of the mark and 0 in all others. `overlaps`: with another mark of its read."""
    source, mark = expected.series.source, expected.mark
    volume = _opened(file, source, findings)
    findings.masks += 1
    findings.empty += journal.is_empty(mark)
    findings.overlapping += overlaps
    nothing = np.zeros((1, 1), dtype=np.bool_)  # as wide as needed when compared
    found = (journal.plane_on(mark, frame) for frame in source.frames)
    _compare(volume, (nothing if plane is None else plane for plane in found), findings)
    findings.masks_on_the_grid += 1
    findings.empty_kept += journal.is_empty(mark)
    findings.overlapping_kept += overlaps


def labels(expected: LabelVolume, file: BinaryIO, findings: Findings) -> None:
    """The label map that follows from the marks and the rule that later ones win."""
    source = expected.series.source
    volume = _opened(file, source, findings)
    findings.masks += len(expected.values)
    findings.overlapping_flattened += journal.cut_by_later(expected.values)
    _compare(volume, (journal.painted(expected.values, frame) for frame in source.frames), findings)
    findings.masks_on_the_grid += len(expected.values)


def _opened(file: BinaryIO, source: SourceSeries, findings: Findings) -> nib.Nifti1Image:
    """The volume, whose every slice lies where its image does. Raises Differs."""
    try:
        volume = nib.Nifti1Image.from_stream(gzip.GzipFile(fileobj=file))
    except Exception as error:  # whatever a damaged file makes of a reader
        raise Differs(f"nibabel can't open it ({type(error).__name__}: {error})") from error
    first = source.frames[0]
    shape = (first.columns, first.rows, len(source.frames))
    if volume.shape != shape:
        raise Differs(f"it has {_size(volume.shape)} voxels, and its images have {_size(shape)}")
    if int(volume.header["sform_code"]) < 1 or volume.header.get_xyzt_units()[0] != "mm":
        raise Differs("it does not say its place in the patient in millimetres")
    affines = [volume.get_sform()]
    if int(volume.header["qform_code"]) > 0:  # some readers take the one, some the other
        affines.append(volume.get_qform())
    for affine in affines:
        _require_places(affine, source, findings)
    return volume


def _require_places(affine_ras: NDArray[np.float64], source: SourceSeries, findings: Findings) -> None:
    allowed = allowed_mm(source)
    for index, frame in enumerate(source.frames):
        voxels = np.array([(0, 0, index), (frame.columns - 1, 0, index), (0, frame.rows - 1, index)])
        found = nib.affines.apply_affine(affine_ras, voxels) * (-1, -1, 1)
        off = np.linalg.norm(found - corners_mm(frame), axis=1)
        findings.place(float(off.max()))
        if not off.max() <= allowed:  # also where it is not a number
            column, row, _ = voxels[int(off.argmax())]
            raise Differs(f"{at(index, row, column)} lies {off.max():.3f} mm from where its image has it")


def _compare(volume: nib.Nifti1Image, wanted: Iterable[Values], findings: Findings) -> None:
    """Slice by slice; raises Differs after the last one, so that all are counted."""
    count = 0
    try:
        for index, expected in enumerate(wanted):
            found = np.asarray(volume.dataobj[..., index]).T
            count += 1
            findings.voxels_compared += found.size
            differs = found != expected
            if differs.any():
                row, column = map(int, np.argwhere(differs)[0])
                right = np.broadcast_to(expected, found.shape)[row, column]
                findings.differ(
                    int(np.count_nonzero(differs)),
                    f"{at(index, row, column)} holds {_value(found[row, column])} instead of {_value(right)}",
                )
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise Differs(f"slice {count + 1} can't be read by nibabel ({error})") from error
    if count != volume.shape[2]:
        raise Differs(f"it has {volume.shape[2]} slices, and its images {count}")
    findings.require_none()


def _value(value: object) -> str:
    return f"{float(value):g}"  # type: ignore[arg-type]


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
