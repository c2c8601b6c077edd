"""Writes NIfTI-1 images and masks (RAS millimetres) straight from frames, slice by slice.

A frame's pixels lie in memory in the order NIfTI wants them, the column index fastest, so masks and very
large images need the memory of one frame. Image and masks of a series share shape and affine by construction.
"""

import math
import struct
import zlib
from collections.abc import Buffer, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, BinaryIO

import imagecodecs
import nibabel as nib
import numpy as np
from numpy.typing import DTypeLike, NDArray

from annotations.exchange.grid import Grid
from annotations.exchange.label_volume import Values, label_planes, label_type, require_own_frames
from annotations.exchange.source import ExchangeError, FrameKey, SourceSeries
from annotations.measures import masks

WHOLE_BYTES_MAX = 256 * 1024 * 1024
"""Images up to this size are compressed in one piece: twice as fast, and smaller. Noise holds no repetitions
worth a search, masks hold runs."""

_LEVEL = 6
_GZIP_HEADER = bytes.fromhex("1f8b0800000000000003")  # RFC 1952: deflate, no flags, no time, made on Unix
_INT16 = np.iinfo(np.int16)

type Frame = NDArray[np.generic]


@dataclass(frozen=True)
class NiftiWriter:
    """Writes one series' image and masks; `of` refuses series that are no regular volume of grey values."""

    source: SourceSeries
    grid: Grid

    @classmethod
    def of(cls, source: SourceSeries) -> "NiftiWriter":
        """Raises ExchangeError with the reason where NIfTI can't hold this series."""
        if not source.photometric.startswith("MONOCHROME"):
            raise ExchangeError(f"its pixels are colours ({source.photometric}), not values")
        return cls(source, Grid.of(source))

    def write_image(
        self,
        stream: BinaryIO,
        frames: Iterable[Frame],
        *,
        stored_range: tuple[int, int] | None,
    ) -> None:
        """The values, rescaled to the series' units (HU for CT): int16 or int32 where exact, else float32.

        `frames`: stored values, int[rows, columns], in display order; they may be gone through twice;
        `stored_range` is the smallest and largest value that the pixel format can hold, None for floats.
        """
        kind = self._image_type(frames, stored_range)
        values = (self._rescaled(frame, index, kind) for index, frame in enumerate(self._counted(frames)))
        self._write(stream, values, kind, is_image=True, description=_described(self.source.units))

    def write_mask(self, stream: BinaryIO, planes: Mapping[FrameKey, bytes]) -> None:
        """A mask, uint8: 1 inside, 0 outside. Frames without a plane are empty, and are written too."""
        require_own_frames(self.source, [(1, planes)])
        empty = np.zeros((self.grid.rows, self.grid.columns), dtype=np.uint8)
        values = (
            masks.decode(planes[frame.key], frame.rows, frame.columns).astype(np.uint8)
            if frame.key in planes
            else empty
            for frame in self.source.frames
        )
        self._write(stream, values, np.uint8, description="Atlas mask, RAS mm")

    def write_labels(self, stream: BinaryIO, values: Values) -> None:
        """A label map: the number of a mask in its voxels, 0 outside of all. The later mask wins."""
        self._write(
            stream,
            label_planes(self.source, values),
            label_type(values),
            description="Atlas labels, RAS mm",
        )

    def _image_type(
        self, frames: Iterable[Frame], stored_range: tuple[int, int] | None
    ) -> type[np.int16] | type[np.int32] | type[np.float32]:
        lines = [_line(frame.slope, frame.intercept) for frame in self.source.frames]
        if stored_range is None or any(
            slope != 1 or intercept != int(intercept) for slope, intercept in lines
        ):
            return np.float32
        intercepts = [intercept for _, intercept in lines]
        if _fits_int16(stored_range[0] + min(intercepts), stored_range[1] + max(intercepts)):
            return np.int16
        # The format could hold more than 16 bits after rescaling; only the values tell whether it does.
        lowest, highest = 0.0, 0.0
        for frame, intercept in zip(frames, intercepts, strict=False):
            lowest = min(lowest, int(frame.min()) + intercept)
            highest = max(highest, int(frame.max()) + intercept)
        return np.int16 if _fits_int16(lowest, highest) else np.int32

    def _counted(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        count = 0
        for frame in frames:
            if frame.shape != (self.grid.rows, self.grid.columns):
                raise ExchangeError(
                    f"slice {count + 1} has {frame.shape[0]} × {frame.shape[1]} pixels, not "
                    f"{self.grid.rows} × {self.grid.columns}"
                )
            count += 1
            yield frame
        if count != self.grid.slices:
            raise ExchangeError(f"it has {self.grid.slices} slices, but {count} could be read")

    def _rescaled(self, frame: Frame, index: int, kind: DTypeLike) -> Frame:
        slope, intercept = _line(self.source.frames[index].slope, self.source.frames[index].intercept)
        if kind != np.float32:
            # Both may wrap around; their sum doesn't, as `kind` was chosen to hold it.
            return np.add(frame, np.int64(intercept).astype(kind), dtype=kind, casting="unsafe")
        return (frame.astype(np.float64) * slope + intercept).astype(np.float32)

    def _write(
        self,
        stream: BinaryIO,
        slices: Iterable[Frame],
        kind: DTypeLike,
        *,
        is_image: bool = False,
        description: str,
    ) -> None:
        stored = np.dtype(kind).newbyteorder("<")
        header = self._header(kind, description)
        shape = self.grid.slices, self.grid.rows, self.grid.columns
        if is_image and math.prod(shape) * stored.itemsize <= WHOLE_BYTES_MAX:
            stream.write(imagecodecs.gzip_encode(_joined(header, slices, shape, stored), level=1))
            return
        packer = _Packer(stream)
        packer.write(header)
        for values in slices:
            if values.any():
                packer.write(np.ascontiguousarray(values, dtype=stored).data.cast("B"))
            else:
                packer.write_zeros(values.size * stored.itemsize)
        packer.close()

    def _header(self, kind: DTypeLike, description: str) -> bytes:
        """Header and the four bytes that say no extension follows."""
        header = nib.Nifti1Header(endianness="<")
        header.set_data_dtype(np.dtype(kind))
        header.set_data_shape((self.grid.columns, self.grid.rows, self.grid.slices))
        affine = self.grid.affine_ras_mm
        header.set_zooms(self.grid.voxel_size_mm)
        header.set_sform(affine, code="scanner")
        header.set_qform(affine, code="scanner")
        header.set_xyzt_units("mm")
        header.set_slope_inter(1, 0)
        header["descrip"] = description.encode("ascii", "replace")[:79]
        header["magic"] = b"n+1"
        header["vox_offset"] = 352
        return bytes(header.binaryblock) + b"\0\0\0\0"


def _joined(
    header: bytes, slices: Iterable[Frame], shape: tuple[int, int, int], stored: np.dtype[Any]
) -> NDArray[np.uint8]:
    """The whole file before it is compressed."""
    whole = np.empty(len(header) + math.prod(shape) * stored.itemsize, dtype=np.uint8)
    whole[: len(header)] = np.frombuffer(header, dtype=np.uint8)
    volume = whole[len(header) :].view(stored).reshape(shape)
    for at, values in enumerate(slices):
        volume[at] = values
    return whole


class _Packer:
    """Compresses into one gzip member without name and time. Slices that hold nothing, as most of a mask, are
    compressed once."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._deflate = _deflater()
        self._crc32 = self._size = 0
        self._is_between = True  # whole bytes are written, and nothing that follows refers to them
        stream.write(_GZIP_HEADER)

    def write(self, data: Buffer) -> None:
        self._stream.write(self._deflate.compress(data))
        self._count(data)
        self._is_between = False

    def write_zeros(self, size: int) -> None:
        if not self._is_between:
            self._stream.write(self._deflate.flush(zlib.Z_FULL_FLUSH))
            self._is_between = True
        zeros, packed = _zeros(size)
        self._stream.write(packed)
        self._count(zeros)

    def close(self) -> None:
        self._stream.write(self._deflate.flush())
        self._stream.write(struct.pack("<II", self._crc32, self._size % 2**32))

    def _count(self, data: Buffer) -> None:
        self._crc32 = zlib.crc32(data, self._crc32)
        self._size += len(memoryview(data))


def _deflater() -> "zlib._Compress":
    return zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, strategy=zlib.Z_RLE)


@lru_cache(maxsize=8)
def _zeros(size: int) -> tuple[bytes, bytes]:
    """So many bytes, and what they are compressed; other data may stand before and after it."""
    zeros, deflate = bytes(size), _deflater()
    return zeros, deflate.compress(zeros) + deflate.flush(zlib.Z_FULL_FLUSH)


def _described(units: str) -> str:
    """What the header says of an image: units of its values, and axes and unit of its places."""
    return f"Atlas {units}, RAS mm" if units else "Atlas, RAS mm"


def _fits_int16(lowest: float, highest: float) -> bool:
    return _INT16.min <= lowest and highest <= _INT16.max


def _line(slope: float | None, intercept: float | None) -> tuple[float, float]:
    return (1.0 if slope is None else float(slope)), (0.0 if intercept is None else float(intercept))
