"""The pixel road: a raw ASGI application in front of Django that answers

    GET /pixels/<series>/<generation>/<index>       one encoded frame
    GET /pixels/<series>/<generation>/<a>-<b>       frames a to b, one after the other
    GET /thumbnails/<series>/<generation>           WebP

An address never changes its content: a changed series has another generation, and the one before is answered
for another day. So browsers may keep answers for good; `Vary: Cookie` keeps them from whoever signs in next.
"""

import asyncio
import re
from collections import OrderedDict
from typing import Any
from weakref import WeakKeyDictionary

from atlas.archive.generations import FrameTable, read_frame_table
from atlas.archive.storage import ObjectMissing, storage
from atlas.dicomweb import streams
from atlas.dicomweb.answers import Problem, Send, send_empty, send_problem, sign_in_first
from atlas.dicomweb.decisions import STAYS_HERE, Credentials, Decisions

TABLES_MAX = 512  # frame tables in memory; one of 1000 frames takes about 200 kB

_FRAMES = re.compile(r"/pixels/([0-9a-z]{12})/([0-9]{1,9})/([0-9]{1,6})(?:-([0-9]{1,6}))?")
_THUMBNAIL = re.compile(r"/thumbnails/([0-9a-z]{12})/([0-9]{1,9})")

_decisions: WeakKeyDictionary[asyncio.AbstractEventLoop, Decisions] = WeakKeyDictionary()
_tables: OrderedDict[str, FrameTable] = OrderedDict()


async def application(scope: dict[str, Any], receive: Any, send: Send) -> None:
    """ASGI 3, http."""
    headers = dict(scope["headers"])
    try:
        await _answer(scope, headers, send)
    except Problem as problem:
        await send_problem(problem, send, is_head=scope["method"] == "HEAD")


async def _answer(scope: dict[str, Any], headers: dict[bytes, bytes], send: Send) -> None:
    if scope["method"] not in ("GET", "HEAD"):
        raise Problem(405, "Pixels can only be read.", (b"allow", b"GET, HEAD"))
    frames, picture = _FRAMES.fullmatch(scope["path"]), _THUMBNAIL.fullmatch(scope["path"])
    match = frames or picture
    if match is None:
        raise Problem(404, "There are no pixels at this address.")
    manifest_key, thumbnail_key = await _allowed(headers, match[1], int(match[2]))
    tag = f'"{"-".join(match.groups(""))}"'.encode()
    if tag in headers.get(b"if-none-match", b""):
        await send_empty(send, 304, _kept(tag))
        return
    try:
        if frames:
            table = await _table(manifest_key)
            pieces = _pieces(table, int(frames[3]), int(frames[4] or frames[3]), is_run=frames[4] is not None)
            content_type = b"application/octet-stream"
        else:
            if not thumbnail_key:
                raise Problem(404, "This series has no thumbnail.")
            pieces = [(thumbnail_key, 0, await asyncio.to_thread(storage().size, thumbnail_key))]
            content_type = b"image/webp"
        is_head = scope["method"] == "HEAD"
        await streams.send_pieces(send, content_type, pieces, _kept(tag), is_head=is_head)
    except ObjectMissing as error:
        raise streams.lost(error) from error


async def _allowed(headers: dict[bytes, bytes], series_id: str, generation: int) -> tuple[str, str]:
    """Manifest and thumbnail of this generation. Raises Problem unless this request may have it."""
    loop = asyncio.get_running_loop()
    decisions = _decisions.get(loop)
    if decisions is None:
        decisions = _decisions[loop] = Decisions()
    decision = await decisions.ask(Credentials.of(headers), series_id, generation)
    if not decision.signed_in:
        raise sign_in_first()
    if decision.stays_here:
        raise Problem(403, STAYS_HERE)
    found = decision.objects_of(generation)
    if found is None and 0 < generation < decision.generation:
        raise Problem(410, "The series has changed since: read its manifest again.")
    if found is None:
        raise Problem(404, "There is no such series, or it is not for you.")
    return found


def _pieces(table: FrameTable, first: int, last: int, *, is_run: bool) -> list[streams.Piece]:
    count = len(table.frames)
    if last < first:
        raise Problem(400, "The run ends before it begins.")
    if last >= count:
        raise Problem(416 if is_run else 404, f"The series has {count} images, numbered from 0.")
    pieces: list[streams.Piece] = []
    for number, *ranges in table.frames[first : last + 1]:
        key = table.objects[number]
        pieces += [(key, ranges[at], ranges[at + 1]) for at in range(0, len(ranges), 2)]
    return pieces


async def _table(manifest_key: str) -> FrameTable:
    table = _tables.get(manifest_key)
    if table is None:
        table = await asyncio.to_thread(read_frame_table, manifest_key)
        _tables[manifest_key] = table
        while len(_tables) > TABLES_MAX:
            _tables.popitem(last=False)
    else:
        _tables.move_to_end(manifest_key)
    return table


def _kept(tag: bytes) -> list[tuple[bytes, bytes]]:
    return [
        (b"cache-control", b"private, max-age=31536000, immutable"),
        (b"etag", tag),
        (b"vary", b"Cookie, Authorization"),
    ]
