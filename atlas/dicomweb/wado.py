"""WADO-RS (PS3.18 10.4): instances, metadata, frames, pictures and bulk data of what the caller may see."""

import asyncio
from collections.abc import Awaitable, Callable

from atlas.archive.storage import ObjectMissing
from atlas.dicomweb import bulkdata, described, frames, pictures, whole
from atlas.dicomweb.answers import Problem, Send, send_empty
from atlas.dicomweb.located import Located, Row, forget, instance_of
from atlas.dicomweb.requests import Request
from atlas.dicomweb.streams import END, Piece, digest, kept, lost, multipart_type, part_head, send_pieces
from atlas.dicomweb.taking import take_pixels

type Service = Callable[[Request, tuple[str | None, ...], Send], Awaitable[None]]

FRAMES_MAX = 1000  # in one request
DECODED_BYTES_MAX = 512 * 1024 * 1024  # of frames that one request has decoded


async def send_frames(request: Request, words: tuple[str | None, ...], send: Send) -> None:
    """GET …/instances/<uid>/frames/<list>"""
    study, series, instance, written = (word or "" for word in words)
    numbers = _numbers(written)
    for attempt in (1, 2):
        located, row = await instance_of(request, study, series, instance)
        await take_pixels(request, located)
        try:
            await _send_frames(request, located, row, numbers, send)
            return
        except ObjectMissing as error:  # it was packed or blacked out a moment ago
            if attempt == 2:
                raise lost(error) from error
            forget(request, study, series)


async def _send_frames(request: Request, located: Located, row: Row, numbers: list[int], send: Send) -> None:
    found = await frames.frames_of(located, row)
    for number in numbers:
        if not 1 <= number <= len(found.ranges):
            raise Problem(404, f"This instance has {len(found.ranges)} frames, numbered from 1.")
        if found.ranges[number - 1] is None:
            raise Problem(404, f"Frame {number} is cut off in the file that was stored.")
    choice = frames.choose(request.accept, found.transfer_syntax_uid, found.is_plain)
    if not choice.is_multipart and len(numbers) > 1:
        raise Problem(406, "Several frames are sent as multipart/related.")
    tag = digest(row.sha256, choice.part_type, *map(str, numbers))
    headers = kept(tag)
    if f'"{tag}"'.encode() in request.headers.get(b"if-none-match", b""):
        await send_empty(send, 304, headers)
        return
    bodies: list[list[Piece]]
    if choice.is_decoded:
        bodies = [[body] for body in await asyncio.to_thread(_decoded, row, numbers)]
    else:
        bodies = [
            [
                (row.object_key, row.object_offset + offset, length)
                for offset, length in found.ranges[number - 1] or ()
            ]
            for number in numbers
        ]
    if not choice.is_multipart:
        await send_pieces(send, choice.part_type.encode(), bodies[0], headers, is_head=request.is_head)
        return
    pieces: list[Piece] = []
    for at, body in enumerate(bodies):
        pieces += [part_head(choice.part_type, is_first=at == 0), *body]
    pieces.append(END)
    content_type = multipart_type(choice.media_type)
    await send_pieces(send, content_type, pieces, headers, is_head=request.is_head)


def _decoded(row: Row, numbers: list[int]) -> list[bytes]:
    found: list[bytes] = []
    for start in range(0, len(numbers), 16):
        found += frames.decoded(row, numbers[start : start + 16])
        if sum(map(len, found)) > DECODED_BYTES_MAX:
            raise Problem(413, "These are too many frames to decode for one request: ask for fewer.")
    return found


def _numbers(written: str) -> list[int]:
    words = written.split(",")
    if len(words) > FRAMES_MAX:
        raise Problem(400, f"One request names at most {FRAMES_MAX} frames.")
    if not all(word.isdigit() and len(word) < 10 for word in words):
        raise Problem(400, "Frames are whole numbers from 1, with commas between them.")
    return [int(word) for word in words]


SERVICES: dict[str, Service] = {
    "frames": send_frames,
    "instances": whole.send_instances,
    "metadata": described.send_metadata,
    "picture": pictures.send_picture,
    "bulkdata": bulkdata.send_bulkdata,
}
