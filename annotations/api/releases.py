"""REST for releases: what they hold, and their files, which come in ranges so that a download can go on."""

from mimetypes import guess_type
from typing import Any

from django.http import Http404, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from annotations.cohort import downloads, policies
from annotations.models import Release, ReleaseFile
from annotations.reading.projects import project_or_404
from atlas.api.errors import Conflict
from atlas.api.pagination import Pages
from atlas.api.ranges import BytesView, ranged_response

RANGE = OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="bytes=first-last")
BYTES = {(200, "application/octet-stream"): OpenApiTypes.BINARY, 206: OpenApiTypes.BINARY}


class ReleaseShape(serializers.Serializer):
    """One release; its files stand in its manifest."""

    number = serializers.IntegerField()
    title = serializers.CharField()
    licence = serializers.CharField()
    state = serializers.ChoiceField(choices=Release.State.choices)
    cases_total = serializers.IntegerField()
    cases_done = serializers.IntegerField()
    problem = serializers.CharField()
    frozen_at = serializers.DateTimeField()
    ready_at = serializers.DateTimeField(allow_null=True)
    manifest_sha256 = serializers.CharField()
    url = serializers.URLField()


class FileShape(serializers.Serializer):
    path = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes")
    sha256 = serializers.CharField()
    url = serializers.URLField()


class ManifestShape(serializers.Serializer):
    files = FileShape(many=True)


class ReleaseList(APIView):
    @extend_schema(
        operation_id="releases_list",
        summary="A project's releases, newest first",
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("offset", int)],
        responses=ReleaseShape(many=True),
    )
    def get(self, request: Request, slug: str) -> Response:
        project = project_or_404(request.user, slug, "download_releases")
        pages = Pages()
        page = pages.paginate_queryset(policies.releases_of(request.user, project), request, self)
        return pages.get_paginated_response([_release_json(request, release) for release in page or ()])


class ReleaseDetail(APIView):
    @extend_schema(operation_id="releases_retrieve", summary="One release", responses=ReleaseShape)
    def get(self, request: Request, slug: str, number: int) -> Response:
        return Response(_release_json(request, policies.release_or_404(request.user, slug, number)))


class ReleaseManifest(APIView):
    @extend_schema(
        operation_id="releases_manifest",
        summary="Every file of a release, with size and SHA-256",
        responses=ManifestShape,
    )
    def get(self, request: Request, slug: str, number: int) -> Response:
        release = _ready(request, slug, number)
        rows = ReleaseFile.objects.filter(release=release).order_by("path")
        files = [
            {
                "path": path,
                "size": size,
                "sha256": sha256,
                "url": _url(request, "api-release-file", slug=slug, number=number, path=path),
            }
            for path, size, sha256 in rows.values_list("path", "size", "sha256")
        ]
        return Response({"files": files})


class ReleaseFileView(BytesView):
    @extend_schema(
        operation_id="releases_file",
        summary="One file, or a range of it",
        parameters=[RANGE],
        responses=BYTES,
    )
    def get(self, request: Request, slug: str, number: int, path: str) -> HttpResponseBase:
        release = _ready(request, slug, number)
        file = ReleaseFile.objects.filter(release=release, path=path).first()
        if file is None:
            raise Http404("The release has no such file; its manifest names them all.")
        downloads.record_download(request.user, release, file)
        return ranged_response(
            request,
            size=file.size,
            etag=file.sha256,
            read=lambda first, last: downloads.file_bytes(file, first, last),
            content_type=_content_type(path),
            filename=path.rpartition("/")[2],
        )


class ReleaseArchiveView(BytesView):
    @extend_schema(
        operation_id="releases_archive",
        summary="All files as one ZIP, or a range of it",
        parameters=[RANGE],
        responses={(200, "application/zip"): OpenApiTypes.BINARY, 206: OpenApiTypes.BINARY},
    )
    def get(self, request: Request, slug: str, number: int) -> HttpResponseBase:
        release = _ready(request, slug, number)
        archive = downloads.ReleaseArchive(release)
        downloads.record_download(request.user, release)
        return ranged_response(
            request,
            size=archive.size,
            etag=archive.etag,
            read=archive.bytes,
            content_type="application/zip",
            filename=f"{archive.name}.zip",
        )


def _ready(request: Request, slug: str, number: int) -> Release:
    """The release, if its files may be fetched now."""
    release = policies.release_or_404(request.user, slug, number)
    policies.require_open(request.user, release)
    if release.state == Release.State.WRITING:
        raise Conflict(
            f"Release {number} is being written: {release.cases_done} of {release.cases_total} cases done."
        )
    if release.state != Release.State.READY:
        raise Conflict(f"Release {number} could not be written. {release.problem}")
    return release


def _release_json(request: Request, release: Release) -> dict[str, Any]:
    return {
        "number": release.number,
        "title": release.title,
        "licence": release.licence,
        "state": release.state,
        "cases_total": release.cases_total,
        "cases_done": release.cases_done,
        "problem": release.problem,
        "frozen_at": release.frozen_at,
        "ready_at": release.ready_at,
        "manifest_sha256": release.manifest_sha256,
        "url": _url(request, "api-release", slug=release.project.slug, number=release.number),
    }


def _url(request: Request, name: str, **parts: object) -> str:
    return reverse(name, kwargs=parts, request=request)


def _content_type(path: str) -> str:
    if path.endswith(".dcm"):
        return "application/dicom"
    if path.endswith(".gz"):
        return "application/gzip"
    return guess_type(path)[0] or "application/octet-stream"
