"""WADO-RS bulk data (PS3.18 10.4.1.1.5): the values that metadata names by an address."""

import asyncio
import re

from atlas.archive.storage import ObjectMissing, open_instance
from atlas.dicom.elements import ITEM, UNDEFINED, Element, Encoding, inner, item_encoding, walk
from atlas.dicom.headers import DEFLATED, NotDicom, Unreadable
from atlas.dicom.json_model import little_endian
from atlas.dicom.parts import take_apart
from atlas.dicomweb import frames
from atlas.dicomweb.answers import Problem, Send
from atlas.dicomweb.located import Row, instance_of
from atlas.dicomweb.media import accepted
from atlas.dicomweb.requests import Request
from atlas.dicomweb.streams import END, Piece, kept, lost, multipart_type, part_head, send_pieces
from atlas.dicomweb.taking import take_pixels

NOTHING = "There is no bulk data at this address."
_PATH = re.compile(r"[0-9A-Fa-f]{8}(?:/[0-9]{1,6}/[0-9A-Fa-f]{8}){0,32}")


async def send_bulkdata(request: Request, words: tuple[str | None, ...], send: Send) -> None:
    """GET …/instances/<uid>/bulkdata/<tag>[/<item>/<tag>]…"""
    study, series, instance, path = (word or "" for word in words)
    located, row = await instance_of(request, study, series, instance)
    await take_pixels(request, located)
    if not _PATH.fullmatch(path):
        raise Problem(404, NOTHING)
    try:
        parts = await asyncio.to_thread(_read, row, path.upper())
    except ObjectMissing as error:
        raise lost(error) from error
    for media in accepted(request.accept):
        is_multipart = media.type in ("multipart/related", "*/*", "multipart/*")
        wanted = (media.part or "*/*") if is_multipart else media.type
        if wanted not in (frames.OCTETS, "*/*", "application/*") and not wanted.startswith("image/"):
            continue
        if not is_multipart:
            if len(parts) > 1:
                continue
            await send_pieces(send, frames.OCTETS.encode(), parts[0], kept(), is_head=request.is_head)
            return
        pieces: list[Piece] = []
        for at, part in enumerate(parts):
            pieces += [part_head(frames.OCTETS, is_first=at == 0), *part]
        await send_pieces(
            send, multipart_type(frames.OCTETS), [*pieces, END], kept(), is_head=request.is_head
        )
        return
    raise Problem(406, f"Bulk data is sent as {frames.OCTETS}.")


def _read(row: Row, path: str) -> list[list[Piece]]:
    """The value, in one part; of compressed pixels a part a frame. Raises Problem; ObjectMissing."""
    try:
        with open_instance(row) as file:
            parts = take_apart(file)
            pixels = parts.pixels
            if pixels is not None and path == f"{pixels.tag:08X}":
                if pixels.length is None:
                    return _compressed(row)
                if row.transfer_syntax_uid == DEFLATED or not parts.encoding.little:
                    parts.source.seek(pixels.value)
                    raw = parts.source.read(pixels.end - pixels.value)
                    return [[little_endian(pixels.vr, raw, is_little=parts.encoding.little)]]
                return [[(row.object_key, row.object_offset + pixels.value, pixels.end - pixels.value)]]
            words = path.split("/")
            for buffer, elements in ((parts.buffer, parts.elements), (parts.tail, parts.tail_elements)):
                value = _value(buffer, elements, parts.encoding, words)
                if value is not None:
                    return [[value]]
    except (NotDicom, Unreadable, EOFError) as error:
        raise Problem(500, "The stored image can't be read. Tell the administrator of this node.") from error
    raise Problem(404, NOTHING)


def _compressed(row: Row) -> list[list[Piece]]:
    found = frames.read_frames(row)
    return [
        [(row.object_key, row.object_offset + offset, length) for offset, length in ranges or ()]
        for ranges in found.ranges
    ]


def _value(buffer: bytes, elements: list[Element], encoding: Encoding, words: list[str]) -> bytes | None:
    tag, *rest = words
    element = next((one for one in elements if one[0] == int(tag, 16)), None)
    if element is None:
        return None
    _, vr, _, value, end, _ = element
    if not rest:
        return None if vr == b"SQ" else little_endian(vr, buffer[value:end], is_little=encoding.little)
    within, position = inner(encoding, vr), value
    for number in range(int(rest[0]) + 1):
        if position + 8 > end:
            return None
        group, low, length = within.tag_and_length.unpack_from(buffer, position)
        if group << 16 | low != ITEM:
            return None
        position += 8
        item = item_encoding(buffer, position, end, within)
        is_open = length == UNDEFINED
        last = end if is_open else min(position + length, end)
        inside, position = walk(buffer, position, last, item, is_open=is_open, depth=1)
        if number == int(rest[0]):
            return _value(buffer, inside, item, rest[1:])
    return None
