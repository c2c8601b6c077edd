"""DICOMweb (PS3.18): a raw ASGI application in front of Django that sends each address to its service.

    /dicomweb/…                     all that the caller may see
    /dicomweb/projects/<slug>/…     one project's studies, as far as the caller may see them
    /dicomweb/datasets/<slug>/…     one dataset's; POST …/studies[/<uid>] stores into it

Below a root the addresses are those of the standard: 10.3 (studies service) and 10.6 (search).
"""

import re
from typing import Any

from atlas.dicomweb import qido, wado
from atlas.dicomweb.answers import Problem, Send, send_problem
from atlas.dicomweb.requests import Request, Root

_ROOT = re.compile(r"/dicomweb(?:/(projects|datasets)/([-a-zA-Z0-9_]{1,60}))?(/.*)?")
_UID = r"([0-9.]{1,64})"
_STUDY = rf"/studies/{_UID}"
_SERIES = rf"{_STUDY}/series/{_UID}"
_INSTANCE = rf"{_SERIES}/instances/{_UID}"

_STORE = re.compile(rf"/studies(?:/{_UID})?")
_SEARCHES = [
    (re.compile(pattern), level)
    for pattern, level in (
        ("/studies", "study"),
        ("/series", "series"),
        (f"{_STUDY}/series", "series"),
        ("/instances", "instance"),
        (f"{_STUDY}/instances", "instance"),
        (f"{_SERIES}/instances", "instance"),
    )
]
_PICTURES = "rendered|thumbnail"
_RETRIEVALS = [
    (re.compile(pattern), what)
    for pattern, what in (
        (rf"{_INSTANCE}/frames/([0-9,]{{1,4000}})", "frames"),
        (rf"{_INSTANCE}/frames/([0-9,]{{1,4000}})/({_PICTURES})", "picture"),
        (rf"{_INSTANCE}/bulkdata/(.{{1,400}})", "bulkdata"),
        (rf"{_STUDY}(?:/series/{_UID}(?:/instances/{_UID})?)?", "instances"),
        (rf"{_STUDY}(?:/series/{_UID}(?:/instances/{_UID})?)?/metadata", "metadata"),
        (rf"{_STUDY}(?:/series/{_UID}(?:/instances/{_UID})?)?/({_PICTURES})", "picture"),
    )
]


async def application(scope: dict[str, Any], receive: Any, send: Send) -> None:
    """ASGI 3, http."""
    try:
        await _answer(scope, receive, send)
    except Problem as problem:
        await send_problem(problem, send, is_head=scope["method"] == "HEAD")


async def _answer(scope: dict[str, Any], receive: Any, send: Send) -> None:
    found = _ROOT.fullmatch(scope["path"])
    path = (found[3] or "").rstrip("/") if found else ""
    if found is None or not path:
        raise Problem(404, "DICOMweb addresses go on with /studies, /series or /instances.")
    root = Root(found[1] or "", found[2] or "")
    if scope["method"] == "POST":
        await _store(root, path, scope, receive, send)
        return
    if scope["method"] not in ("GET", "HEAD"):
        raise Problem(405, "Images are read with GET and stored with POST.", (b"allow", b"GET, HEAD, POST"))
    request = Request(scope, root)
    for pattern, what in _RETRIEVALS:
        match = pattern.fullmatch(path)
        if match:
            await wado.SERVICES[what](request, match.groups(), send)
            return
    for pattern, level in _SEARCHES:
        match = pattern.fullmatch(path)
        if match:
            await qido.search(request, level, match.groups(), send)
            return
    raise Problem(404, "There is no such DICOMweb address on this node.")


async def _store(root: Root, path: str, scope: dict[str, Any], receive: Any, send: Send) -> None:
    match = _STORE.fullmatch(path)
    if match is None:
        raise Problem(405, "Only …/studies takes images in.", (b"allow", b"GET, HEAD"))
    if root.kind != "datasets":
        raise Problem(
            405,
            "Images are stored into a dataset: POST to /dicomweb/datasets/<dataset>/studies.",
            (b"allow", b"GET, HEAD"),
        )
    from atlas.dicomweb import stow

    await stow.application(scope, receive, send, slug=root.slug, study_uid=match[1])
