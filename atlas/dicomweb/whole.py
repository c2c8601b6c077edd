"""WADO-RS instances (PS3.18 10.4.1.1.1): studies, series and instances as DICOM files."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterable
from itertools import chain

import pydicom
from pydicom.uid import ExplicitVRLittleEndian

from atlas.archive.storage import ObjectMissing, open_instance, storage
from atlas.dicom.headers import EXPLICIT_LITTLE
from atlas.dicomweb.answers import Problem, Send
from atlas.dicomweb.located import Located, Row, forget, instance_of, series_of
from atlas.dicomweb.media import accepted
from atlas.dicomweb.requests import Request
from atlas.dicomweb.streams import END, Piece, kept, lost, multipart_type, part_head, send_pieces, send_stream
from atlas.dicomweb.taking import take_files

DICOM = "application/dicom"
TRANSCODED_BYTES_MAX = 1024 * 1024 * 1024  # of one instance, decoded in memory


async def send_instances(request: Request, words: tuple[str | None, ...], send: Send) -> None:
    """GET …/studies/<uid>[/series/<uid>[/instances/<uid>]]"""
    study, series, instance = ((word or "") for word in (*words, None, None, None)[:3])
    for attempt in (1, 2):
        if instance:
            located, row = await instance_of(request, study, series, instance)
            every = [(located, row)]
        else:
            found = await series_of(request, study, series)
            every = [(located, row) for located in found for row in located.rows.values()]
        await take_files(request, {located.pk: located for located, _ in every}.values())
        try:
            await _send(request, every, send, is_one=bool(instance), is_series=bool(series) and not instance)
            return
        except ObjectMissing as error:  # it was packed or blacked out a moment ago
            if attempt == 2:
                raise lost(error) from error
            forget(request, study, series)


async def _send(
    request: Request, every: list[tuple[Located, Row]], send: Send, *, is_one: bool, is_series: bool
) -> None:
    for media in accepted(request.accept):
        if media.type == "application/zip" and is_series:
            if await _send_pack(request, every, send):
                return
            continue
        wanted = media.transfer_syntax or EXPLICIT_LITTLE
        if media.type == DICOM and is_one:
            await _send_single(request, every[0][1], wanted, send)
            return
        if media.type in ("*/*", "multipart/*") or (
            media.type == "multipart/related" and media.part in (DICOM, "", "*/*", "application/*")
        ):
            wanted = "*" if media.type != "multipart/related" and not media.transfer_syntax else wanted
            await _send_parts(request, every, wanted, send)
            return
    what = (
        "a single application/dicom"
        if is_one
        else "application/zip once it has come to rest"
        if is_series
        else ""
    )
    other = f", or {what}" if what else ""
    raise Problem(406, f'This is sent as multipart/related; type="application/dicom"{other}.')


async def _send_pack(request: Request, every: list[tuple[Located, Row]], send: Send) -> bool:
    """The pack of a series as it lies there; False where it isn't packed, or holds what isn't shown."""
    located = every[0][0]
    if not located.pack_key or any(row.object_key != located.pack_key for _, row in every):
        return False
    size = await asyncio.to_thread(storage().size, located.pack_key)
    name = f'attachment; filename="{located.uid}.zip"'.encode()
    headers = [*kept(), (b"content-disposition", name)]
    pieces: list[Piece] = [(located.pack_key, 0, size)]
    await send_pieces(send, b"application/zip", pieces, headers, is_head=request.is_head)
    return True


async def _send_single(request: Request, row: Row, wanted: str, send: Send) -> None:
    piece: Piece
    if _is_sent_as_stored(row, wanted):
        piece, syntax = (row.object_key, row.object_offset, row.size), row.transfer_syntax_uid
    else:
        piece, syntax = await asyncio.to_thread(_transcoded, row, wanted), EXPLICIT_LITTLE
    content_type = f"{DICOM}; transfer-syntax={syntax}".encode()
    await send_pieces(send, content_type, [piece], kept(), is_head=request.is_head)


async def _send_parts(request: Request, every: list[tuple[Located, Row]], wanted: str, send: Send) -> None:
    base = request.base_url
    content_type = multipart_type(DICOM)
    if all(_is_sent_as_stored(row, wanted) for _, row in every):
        parts = [
            [_head(base, located, row, row.transfer_syntax_uid, is_first=at == 0), _span(row)]
            for at, (located, row) in enumerate(every)
        ]
        pieces = [*chain.from_iterable(parts), END]
        await send_pieces(send, content_type, pieces, kept(), is_head=request.is_head)
        return
    if wanted not in ("*", EXPLICIT_LITTLE):
        raise Problem(
            406,
            "These images are here in other transfer syntaxes: ask for * (as they are stored) "
            f"or {EXPLICIT_LITTLE} (decoded).",
        )
    stream = _transcoded_parts(base, every, wanted)
    await send_stream(send, content_type, stream, kept(), is_head=request.is_head)


async def _transcoded_parts(
    base: str, every: Iterable[tuple[Located, Row]], wanted: str
) -> AsyncIterator[Piece]:
    """Decoded one by one, while they are sent. What can't be decoded goes as it is stored, and says so."""
    for at, (located, row) in enumerate(every):
        piece: Piece = _span(row)
        syntax = row.transfer_syntax_uid
        if not _is_sent_as_stored(row, wanted):
            try:
                piece, syntax = await asyncio.to_thread(_transcoded, row, wanted), EXPLICIT_LITTLE
            except Problem:
                syntax = row.transfer_syntax_uid
        yield _head(base, located, row, syntax, is_first=at == 0)
        yield piece
    yield END


def _head(base: str, located: Located, row: Row, syntax: str, *, is_first: bool) -> bytes:
    address = f"{base}/studies/{located.study_uid}/series/{located.uid}/instances/{row.sop_instance_uid}"
    return part_head(f"{DICOM}; transfer-syntax={syntax}", address, is_first=is_first)


def _span(row: Row) -> Piece:
    return row.object_key, row.object_offset, row.size


def _is_sent_as_stored(row: Row, wanted: str) -> bool:
    return wanted in ("*", row.transfer_syntax_uid)


def _transcoded(row: Row, wanted: str) -> bytes:
    """The file in Explicit VR Little Endian. Raises Problem (406); ObjectMissing."""
    if wanted != EXPLICIT_LITTLE:
        raise Problem(
            406,
            f"It is here in transfer syntax {row.transfer_syntax_uid}, or decoded ({EXPLICIT_LITTLE}).",
        )
    try:
        with open_instance(row) as file:
            dataset = pydicom.dcmread(file, force=True)
            if _decoded_bytes(dataset) > TRANSCODED_BYTES_MAX:
                raise Problem(406, "This image is too large to decode as a whole: ask for its frames.")
            if dataset.file_meta.TransferSyntaxUID.is_encapsulated and "PixelData" in dataset:
                dataset.decompress(generate_instance_uid=False)
            dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            buffer = io.BytesIO()
            dataset.save_as(buffer, implicit_vr=False, little_endian=True, enforce_file_format=True)
    except (Problem, ObjectMissing):
        raise
    except Exception as error:  # decoders on hostile bytes raise anything
        raise Problem(
            406, "This image can't be decoded: ask for transfer syntax * (as it is stored)."
        ) from error
    return buffer.getvalue()


def _decoded_bytes(dataset: pydicom.Dataset) -> int:
    bits = 1
    for name in ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "NumberOfFrames"):
        bits *= max(int(dataset.get(name) or 1), 1)
    return bits // 8
