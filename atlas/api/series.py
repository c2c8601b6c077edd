"""GET /series/<id>/manifest/: all that a viewer needs to know about a series; …/pack/: its files."""

import gzip
import hashlib
from typing import cast

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import audit
from accounts.models import User
from atlas import policies
from atlas.access import DOWNLOADED, record_viewing
from atlas.api.errors import Conflict
from atlas.api.ranges import BytesView, ranged_response
from atlas.archive import sealing
from atlas.archive.storage import storage


class SeriesManifest(APIView):
    @extend_schema(
        operation_id="series_manifest",
        summary="Manifest of a series",
        description=(
            "Geometry, pixel format, windows and findings of a series, columns by frame in display order. "
            "Always the latest generation; pixels are at /pixels/<series>/<generation>/<index>."
        ),
        responses={200: OpenApiResponse(OpenApiTypes.OBJECT, description="The manifest"), 304: None},
        tags=["images"],
    )
    def get(self, request: Request, public_id: str) -> HttpResponse:
        series = policies.series_or_404(request.user, public_id)
        record_viewing(cast(User, request.user), series)
        if not series.manifest_key:  # it still arrives, or is made anew: describe what is here
            sealing.seal(series.pk, rests=False)
            series.refresh_from_db()
            if not series.manifest_key:
                raise Http404("This series can't be described yet.")
        tag = f'"{series.public_id}-{series.generation}"'
        if tag in request.headers.get("If-None-Match", ""):
            return _kept(HttpResponse(status=304), tag)
        packed = storage().read_range(series.manifest_key, 0, storage().size(series.manifest_key))
        if not _takes_gzip(request):
            return _kept(HttpResponse(gzip.decompress(packed), content_type="application/json"), tag)
        response = HttpResponse(packed, content_type="application/json")
        response["Content-Encoding"] = "gzip"
        return _kept(response, tag)


class SeriesPack(BytesView):
    @extend_schema(
        operation_id="series_pack",
        summary="All images of a series as one ZIP, or a range of it",
        description=(
            "DICOM files as they are stored, in display order. For those who hold a role on its dataset, "
            "or were granted its download. "
            "409 while its images still arrive."
        ),
        parameters=[OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="bytes=first-last")],
        responses={(200, "application/zip"): OpenApiTypes.BINARY, 206: OpenApiTypes.BINARY},
        tags=["images"],
    )
    def get(self, request: Request, public_id: str) -> HttpResponseBase:
        series = policies.series_or_404(request.user, public_id)
        if not policies.downloadable_series(request.user).filter(pk=series.pk).exists():
            raise PermissionDenied(
                "You may look at this series, not take it away. Ask its dataset's manager."
            )
        if not series.pack_key:
            raise Conflict("This series has no pack yet: its images still arrive. Try again in a minute.")
        dataset = series.study.dataset_id
        audit.record(cast(User, request.user), DOWNLOADED, series, dataset=dataset)
        return ranged_response(
            request,
            size=storage().size(series.pack_key),
            etag=hashlib.sha256(series.pack_key.encode()).hexdigest()[:32],
            pieces=lambda first, last: [(series.pack_key, first, last - first + 1)],
            content_type="application/zip",
            filename=f"{series.modality}-{series.public_id}.zip",
        )


def _takes_gzip(request: HttpRequest | Request) -> bool:
    return "gzip" in request.headers.get("Accept-Encoding", "")


def _kept(response: HttpResponse, tag: str) -> HttpResponse:
    """The browser may keep it, but asks each time whether it is the latest."""
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ["Accept-Encoding", "Cookie", "Authorization"])
    return response
