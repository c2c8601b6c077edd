"""The voxels of a prediction's file, by label, on the frames of the series it is about.

NIfTI may come with its axes swapped or turned, as many tools leave it, but not on another grid: voxels that
were resampled aren't the voxels that were asked for. All masks are bool[frames, rows, columns] in the order
of the series' display.
"""

import gzip
import zlib
from collections.abc import Mapping, Sequence
from typing import BinaryIO

import nibabel as nib
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.errors import InvalidDicomError

from annotations.cohort.formats.labelling import NumberedLabel
from annotations.exchange.derived import ReadSegment
from annotations.exchange.grid import Grid
from annotations.exchange.seg_reader import read_seg
from annotations.exchange.source import ExchangeError, SourceSeries
from annotations.measures import masks

type Mask = NDArray[np.bool_]

OFF_MM = 0.05  # by which a corner of the volume may lie beside that of its image
HEADER_BYTES = 352
MANY = 5  # values, labels or segments named in a sentence
DATA_TYPES = ("u", "i", "f", "b")


def from_nifti(
    file: BinaryIO, source: SourceSeries, labels: Sequence[NumberedLabel], only: str
) -> dict[str, Mask]:
    """By label key. `only`: the label of a mask; without, a label map by the numbers of `labels`."""
    values = _on_the_grid(_image(file, source), Grid.of(source))
    if not np.isfinite(values).all():
        raise ExchangeError("it has values that are no numbers")
    if only:
        if only not in {each.key for each in labels}:
            raise ExchangeError(
                f"the release has no label {only!r}; it has {_named([e.key for e in labels])}"
            )
        return {only: values != 0}
    by_number = {each.number: each.key for each in labels}
    found = set(np.unique(values).tolist()) - {0}
    unknown = sorted(found - set(by_number))
    if unknown:
        raise ExchangeError(
            f"it has values that stand for no label: {_named([f'{value:g}' for value in unknown])}; the "
            f"release's are {_named([f'{number} ({key})' for number, key in by_number.items()])}"
        )
    return {key: values == number for number, key in by_number.items()}


def from_seg(file: BinaryIO, source: SourceSeries, labels: Sequence[NumberedLabel]) -> dict[str, Mask]:
    """By label key; several segments of one label are taken together."""
    try:
        read = read_seg(pydicom.dcmread(file), [source])
    except (InvalidDicomError, AttributeError, KeyError, ValueError, EOFError) as error:
        raise ExchangeError("it can't be read as a DICOM Segmentation") from error
    shape = (len(source.frames), source.frames[0].rows, source.frames[0].columns)
    place = {frame.key: at for at, frame in enumerate(source.frames)}
    found: dict[str, Mask] = {each.key: np.zeros(shape, dtype=np.bool_) for each in labels}
    for segment in read.segments:
        key = _label_of(segment, labels)
        for frame, runs in segment.planes.items():
            found[key][place[frame]] |= masks.decode(runs, *shape[1:])
    return found


def _label_of(segment: ReadSegment, labels: Sequence[NumberedLabel]) -> str:
    """By its code where just one label has that, else by its name."""
    if segment.meaning is not None:
        wanted = (segment.meaning.scheme, segment.meaning.value)
        coded = [each.key for each in labels if _code(each.label) == wanted]
        if len(coded) == 1:
            return coded[0]
    said = segment.label.strip().casefold()
    for each in labels:
        if said in (each.key.casefold(), str(each.label["name"]).casefold()):
            return each.key
    raise ExchangeError(
        f"its segment {segment.number} (“{segment.label}”) is none of the release's labels: "
        f"{_named([str(each.label['name']) for each in labels])}"
    )


def _code(label: Mapping[str, object]) -> tuple[str, str] | None:
    code = label.get("code")
    return (code["scheme"], code["value"]) if isinstance(code, dict) and code.get("value") else None


# NIfTI --------------------------------------------------------------------------------------------------


def _image(file: BinaryIO, source: SourceSeries) -> nib.Nifti1Image:
    """With its voxels, after its header has said that they are as many as those of the series."""
    grid = Grid.of(source)
    voxels = grid.columns * grid.rows * grid.slices
    content = _unpacked(file, HEADER_BYTES + voxels * 8)
    try:
        image = nib.Nifti1Image.from_bytes(content)
        kind = image.get_data_dtype()
    except Exception as error:  # whatever a parser says of someone's bytes
        raise ExchangeError("it can't be read as NIfTI") from error
    if kind.kind not in DATA_TYPES or kind.fields is not None:
        raise ExchangeError(f"its voxels are {kind}, and labels are whole numbers")
    shape = tuple(one for at, one in enumerate(image.shape) if at < 3 or one != 1)
    if len(shape) != 3 or sorted(shape) != sorted((grid.columns, grid.rows, grid.slices)):
        raise ExchangeError(
            f"it has {' × '.join(map(str, image.shape))} voxels, and the image "
            f"{grid.columns} × {grid.rows} × {grid.slices}"
        )
    return image


def _unpacked(file: BinaryIO, most: int) -> bytes:
    """A header may promise anything: more bytes than the image has voxels are never made."""
    start = file.read(2)
    file.seek(0)
    try:
        content = (gzip.GzipFile(fileobj=file, mode="rb") if start == b"\x1f\x8b" else file).read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ExchangeError("it is cut off, or no gzip file") from error
    if len(content) > most:
        raise ExchangeError("it is larger than the voxels of its image can be")
    return bytes(content)


def _on_the_grid(image: nib.Nifti1Image, grid: Grid) -> NDArray[np.float64]:
    """Its values as [slices, rows, columns] of the image, where both have the same voxels."""
    if image.affine is None or not np.isfinite(image.affine).all():
        raise ExchangeError("it doesn't say where it lies in the patient")
    try:
        way = np.linalg.inv(grid.affine_ras_mm) @ image.affine  # from its indices to the image's
    except np.linalg.LinAlgError as error:
        raise ExchangeError("it doesn't say where it lies in the patient") from error
    turn = np.rint(way[:3, :3]).astype(int)
    size = np.array((grid.columns, grid.rows, grid.slices))
    shape = np.array(image.shape[:3])
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in shape], indexing="ij")).reshape(3, -1)
    if (np.abs(turn).sum(axis=0) == 1).all() and (np.abs(turn).sum(axis=1) == 1).all():
        start = np.where(turn.sum(axis=1) < 0, size - 1, 0)
        meant = turn @ corners + start[:, None]
        real = way[:3, :3] @ corners + way[:3, 3:]
        off_mm = np.linalg.norm(grid.affine_ras_mm[:3, :3] @ (real - meant), axis=0).max()
        if off_mm <= OFF_MM and (np.abs(turn) @ shape == size).all():
            values = np.asanyarray(image.dataobj, dtype=np.float64).reshape(tuple(shape))
            return _turned(values, turn)
        if (np.abs(turn) @ shape == size).all() and off_mm < 1e6:
            raise ExchangeError(f"it lies {off_mm:.2f} mm beside its image")
    raise ExchangeError("its voxels aren't those of its image: don't resample what you hand in")


def _turned(values: NDArray[np.float64], turn: NDArray[np.int_]) -> NDArray[np.float64]:
    """[column, row, slice] in whatever order and direction, to [slice, row, column] of the image."""
    order = np.abs(turn).argmax(axis=1)  # which of its axes is the image's column, row, slice
    values = values.transpose(order)
    for axis in range(3):
        if turn[axis].sum() < 0:
            values = np.flip(values, axis)
    return values.transpose(2, 1, 0)


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - MANY} more" if len(names) > MANY else ""
    return ", ".join(names[:MANY]) + more
