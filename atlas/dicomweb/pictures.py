"""WADO-RS rendered and thumbnail (PS3.18 10.4.1.1.3 and 10.4.1.1.4): pictures for any browser.

Of a study or series the representative image is shown: the middle one.
"""

import asyncio
import io
import math
from concurrent.futures import ThreadPoolExecutor

from PIL import Image

from atlas.archive.storage import ObjectMissing, open_instance, storage
from atlas.dicom.decoding import CannotDecode, decode_frame
from atlas.dicom.describe import describe
from atlas.dicom.frames import read_ranges
from atlas.dicom.headers import DEFLATED, NotDicom, Unreadable, inflated, read_header
from atlas.dicom.rendering import FORMATS, SIDE_PX_MAX, Viewport, Window, rendered
from atlas.dicomweb.answers import Problem, Send, send_body, send_empty
from atlas.dicomweb.located import Located, Row, instance_of, series_of
from atlas.dicomweb.media import accepted
from atlas.dicomweb.requests import Request
from atlas.dicomweb.streams import digest, kept, lost

THUMBNAIL_PX = 256
QUALITY = 90
_KNOWN = {"accept", "quality", "viewport", "window", "annotation", "charset", "iccprofile"}

# Decoding holds a frame in memory several times over, so few are decoded at a time.
_decoders = ThreadPoolExecutor(max_workers=4, thread_name_prefix="pictures")


async def send_picture(request: Request, words: tuple[str | None, ...], send: Send) -> None:
    """GET …/rendered and …/thumbnail of a study, series, instance or frame."""
    *uids, kind = (word or "" for word in words)
    study, series, instance, written = (*uids, "", "", "")[:4]
    options = _options(request, is_thumbnail=kind == "thumbnail")
    if not instance:
        every = await series_of(request, study, series)
        if kind == "thumbnail" and not options["viewport"]:
            made = next((one for one in every if one.thumbnail_key), None)
            if made is not None:
                await _send_made(request, made, options["media_type"], send)
                return
        row = _middle(every)
    else:
        _, row = await instance_of(request, study, series, instance)
    if "," in written:
        raise Problem(400, "One picture shows one frame: name one.")
    number = int(written) if written else (row.number_of_frames + 1) // 2 or 1
    if kind == "thumbnail" and not options["viewport"]:
        options["viewport"] = Viewport(THUMBNAIL_PX, THUMBNAIL_PX)
    headers = kept(digest(row.sha256, str(number), repr(options)))
    if headers[-1][1] in request.headers.get(b"if-none-match", b""):
        await send_empty(send, 304, headers)
        return
    try:
        loop = asyncio.get_running_loop()
        body = await loop.run_in_executor(_decoders, _render, row, number, options)
    except ObjectMissing as error:
        raise lost(error) from error
    await send_body(send, options["media_type"].encode(), body, headers, is_head=request.is_head)


async def _send_made(request: Request, located: Located, media_type: str, send: Send) -> None:
    """The thumbnail that was made when the series was sealed."""
    try:
        body = await asyncio.to_thread(_made, located.thumbnail_key, media_type)
    except ObjectMissing as error:
        raise lost(error) from error
    await send_body(send, media_type.encode(), body, kept(), is_head=request.is_head)


def _made(key: str, media_type: str) -> bytes:
    picture = storage().read_range(key, 0, storage().size(key))
    if media_type == "image/webp":
        return picture
    buffer = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").save(buffer, FORMATS[media_type])
    return buffer.getvalue()


def _middle(every: list[Located]) -> Row:
    """The representative image: of the middle series that has images, the one in the middle."""
    shown = [rows for one in every if (rows := [row for row in one.rows.values() if row.number_of_frames])]
    if not shown:
        raise Problem(404, "There is no image to show here.")
    rows = shown[len(shown) // 2]
    return rows[len(rows) // 2]


def _render(row: Row, number: int, options: dict) -> bytes:
    try:
        with open_instance(row) as file:
            header = read_header(file)
            described = describe(file, header)
            frame = next((one for one in described.frames if one.number == number), None)
            if frame is None or frame.ranges is None:
                raise Problem(404, described.problem or f"This instance has no frame {number} to show.")
            content = inflated(file) if header.transfer_syntax_uid == DEFLATED else file
            array = decode_frame(header, frame.pixel, read_ranges(content, frame.ranges), number - 1)
    except CannotDecode as error:
        raise Problem(406, f"This frame can't be shown as a picture. {error}") from error
    except (NotDicom, Unreadable, EOFError) as error:
        raise Problem(500, "The stored image can't be read. Tell the administrator of this node.") from error
    window = options["window"]
    if window is None and frame.center is not None and frame.width is not None:
        window = Window(frame.center, frame.width)
    row_mm, column_mm = frame.spacing.row_mm, frame.spacing.column_mm
    aspect = row_mm / column_mm if row_mm and column_mm else 1.0
    return rendered(
        array,
        media_type=options["media_type"],
        window=window,
        rescale=(frame.slope, frame.intercept),
        is_inverted=frame.pixel.photometric == "MONOCHROME1",
        aspect=aspect if 0.1 < aspect < 10 else 1.0,
        viewport=options["viewport"],
        quality=options["quality"],
    )


def _options(request: Request, *, is_thumbnail: bool) -> dict:
    """What the parameters say (PS3.18 8.3.5.1). Raises Problem (400, 406)."""
    told = dict(request.parameters)
    unknown = next((name for name in told if name not in _KNOWN), None)
    if unknown is not None:
        raise Problem(400, f"{unknown[:64]!r} is no parameter of a picture.")
    media_type = next(
        (
            "image/jpeg" if media.type in ("*/*", "image/*") else media.type
            for media in accepted(request.accept)
            if media.type in FORMATS or media.type in ("*/*", "image/*")
        ),
        None,
    )
    if media_type is None:
        raise Problem(406, f"Pictures are sent as {', '.join(FORMATS)}.")
    quality = _numbers("quality", told.get("quality", str(QUALITY)), 1)[0]
    if not 1 <= quality <= 100:
        raise Problem(400, "quality is a number from 1 to 100.")
    return {
        "media_type": media_type,
        "quality": round(quality),
        "window": None if is_thumbnail else _window(told.get("window", "")),
        "viewport": _viewport(told.get("viewport", "")),
    }


def _window(written: str) -> Window | None:
    if not written:
        return None
    center, _, rest = written.partition(",")
    width, _, shape = rest.partition(",")
    shape = shape or "linear"
    if shape not in ("linear", "linear-exact", "sigmoid"):
        raise Problem(400, "window names its function as linear, linear-exact or sigmoid.")
    numbers = _numbers("window", f"{center},{width}", 2)
    if numbers[1] <= 0 or (shape == "linear" and numbers[1] < 1):
        raise Problem(400, "The window's width is at least 1 (or above 0, where it isn't linear).")
    return Window(numbers[0], numbers[1], shape)


def _viewport(written: str) -> Viewport | None:
    if not written:
        return None
    words = written.split(",")
    if len(words) == 2:
        columns, rows = _numbers("viewport", written, 2)
        region = None
    else:
        columns, rows, *rest = _numbers("viewport", written, 6)
        region = (rest[0], rest[1], rest[2], rest[3])
        if 0 in region[2:] or min(region[:2]) < 0:
            raise Problem(400, "viewport's region lies outside the image.")
    if not (1 <= columns <= SIDE_PX_MAX and 1 <= rows <= SIDE_PX_MAX):
        raise Problem(400, f"viewport is at most {SIDE_PX_MAX} pixels wide and high.")
    return Viewport(round(columns), round(rows), region)


def _numbers(name: str, written: str, count: int) -> list[float]:
    try:
        found = [float(word) for word in written.split(",")]
    except ValueError:
        found = []
    if len(found) != count or not all(map(math.isfinite, found)):
        raise Problem(400, f"{name} holds {count} numbers with commas between them.")
    return found
