"""The images of a case as they are stored: their manifest, headers and pixel values."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import Dataset

from annotations.exchange.source import ExchangeError, FrameKey, SourceSeries
from atlas.archive.generations import FrameTable, read_frame_table, read_manifest
from atlas.archive.storage import open_instance, storage
from atlas.dicom import decoding, frames, headers
from atlas.models import Instance, Series


@dataclass(frozen=True)
class StoredSeries:
    """One image series in storage."""

    series: Series

    @property
    def name(self) -> str:
        """As files and folders are called by it: CT_<series>."""
        return f"{self.series.modality}_{self.series.public_id}"

    @cached_property
    def manifest(self) -> dict[str, Any]:
        if not self.series.manifest_key:
            raise ExchangeError("its images are still being taken in")
        return read_manifest(self.series.manifest_key)

    @cached_property
    def source(self) -> SourceSeries:
        return SourceSeries.from_manifest(
            self.manifest, study_instance_uid=self.series.study.study_instance_uid
        )

    @cached_property
    def instances(self) -> dict[str, Instance]:
        """By SOP Instance UID."""
        rows = Instance.objects.filter(series=self.series, hold=Instance.Hold.NONE)
        return {one.sop_instance_uid: one for one in rows}

    @property
    def sop_classes(self) -> dict[str, str]:
        return {uid: instance.sop_class_uid for uid, instance in self.instances.items()}

    def header(self) -> Dataset:
        """What the first image says about patient, study and series."""
        first = self.source.frames[0].key.sop_instance_uid
        with open_instance(self.instances[first]) as file:
            return pydicom.dcmread(file, stop_before_pixels=True)

    @property
    def stored_range(self) -> tuple[int, int] | None:
        """The smallest and largest value that the pixel format can hold; None for floating-point values."""
        if self.manifest["pixel"].get("floating"):
            return None
        bits = self.manifest["pixel"]["bits_stored"]
        return (
            (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
            if self.manifest["pixel"]["signed"]
            else (0, 2**bits - 1)
        )

    def spoilt(self, what: str) -> str:
        """What quality findings say that spoil “volume”, “millimetres” or “units”; empty where none does."""
        found = [f["sentence"] for f in self.manifest.get("findings", ()) if what in f["spoils"]]
        return " ".join(found)

    @cached_property
    def pixels(self) -> "PixelReader":
        """The stored values of its frames. The database is asked here, and no more when they are read."""
        plain = _plain_frames(self.manifest, read_frame_table(self.series.manifest_key))
        return PixelReader(self.source, plain, self.instances)

    def frame_pixels(self, key: FrameKey) -> NDArray[np.generic]:
        """Stored values of one frame, int[rows, columns], or its colours, [rows, columns, 3]."""
        try:
            with open_instance(self.instances[key.sop_instance_uid]) as file:
                return _Decoder(file).frame(key.frame_number)
        except (decoding.CannotDecode, frames.NoFrames, headers.Unreadable) as error:
            raise ExchangeError(f"image {key.sop_instance_uid} can't be read: {error}") from error


@dataclass(frozen=True, slots=True)
class _Plain:
    """Where the values of a frame lie in storage as numpy would have them."""

    object_key: str
    offset: int
    rows: int
    columns: int
    kind: np.dtype[Any]

    @property
    def size(self) -> int:
        return self.rows * self.columns * self.kind.itemsize


def _plain_frames(manifest: Mapping[str, Any], table: FrameTable) -> list[_Plain | None]:
    """Of every frame in display order; None for one that has to be decoded. Sealing has looked into each, so
    headers aren't parsed again."""
    overrides = manifest.get("overrides", {})
    found: list[_Plain | None] = []
    for index, (number, *ranges) in enumerate(table.frames):
        pixel = {**manifest["pixel"], **overrides.get(str(index), {}).get("pixel", {})}
        is_native = manifest["syntaxes"][manifest["frames"]["syntax"][index]] == headers.EXPLICIT_LITTLE
        is_grey = pixel["samples"] == 1 and pixel["photometric"] in ("MONOCHROME1", "MONOCHROME2")
        plain = None
        if is_native and is_grey and pixel["bits_allocated"] >= 8 and len(ranges) == 2:
            letter = "f" if pixel.get("floating") else "i" if pixel["signed"] else "u"
            kind = np.dtype(f"<{letter}{pixel['bits_allocated'] // 8}")
            plain = _Plain(table.objects[number], ranges[0], pixel["rows"], pixel["columns"], kind)
        found.append(plain if plain and plain.size == ranges[1] else None)
    return found


@dataclass(frozen=True)
class PixelReader:
    """Reads what is stored of a series' frames; one frame is in memory at a time."""

    source: SourceSeries
    plain: list[_Plain | None]
    instances: Mapping[str, Instance]
    """By SOP Instance UID."""

    def __iter__(self) -> Iterator[NDArray[np.generic]]:
        """Values of each frame in display order, int[rows, columns]."""
        with closing(_Opened()) as opened:
            for frame, plain in zip(self.source.frames, self.plain, strict=True):
                uid, number = frame.key
                try:
                    if plain is not None:
                        yield opened.values(plain)
                    else:
                        yield opened.decoder(self.instances[uid]).frame(number)
                except (decoding.CannotDecode, frames.NoFrames, headers.Unreadable) as error:
                    raise ExchangeError(f"image {uid} can't be read: {error}") from error


class _Opened:
    """Keeps the object or image open that was read last: the next frame mostly lies in it, too."""

    def __init__(self) -> None:
        self._what: object = None
        self._file: BinaryIO | None = None
        self._decoder: _Decoder | None = None

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def values(self, plain: _Plain) -> NDArray[np.generic]:
        file = self._open(plain.object_key, lambda: storage().open(plain.object_key))
        file.seek(plain.offset)
        stored = file.read(plain.size)
        if len(stored) < plain.size:
            raise ExchangeError("an image is cut off in storage")
        return np.frombuffer(stored, plain.kind).reshape(plain.rows, plain.columns)

    def decoder(self, instance: Instance) -> "_Decoder":
        file = self._open(instance.pk, lambda: open_instance(instance))
        if self._decoder is None:
            self._decoder = _Decoder(file)
        return self._decoder

    def _open(self, what: object, open_it: Callable[[], BinaryIO]) -> BinaryIO:
        if self._file is None or self._what != what:
            self.close()
            self._what, self._decoder, self._file = what, None, open_it()
        return self._file


class _Decoder:
    """Decodes the frames of one open Part 10 file."""

    def __init__(self, file: BinaryIO) -> None:
        self.header = headers.read_header(file)
        self.file = headers.inflated(file) if self.header.transfer_syntax_uid == headers.DEFLATED else file
        self.pixel = frames.pixel_format(self.header)
        self.ranges = frames.frame_ranges(self.file, self.header, self.pixel)

    def frame(self, number: int) -> NDArray[np.generic]:
        ranges = self.ranges[number - 1] if number <= len(self.ranges) else None
        if ranges is None:
            raise ExchangeError(f"frame {number} is cut off")
        pieces = []
        for offset, length in ranges:
            self.file.seek(offset)
            pieces.append(self.file.read(length))
        return decoding.decode_frame(self.header, self.pixel, b"".join(pieces), number - 1)
