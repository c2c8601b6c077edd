"""WADO-RS metadata (PS3.18 10.4.1.1.2): the DICOM JSON of a study, series or instance."""

import asyncio
import gzip
from collections import OrderedDict

from atlas.archive import metadata
from atlas.archive.storage import ObjectMissing
from atlas.dicom.json_model import PLACEHOLDER
from atlas.dicomweb.answers import Problem, Send, send_body, send_empty
from atlas.dicomweb.located import Located, instance_of, series_of
from atlas.dicomweb.media import accepts_json
from atlas.dicomweb.requests import Request
from atlas.dicomweb.streams import digest, kept, lost

REMEMBERED_BYTES_MAX = 96 * 1024 * 1024
GZIP_LEVEL = 1  # bulk data addresses differ by host, so the text is packed anew for each answer

_lines: OrderedDict[tuple, tuple[int, metadata.Lines]] = OrderedDict()


async def send_metadata(request: Request, words: tuple[str | None, ...], send: Send) -> None:
    """GET …/metadata"""
    if not accepts_json(request.accept):
        raise Problem(406, "Metadata is answered as application/dicom+json.")
    study, series, instance = (*words, None, None, None)[:3]
    only = ""
    if instance:
        located, row = await instance_of(request, study or "", series or "", instance)
        every, only = [located], row.sop_instance_uid
    else:
        every = await series_of(request, study or "", series or "")
    headers = kept(_tag(every, only, is_packed=request.takes_gzip))
    if headers[-1][1] in request.headers.get(b"if-none-match", b""):
        await send_empty(send, 304, headers)
        return
    root = request.base_url
    try:
        body = await asyncio.to_thread(_body, every, root, only, request.takes_gzip)
    except ObjectMissing as error:
        raise lost(error) from error
    if request.takes_gzip:
        headers.append((b"content-encoding", b"gzip"))
    headers = [*headers, (b"vary", b"Accept-Encoding")]
    await send_body(send, b"application/dicom+json", body, headers, is_head=request.is_head)


def _body(every: list[Located], root: str, only: str, is_packed: bool) -> bytes:
    found: list[bytes] = []
    for located in every:
        lines = _lines_of(located)
        address = f"{root}/studies/{located.study_uid}/series/{located.uid}".encode()
        told = [lines[only]] if only and only in lines else [] if only else lines.values()
        found.append(b",".join(told).replace(PLACEHOLDER, address))
    if only and not found[0]:
        raise Problem(500, "The stored image can't be read. Tell the administrator of this node.")
    body = b"[" + b",".join(part for part in found if part) + b"]"
    return gzip.compress(body, compresslevel=GZIP_LEVEL, mtime=0) if is_packed else body


def _lines_of(located: Located) -> metadata.Lines:
    digests = [(row.sop_instance_uid, row.sha256) for row in located.rows.values()]
    key = (located.pk, hash(tuple(digests)))
    known = _lines.get(key)
    if known is not None:
        return known[1]
    lines = metadata.read(located.metadata_key, digests) if located.metadata_key else None
    if lines is None:
        lines = metadata.describe(located.rows.values())
    _lines[key] = sum(map(len, lines.values())), lines
    while sum(size for size, _ in list(_lines.values())) > REMEMBERED_BYTES_MAX and len(_lines) > 1:
        _lines.popitem(last=False)
    return lines


def _tag(every: list[Located], only: str, *, is_packed: bool) -> str:
    words = [
        word for one in every for row in one.rows.values() for word in (row.sop_instance_uid, row.sha256)
    ]
    return digest(only, str(is_packed), *words)
