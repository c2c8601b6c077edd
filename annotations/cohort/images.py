"""The images of a case as they are stored: their manifest, headers and pixel values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import Dataset

from annotations.exchange.source import ExchangeError, FrameKey, SourceSeries
from atlas.archive.generations import read_manifest
from atlas.archive.storage import open_instance
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

    def pixels(self) -> Iterator[NDArray[np.generic]]:
        """Stored values of each frame in display order, int[rows, columns]; one frame in memory at a time."""
        return pixels_of(self.source, self.instances)

    def frame_pixels(self, key: FrameKey) -> NDArray[np.generic]:
        """Stored values of one frame, int[rows, columns], or its colours, [rows, columns, 3]."""
        try:
            with open_instance(self.instances[key.sop_instance_uid]) as file:
                return _Decoder(file).frame(key.frame_number)
        except (decoding.CannotDecode, frames.NoFrames, headers.Unreadable) as error:
            raise ExchangeError(f"image {key.sop_instance_uid} can't be read: {error}") from error


def pixels_of(source: SourceSeries, instances: Mapping[str, Instance]) -> Iterator[NDArray[np.generic]]:
    """As `StoredSeries.pixels`, without asking the database. `instances`: by SOP Instance UID."""
    opened: tuple[str, BinaryIO, _Decoder] | None = None
    try:
        for frame in source.frames:
            uid, number = frame.key
            if opened is None or opened[0] != uid:
                if opened is not None:
                    opened[1].close()
                file = open_instance(instances[uid])
                opened = (uid, file, _Decoder(file))
            yield opened[2].frame(number)
    except (decoding.CannotDecode, frames.NoFrames, headers.Unreadable) as error:
        raise ExchangeError(f"image {uid} can't be read: {error}") from error
    finally:
        if opened is not None:
            opened[1].close()


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
