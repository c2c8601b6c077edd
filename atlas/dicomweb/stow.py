"""STOW-RS (PS3.18 10.5): images come in as a multipart/related body, or one as the body itself.

    POST /dicomweb/datasets/<slug>/studies          any studies
    POST /dicomweb/datasets/<slug>/studies/<uid>    images of this study only

The body is taken apart while it arrives. Each image is de-identified and stored while the next one is still
on its way; all are committed before the answer.
"""

import asyncio
import contextlib
import io
import logging
import traceback
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from atlas.archive import intake
from atlas.archive.received import MISPLACED, NO_ROOM, NOT_DICOM, REFUSED, UNREADABLE, Outcome, Stored
from atlas.archive.receiving import INSTANCE_BYTES_MAX, Door, digest_of_file, prepare
from atlas.archive.storage import spool
from atlas.dicomweb.answers import Problem, Send, send_body, send_problem
from atlas.dicomweb.multipart_body import BadMultipart, MultipartBody, PartBegins, PartEnds, media_type
from atlas.dicomweb.requests import Request, Root
from atlas.dicomweb.stow_access import door_for
from atlas.dicomweb.stow_answer import answer, status_of

logger = logging.getLogger(__name__)

DICOM, MULTIPART, JSON = "application/dicom", "multipart/related", "application/dicom+json"
PART_IN_MEMORY_BYTES = 16 * 1024 * 1024
HELD_BYTES_MAX = 256 * 1024 * 1024  # of all requests; beyond, parts go to temporary files at once
WRITE_BYTES = 1024 * 1024
UNDER_WAY_MAX = 16  # images of one request that are being worked on: then it reads no further
COMMIT_AT = 64
PARTS_MAX = 20_000
DRAINED_BYTES_MAX = 64 * 1024 * 1024  # read for politeness from someone who is told to go away

_work = ThreadPoolExecutor(max_workers=8, thread_name_prefix="stow")
_held_bytes = 0


class _Disconnected(Exception):
    """The sender went away."""


async def application(
    scope: dict[str, Any], receive: Any, send: Send, *, slug: str, study_uid: str | None
) -> None:
    """ASGI 3, http, POST."""
    request = Request(scope, Root("datasets", slug))
    body = _Body(receive)
    try:
        try:
            await _store(request, body, send, slug, study_uid)
        except Problem as problem:
            await body.drain()
            await send_problem(problem, send, is_head=False)
    except _Disconnected:
        logger.info("A sender of images went away before its request was complete")


async def _store(request: Request, body: "_Body", send: Send, slug: str, study_uid: str | None) -> None:
    door = await door_for(request.headers.get(b"authorization", b"").decode("latin-1"), slug)
    _require_acceptable(request)
    root_url = request.base_url
    content_type, parameters = media_type(request.headers.get(b"content-type", b"").decode("latin-1"))
    if request.headers.get(b"content-encoding", b"identity") != b"identity":
        raise Problem(415, "Send the images without Content-Encoding.", (b"accept-encoding", b"identity"))
    delivery = _Delivery(door, study_uid)
    try:
        if content_type == MULTIPART:
            await _take_parts(body, parameters, delivery)
        elif content_type == DICOM:
            await _take_whole(body, delivery)
        else:
            raise Problem(
                415,
                "Send multipart/related with parts of application/dicom, or one image as application/dicom.",
            )
    finally:
        outcomes = await delivery.finish()
    if not outcomes:
        raise Problem(400, "The body holds no image.")
    if delivery.problem and not any(outcome.status not in (REFUSED, NOT_DICOM) for outcome in outcomes):
        raise Problem(delivery.problem_status, delivery.problem, (b"retry-after", b"60"))
    content = answer(outcomes, root_url)
    await send_body(
        send, JSON.encode(), content, [(b"cache-control", b"no-store")], status=status_of(outcomes)
    )


def _require_acceptable(request: Request) -> None:
    """The answer exists as DICOM JSON only. Raises Problem."""
    ranges = [one.partition(";")[0].strip().lower() for one in request.accept.split(",")]
    if not {"", "*/*", "application/*", "application/json", JSON} & set(ranges):
        raise Problem(406, "The answer is application/dicom+json; accept that.")


class _Body:
    """The request's body as it arrives."""

    def __init__(self, receive: Any) -> None:
        self._receive = receive
        self._is_read = False

    async def chunks(self) -> AsyncIterator[bytes]:
        """Raises _Disconnected."""
        while not self._is_read:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._is_read = True
                raise _Disconnected
            self._is_read = not message.get("more_body", False)
            if message.get("body"):
                yield message["body"]

    async def drain(self) -> None:
        """Read on, within reason: a connection closed in the middle of a body hides the answer."""
        drained = 0
        async for chunk in self.chunks():
            drained += len(chunk)
            if drained > DRAINED_BYTES_MAX:
                return


async def _take_whole(body: _Body, delivery: "_Delivery") -> None:
    part = _Part()
    async for chunk in body.chunks():
        await part.append(chunk)
    delivery.begin(part, is_only=True)


async def _take_parts(body: _Body, parameters: Mapping[str, str], delivery: "_Delivery") -> None:
    kind = media_type(parameters.get("type", DICOM))[0]
    if kind != DICOM:
        raise Problem(415, f"Parts of {kind[:60]!r} are not taken: send whole images, as application/dicom.")
    part: _Part | None = None
    whole: _Part | None = None  # has arrived; begun when it is known whether it is the only one
    try:
        parts = MultipartBody(parameters.get("boundary", ""))
        async for chunk in body.chunks():
            for event in parts.feed(chunk):
                if isinstance(event, bytes):
                    if part is not None:
                        await part.append(event)
                elif isinstance(event, PartBegins):
                    if len(delivery.outcomes) >= PARTS_MAX:
                        raise Problem(
                            413, f"More than {PARTS_MAX} images in one request. Send several requests."
                        )
                    if whole is not None:
                        delivery.begin(whole)
                        whole = None
                    await delivery.make_room()
                    part = _part_of(event, delivery)
                elif isinstance(event, PartEnds):
                    part, whole = None, part
    except BadMultipart as error:
        raise Problem(400, str(error)) from error
    finally:
        if part is not None:
            part.close()
        if whole is not None:
            delivery.begin(whole, is_only=not delivery.outcomes)
    if not parts.is_complete:
        raise Problem(
            400,
            "The body ends before its closing boundary. What came before it may be stored; send it again.",
        )


def _part_of(event: PartBegins, delivery: "_Delivery") -> "_Part | None":
    """None, and a refusal, for a part that isn't an image."""
    kind = media_type(event.headers.get("content-type", DICOM))[0]
    if kind == DICOM:
        return _Part()
    delivery.refuse(f"A part of {kind[:60]!r}: only application/dicom is taken.")
    return None


class _Part:
    """One image on its way: in memory while it is small and there is room, else in a temporary file."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._file: BinaryIO | None = None
        self.size = 0
        self.held = 0

    async def append(self, chunk: bytes) -> None:
        """Raises Problem where the image is too large, or there is no room."""
        global _held_bytes
        self._chunks.append(chunk)
        self.size += len(chunk)
        self.held += len(chunk)
        _held_bytes += len(chunk)
        if self.size > INSTANCE_BYTES_MAX:
            raise Problem(413, "An image is larger than 8 GB.")
        if self._file is None and (self.size > PART_IN_MEMORY_BYTES or _held_bytes > HELD_BYTES_MAX):
            self._file = spool()
        if self._file is not None and self.held >= WRITE_BYTES:
            await self._write()

    async def _write(self) -> None:
        content = b"".join(self._chunks)
        self._release()
        try:
            await asyncio.to_thread(self._file.write, content)  # type: ignore[union-attr]
        except OSError as error:
            raise Problem(507, "This node has no room left for images on their way in.") from error

    def file(self) -> BinaryIO:
        """The whole image, seekable. Call it in a thread. Raises OSError."""
        content = b"".join(self._chunks)
        self._chunks = []
        if self._file is None:
            return io.BytesIO(content)
        self._file.write(content)
        self._file.seek(0)
        return self._file

    def _release(self) -> None:
        global _held_bytes
        _held_bytes -= self.held
        self.held = 0
        self._chunks = []

    def close(self) -> None:
        """Give its memory back."""
        self._release()
        if self._file is not None:
            self._file.close()


@dataclass
class _Delivery:
    """The images of one request, in order: under way, stored, committed."""

    door: Door
    study_uid: str | None
    outcomes: list[Outcome | Stored | None] = field(default_factory=list)
    problem: str = ""
    problem_status: int = 503
    _under_way: deque[tuple[int, "_Part", asyncio.Future]] = field(default_factory=deque)
    _uncommitted: list[int] = field(default_factory=list)

    def refuse(self, reason: str) -> None:
        self.outcomes.append(Outcome("", REFUSED, reason, cause=UNREADABLE))

    def begin(self, part: _Part, *, is_only: bool = False) -> None:
        """Work on an image that has arrived, in a thread; the only one of a request is committed at once."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Stored | Outcome] = loop.create_future()

        def tell(found: _Found) -> None:
            with contextlib.suppress(RuntimeError):  # the node stops: nobody waits any more
                loop.call_soon_threadsafe(_set, future, found)

        _work.submit(_take_and_tell, part, self.door, self.study_uid, is_only, tell)
        self._under_way.append((len(self.outcomes), part, future))
        self.outcomes.append(None)

    async def make_room(self) -> None:
        """Wait until few enough images are under way."""
        while len(self._under_way) >= UNDER_WAY_MAX:
            await self._end_first()
        if len(self._uncommitted) >= COMMIT_AT:
            await self._commit()

    async def _end_first(self) -> None:
        at, part, future = self._under_way.popleft()
        try:
            found = await future
        except (intake.OutOfSpace, intake.StorageRefuses) as error:
            found = self._not_now(error)
        except OSError:
            logger.exception("An image on its way in can't be kept")
            found = self._not_now(intake.OutOfSpace("This node has no room left for images on their way in."))
        except Exception as error:  # its message may hold what the file holds: only where it happened is told
            place = "".join(traceback.format_tb(error.__traceback__))
            logger.error("An image could not be processed: %s\n%s", type(error).__name__, place)
            found = Outcome("", REFUSED, "This node failed to process the image; it was not stored.")
        finally:
            part.close()
        self.outcomes[at] = found
        if isinstance(found, Stored):
            self._uncommitted.append(at)

    def _not_now(self, error: Exception) -> Outcome:
        self.problem = str(error)
        self.problem_status = 507 if isinstance(error, intake.OutOfSpace) else 503
        return Outcome("", REFUSED, str(error), cause=NO_ROOM)

    async def _commit(self) -> None:
        places, self._uncommitted = self._uncommitted, []
        stored = [one for at in places if isinstance(one := self.outcomes[at], Stored)]
        if not stored:
            return
        loop = asyncio.get_running_loop()
        try:
            outcomes = await loop.run_in_executor(_work, intake.commit, stored, self.door.dataset)
        except intake.StorageRefuses as error:
            outcomes = [self._not_now(error) for _ in stored]
        for at, outcome in zip(places, outcomes, strict=True):
            self.outcomes[at] = outcome

    async def finish(self) -> list[Outcome]:
        """Wait for everything under way and commit it; also where the request broke off: sending it again
        then finds what is here."""
        while self._under_way:
            await self._end_first()
        await self._commit()
        return [outcome for outcome in self.outcomes if isinstance(outcome, Outcome)]


def _take(part: _Part, door: Door, study_uid: str | None) -> Stored | Outcome:
    file = part.file()
    entry = prepare("", file, digest_of_file(file), door)
    if isinstance(entry, Outcome):
        with contextlib.suppress(OSError):
            file.close()
        return entry
    sent = entry.original.study_uid if entry.original else ""
    if study_uid and study_uid not in (entry.uids.study, sent):
        entry.source.close()
        return entry.refused("It belongs to another study than the address names.", MISPLACED)
    return intake.known_or_store(entry, door.dataset)


type _Found = Stored | Outcome | BaseException


def _set(future: asyncio.Future[Stored | Outcome], found: _Found) -> None:
    if future.done():
        return
    if isinstance(found, BaseException):
        future.set_exception(found)
    else:
        future.set_result(found)


def _take_and_tell(
    part: _Part, door: Door, study_uid: str | None, is_only: bool, tell: Callable[[_Found], None]
) -> None:
    """In a thread. An image that is the only one is passed on to the committer, whose thread tells what
    became of it: each thread that is woken on the way costs."""
    try:
        found: _Found = _take(part, door, study_uid)
        if is_only and isinstance(found, Stored):
            intake.commit_soon([found], door.dataset).add_done_callback(
                lambda done: tell(done.exception() or done.result()[0])
            )
            return
    except BaseException as error:
        found = error
    tell(found)
