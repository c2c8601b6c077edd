"""REST for the files of a release: its manifest, single files, and archives; in ranges, so that a download
can go on where it stopped."""

from collections.abc import Iterable, Iterator
from mimetypes import guess_type
from typing import Any
from urllib.parse import quote

from django.http import Http404, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from accounts.scopes import SAFE_METHODS
from annotations.api import release_shapes as shapes
from annotations.api import release_tables
from annotations.api.release_json import WORD_OF_PART
from annotations.api.releases import refusals
from annotations.cohort import downloads, policies, uses
from annotations.cohort.selections import Selection, selection_from
from annotations.models import Release, ReleaseUse
from atlas.api.errors import Conflict
from atlas.api.pagination import Pages
from atlas.api.ranges import BytesView, ranged_response

RANGE = OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="bytes=first-last")
BYTES = {(200, "application/octet-stream"): OpenApiTypes.BINARY, 206: OpenApiTypes.BINARY}
CHOSEN = [
    OpenApiParameter("formats", str, description="Keys, with commas; without: all"),
    OpenApiParameter("parts", str, description="train, validation, test, none; without: all"),
    OpenApiParameter("cases", str, description="Numbers, with commas; without: all"),
]
COLUMNS = ("path", "format", "release_case__part", "release_case__number", "size", "sha256", "withdrawn_at")
GIVEN = (200, 206)  # statuses of answers that hold bytes


class Gone(exceptions.APIException):
    """410: it was there, and is withdrawn."""

    status_code = 410
    default_code = "gone"


class BeingWritten(Conflict):
    """409 that passes by itself."""

    wait = 10  # seconds, which Django REST framework says as Retry-After


class ManifestPages(Pages):
    default_limit = 1000
    max_limit = 10_000


class ReleaseManifest(BytesView):
    release_token_methods = SAFE_METHODS

    @extend_schema(
        operation_id="releases_manifest",
        summary="Every file of a release, with size and SHA-256",
        description="Files about all cases belong to every choice. Withdrawn ones stay listed, and say so. "
        "As a table (as=csv, as=parquet) it comes whole, in JSON in pages.",
        parameters=[
            *CHOSEN,
            OpenApiParameter("as", str, enum=("json", "csv", "parquet"), default="json"),
            OpenApiParameter("limit", int, description="Of a page, at most 10000"),
            OpenApiParameter("offset", int),
        ],
        responses={
            200: shapes.ManifestShape,
            (200, "text/csv"): OpenApiTypes.BINARY,
            (200, "application/vnd.apache.parquet"): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request, slug: str, number: int) -> HttpResponseBase:
        release = _ready_release(request, slug, number)
        selection = _selection(request, release, ("as", "limit", "offset"))
        files = selection.of(policies.files_for(request.user, release)).order_by("path")
        kind = request.query_params.get("as", "json")
        if kind in release_tables.KINDS:
            rows = _lines(request, release, files.values_list(*COLUMNS).iterator(chunk_size=5000))
            return release_tables.answer(kind, rows, f"{slug}-release-{number}-manifest")
        if kind != "json":
            raise exceptions.ValidationError(
                {"as": [f"A manifest comes as json, {', '.join(release_tables.KINDS)}."]}
            )
        pages = ManifestPages()
        page = pages.paginate_queryset(files.values_list(*COLUMNS), request, self)
        found = {"count": pages.count, "next": pages.get_next_link(), "previous": pages.get_previous_link()}
        return Response(found | {"files": list(_lines(request, release, page or ()))})


class ReleaseFileView(BytesView):
    release_token_methods = SAFE_METHODS

    @extend_schema(
        operation_id="releases_file",
        summary="One file, or a range of it",
        description="Its ETag is its SHA-256. 410 with the reason where its case was withdrawn. While what "
        "spans the cases is written anew without it, files of the other cases are given out, and what spans "
        "the cases answers 409 with Retry-After.",
        parameters=[RANGE],
        responses=BYTES,
    )
    def get(self, request: Request, slug: str, number: int, path: str) -> HttpResponseBase:
        release = _known_release(request, slug, number)
        try:
            file = downloads.file_or_404(request.user, release, path)
        except downloads.Withdrawn as error:  # also while what spans the cases is written anew without it
            raise Gone(str(error)) from error
        except Http404:
            _require_ready(release)
            raise
        if not downloads.stays(file):
            _require_ready(release)
        use = _stated_use(request, release)
        response = ranged_response(
            request,
            size=file.size,
            etag=file.sha256,
            pieces=lambda first, last: [(file.object_key, first, last - first + 1)],
            content_type=_content_type(path),
            filename=path.rpartition("/")[2],
        )
        if request.method == "GET" and response.status_code in GIVEN:
            uses.record_download(request.user, release, file, use)
        return response


class ReleaseArchiveView(BytesView):
    release_token_methods = SAFE_METHODS

    @extend_schema(
        operation_id="releases_archive",
        summary="All files as one ZIP, or a range of it",
        description="Stored, not compressed. Its ETag changes with what it holds: a case that is withdrawn "
        "while you download makes If-Range begin again.",
        parameters=[*CHOSEN, RANGE],
        responses={(200, "application/zip"): OpenApiTypes.BINARY, 206: OpenApiTypes.BINARY},
    )
    def get(self, request: Request, slug: str, number: int) -> HttpResponseBase:
        release = _ready_release(request, slug, number)
        selection = _selection(request, release)
        use = _stated_use(request, release)
        archive = downloads.archive_of(request.user, release, selection)
        response = ranged_response(
            request,
            size=archive.size,
            etag=archive.etag,
            pieces=archive.pieces,
            content_type="application/zip",
            filename=f"{archive.name}.zip",
        )
        if request.method == "GET" and response.status_code in GIVEN:
            uses.record_download(request.user, release, None, use, cases=archive.cases)
        return response


def _known_release(request: Request, slug: str, number: int) -> Release:
    """The release, if this person may know what is in it."""
    release = policies.release_or_404(request.user, slug, number)
    policies.require_open(request.user, release)
    return release


def _ready_release(request: Request, slug: str, number: int) -> Release:
    release = _known_release(request, slug, number)
    _require_ready(release)
    return release


def _require_ready(release: Release) -> None:
    """Raises Conflict while the release has no files to give out."""
    number = release.number
    if release.state == Release.State.WRITING and release.ready_at is not None:
        raise BeingWritten(
            f"What spans the cases of release {number} is being written anew, as one was taken out: its "
            "tables, manifest and archive. Files of the other cases can be fetched meanwhile."
        )
    if release.state == Release.State.WRITING:
        raise BeingWritten(
            f"Release {number} is being written: {release.cases_done} of {release.cases_total} cases done."
        )
    if release.state == Release.State.CANCELLED:
        raise Conflict(f"Release {number} was cancelled: it has no files.")
    if release.state != Release.State.READY:
        raise Conflict(f"Release {number} could not be written. {release.problem}")


def _stated_use(request: Request, release: Release) -> ReleaseUse:
    """What the caller said they use it for. Raises PermissionDenied until they did."""
    policies.require_use(request.user, release)
    use = uses.use_of(request.user, release)
    assert use is not None  # noqa: S101  what `require_use` has just asked for
    return use


def _selection(request: Request, release: Release, others: tuple[str, ...] = ()) -> Selection:
    with refusals():
        return selection_from(request.query_params.lists(), release, others)


def _lines(request: Request, release: Release, rows: Iterable[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    place = {"slug": release.project.slug, "number": release.number}
    start = reverse("api-release-file", kwargs={**place, "path": "x"}, request=request).removesuffix("x")
    for path, format_, part, case, size, sha256, withdrawn_at in rows:
        yield {
            "path": path,
            "format": format_,
            "part": "" if part is None else WORD_OF_PART[part],
            "case": case,
            "size": size,
            "sha256": sha256,
            "withdrawn_at": withdrawn_at,
            "url": start + quote(path),
        }


def _content_type(path: str) -> str:
    if path.endswith(".dcm"):
        return "application/dicom"
    if path.endswith(".gz"):
        return "application/gzip"
    return guess_type(path)[0] or "application/octet-stream"
