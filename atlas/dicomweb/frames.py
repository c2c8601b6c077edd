"""Frames of an instance: where their bytes are, and which bytes go out for what a request accepts."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from atlas.archive.generations import read_frame_table, read_manifest
from atlas.archive.storage import ObjectMissing, open_instance
from atlas.dicom.decoding import CannotDecode, decode_frame, to_little_endian
from atlas.dicom.frames import (
    NATIVE,
    NoFrames,
    PixelFormat,
    Ranges,
    frame_ranges,
    pixel_format,
    read_ranges,
)
from atlas.dicom.headers import (
    DEFLATED,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    Header,
    NotDicom,
    Unreadable,
    inflated,
    read_header,
)
from atlas.dicomweb.answers import Problem
from atlas.dicomweb.located import Located, Row
from atlas.dicomweb.media import Media, accepted

OCTETS = "application/octet-stream"
FRAMES_REMEMBERED_MAX = 200_000
SERIES_REMEMBERED_MAX = 2000
_JPEG, _JLS, _JP2, _HTJ2K = "image/jpeg", "image/jls", "image/jp2", "image/jphc"
MEDIA_OF_SYNTAX = {  # PS3.18 8.7.3.4
    **{f"1.2.840.10008.1.2.4.{end}": _JPEG for end in ("50", "51", "57", "70")},
    **{f"1.2.840.10008.1.2.4.{end}": _JLS for end in ("80", "81")},
    **{f"1.2.840.10008.1.2.4.{end}": _JP2 for end in ("90", "91")},
    **{f"1.2.840.10008.1.2.4.{end}": _HTJ2K for end in ("201", "202", "203")},
    "1.2.840.10008.1.2.5": "image/dicom-rle",
}


@dataclass(frozen=True, slots=True)
class Frames:
    """`ranges` of each frame count within the instance; None is a frame that is cut off. Where `is_plain`,
    they are what Explicit VR Little Endian has."""

    transfer_syntax_uid: str
    ranges: list[Ranges | None]
    is_plain: bool
    is_inflated: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """How frames go out: `media_type` with its parameters, decoded or as they are stored."""

    media_type: str
    part_type: str
    is_decoded: bool
    is_multipart: bool


_known: OrderedDict[tuple[str, int], Frames] = OrderedDict()
_last_sealed: OrderedDict[int, str] = OrderedDict()  # manifests whose frames were remembered


async def frames_of(located: Located, row: Row) -> Frames:
    """Raises Problem where the instance has none that can be addressed; ObjectMissing."""
    key = (row.object_key, row.object_offset)
    found = _known.get(key)
    if found is not None:
        return found
    if located.manifest_key and _last_sealed.get(located.pk) != located.manifest_key:
        _last_sealed[located.pk] = located.manifest_key
        if len(_last_sealed) > SERIES_REMEMBERED_MAX:
            _last_sealed.popitem(last=False)
        _remember(await asyncio.to_thread(_sealed, located))
        found = _known.get(key)
    if found is None:
        found = await asyncio.to_thread(read_frames, row)
        _remember({key: found})
    return found


def _remember(found: dict[tuple[str, int], Frames]) -> None:
    for key, frames in found.items():
        if len(frames.ranges) <= FRAMES_REMEMBERED_MAX // 100:
            _known[key] = frames
    while len(_known) > FRAMES_REMEMBERED_MAX // 10:
        _known.popitem(last=False)


def _sealed(located: Located) -> dict[tuple[str, int], Frames]:
    """Frames of all instances of a sealed series at once, from what sealing found. Those that were decoded
    there, or are cut off, are left to be read from their files."""
    try:
        table = read_frame_table(located.manifest_key)
        told = read_manifest(located.manifest_key)["frames"]
    except ObjectMissing:
        return {}
    ranges: dict[str, list[Ranges | None]] = {}
    for (number, *span), uid, frame in zip(table.frames, told["sop"], told["frame"], strict=True):
        row = located.rows.get(uid)
        if row is None or table.objects[number] != row.object_key or not 1 <= frame <= row.number_of_frames:
            continue
        own = ranges.setdefault(uid, [None] * row.number_of_frames)
        own[frame - 1] = tuple((span[at] - row.object_offset, span[at + 1]) for at in range(0, len(span), 2))
    found: dict[tuple[str, int], Frames] = {}
    for uid, own in ranges.items():
        row = located.rows[uid]
        is_plain = row.transfer_syntax_uid in (EXPLICIT_LITTLE, IMPLICIT_LITTLE)
        if None not in own:
            syntax = EXPLICIT_LITTLE if is_plain else row.transfer_syntax_uid
            found[row.object_key, row.object_offset] = Frames(syntax, own, is_plain, False)
    return found


def read_frames(row: Row) -> Frames:
    try:
        with open_instance(row) as file:
            header = read_header(file)
            pixel = pixel_format(header)
            is_inflated = header.transfer_syntax_uid == DEFLATED
            ranges = frame_ranges(inflated(file) if is_inflated else file, header, pixel)
    except NoFrames as error:
        raise Problem(406, f"This instance has no frames to send. {error}") from error
    except (NotDicom, Unreadable, EOFError) as error:
        raise Problem(500, "The stored image can't be read. Tell the administrator of this node.") from error
    if not ranges:
        raise Problem(404, "This instance has no pixels.")
    syntax = header.transfer_syntax_uid
    is_aligned = pixel.bits_allocated != 1 or pixel.native_frame_bits % 8 == 0
    is_plain = syntax in (EXPLICIT_LITTLE, IMPLICIT_LITTLE) and is_aligned
    return Frames(EXPLICIT_LITTLE if is_plain else syntax, ranges, is_plain, is_inflated)


@lru_cache(maxsize=1024)
def choose(accept: str, transfer_syntax_uid: str, is_plain: bool) -> Choice:
    """What to send (PS3.18 8.7.8). Raises Problem (406)."""
    for media in accepted(accept):
        choice = _choice(media, transfer_syntax_uid, is_plain)
        if choice:
            return choice
    stored = MEDIA_OF_SYNTAX.get(transfer_syntax_uid, OCTETS)
    raise Problem(
        406,
        f"These frames are here as {stored} (transfer syntax {transfer_syntax_uid}), "
        f"or decoded as {OCTETS} (transfer syntax {EXPLICIT_LITTLE}).",
    )


def _choice(media: Media, syntax: str, is_plain: bool) -> Choice | None:
    wanted = media.transfer_syntax
    is_multipart = media.type in ("multipart/related", "*/*", "multipart/*")
    part = (media.part or "*/*") if is_multipart else media.type
    stored_type = MEDIA_OF_SYNTAX.get(syntax, OCTETS)
    if part in ("*/*", OCTETS, "application/*"):
        if wanted in ("", EXPLICIT_LITTLE) and is_plain:
            return _send(OCTETS, EXPLICIT_LITTLE, is_multipart)
        if wanted in ("*", syntax) and (is_plain or syntax not in NATIVE):
            # OHIF and others ask for any syntax as octets; the standard's own name is the image type.
            sent_as = OCTETS if part == OCTETS else stored_type
            return _send(sent_as, syntax, is_multipart)
        if wanted in ("", "*", EXPLICIT_LITTLE):
            return _send(OCTETS, EXPLICIT_LITTLE, is_multipart, is_decoded=True)
        return None
    if part in (stored_type, "image/*") and stored_type != OCTETS and wanted in ("", "*", syntax):
        return _send(stored_type, syntax, is_multipart)
    return None


def _send(media_type: str, syntax: str, is_multipart: bool, *, is_decoded: bool = False) -> Choice:
    return Choice(media_type, f"{media_type}; transfer-syntax={syntax}", is_decoded, is_multipart)


def decoded(row: Row, numbers: list[int]) -> list[bytes]:
    """Frames, counted from 1, as Explicit VR Little Endian has them. Raises Problem; ObjectMissing."""
    try:
        with open_instance(row) as file:
            header = read_header(file)
            pixel = pixel_format(header)
            content = inflated(file) if header.transfer_syntax_uid == DEFLATED else file
            ranges = frame_ranges(content, header, pixel)
            return [
                _decoded(header, pixel, read_ranges(content, ranges[n - 1] or ()), n - 1) for n in numbers
            ]
    except (NoFrames, CannotDecode) as error:
        raise Problem(406, f"These frames can be sent only as they are stored. {error}") from error


def _decoded(header: Header, pixel: PixelFormat, encoded: bytes, index: int) -> bytes:
    """One frame in the layout that the header's attributes describe: planes stay planes, indices indices."""
    is_native = header.transfer_syntax_uid in NATIVE
    colours = pixel.photometric
    if colours == "PALETTE COLOR":
        colours = "MONOCHROME2"
    elif is_native and colours != "YBR_FULL_422" and pixel.samples == 3:
        colours = "RGB"
    array = decode_frame(header, replace(pixel, photometric=colours), encoded, index)
    if pixel.bits_allocated == 1:
        return np.packbits(array.astype(bool).reshape(-1), bitorder="little").tobytes()
    if array.ndim == 3 and pixel.planar == 1:
        array = array.transpose(2, 0, 1)
    return to_little_endian(array)
