"""The stored frames of a DICOM Segmentation, one by one: bits or bytes, in any transfer syntax."""

import zlib
from collections.abc import Callable, Iterator

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels import iter_pixels
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from annotations.exchange.source import ExchangeError
from annotations.measures.masks import PIXELS_MAX

_LITTLE_ENDIAN = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)


def stored_frames(dataset: Dataset) -> Iterator[NDArray[np.uint8]]:
    """Each frame, [rows, columns], as stored; a decoded frame never lies in memory beside the others.

    Raises ExchangeError where there are none, or they can't be decoded.
    """
    if "PixelData" not in dataset:
        raise ExchangeError("It has no pixel data.")
    if not 1 <= int(dataset.Rows) * int(dataset.Columns) <= PIXELS_MAX:
        raise ExchangeError(f"Frames of {dataset.Rows} × {dataset.Columns} pixels can't be read.")
    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        if dataset.BitsAllocated == 1 and syntax in _LITTLE_ENDIAN:
            yield from _bits(dataset)
        elif dataset.BitsAllocated == 1 and syntax in _BIT_CODECS:
            yield from _encapsulated_bits(dataset, _BIT_CODECS[syntax])
        else:
            yield from iter_pixels(dataset, raw=True)
    except (NotImplementedError, RuntimeError, ValueError, AttributeError, zlib.error) as error:
        raise ExchangeError(f"Its pixels can't be decoded ({syntax.name}): {error}") from error


def _encapsulated_bits(
    dataset: Dataset, decode: Callable[[bytes, int], bytes]
) -> Iterator[NDArray[np.uint8]]:
    """1-bit frames, each compressed by itself and padded to whole bytes (PS3.5 A.4.13)."""
    pixels = dataset.Rows * dataset.Columns
    for frame in generate_frames(dataset.PixelData, number_of_frames=int(dataset.NumberOfFrames)):
        packed = np.frombuffer(decode(frame, -(-pixels // 8)), dtype=np.uint8)
        yield np.unpackbits(packed, bitorder="little")[:pixels].reshape(dataset.Rows, dataset.Columns)


def _inflate(frame: bytes, length: int) -> bytes:
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(frame, length)


def _from_rle(frame: bytes, length: int) -> bytes:
    """One segment after a header of 64 bytes (PS3.5 G.5)."""
    if int.from_bytes(frame[:4], "little") != 1:
        raise ValueError("a frame of bits has one run-length segment")
    return bytes(imagecodecs.packbits_decode(frame[64:], out=length))


def _bits(dataset: Dataset) -> Iterator[NDArray[np.uint8]]:
    """Native 1-bit frames, which follow each other without padding to whole bytes (PS3.5 8.2)."""
    octets = np.frombuffer(dataset.PixelData, dtype=np.uint8)
    pixels = dataset.Rows * dataset.Columns
    for index in range(int(dataset.NumberOfFrames)):
        first, last = index * pixels, (index + 1) * pixels
        bits = np.unpackbits(octets[first // 8 : -(-last // 8)], bitorder="little")[first % 8 :][:pixels]
        if bits.size < pixels:
            raise ExchangeError(f"Its pixel data end within frame {index + 1}.")
        yield bits.reshape(dataset.Rows, dataset.Columns)


_BIT_CODECS: dict[str, Callable[[bytes, int], bytes]] = {
    "1.2.840.10008.1.2.8.1": _inflate,  # deflated image frames
    str(RLELossless): _from_rle,
}
