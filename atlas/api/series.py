"""GET /series/<id>/manifest/: all that a viewer needs to know about a series, as stored."""

import gzip
from typing import cast

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models import User
from atlas import policies
from atlas.access import record_viewing
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
        if series.generation == 0:  # it still arrives: describe what is here
            sealing.seal(series.pk, rests=False)
            series.refresh_from_db()
            if series.generation == 0:
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


def _takes_gzip(request: HttpRequest | Request) -> bool:
    return "gzip" in request.headers.get("Accept-Encoding", "")


def _kept(response: HttpResponse, tag: str) -> HttpResponse:
    """The browser may keep it, but asks each time whether it is the latest."""
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ["Accept-Encoding", "Cookie", "Authorization"])
    return response
