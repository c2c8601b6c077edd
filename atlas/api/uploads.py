"""Uploads: begin, send files one by one (or a ZIP archive), say when it is done, ask how far it is."""

from typing import Any, BinaryIO, cast

from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from atlas import policies
from atlas.api.errors import Conflict
from atlas.archive import uploads
from atlas.archive.intake import IntakeClosed
from atlas.archive.uploads import UploadEnded
from atlas.models import Dataset, Upload

FINDINGS_SHOWN = 200


class RawBody(BaseParser):
    """Leaves the body unread: the view streams it. Any content type."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        return stream


class UploadFindingSerializer(serializers.Serializer):
    file_name = serializers.CharField()
    reason = serializers.CharField()


class UploadSerializer(serializers.ModelSerializer):
    id = serializers.CharField(source="public_id")
    findings = serializers.SerializerMethodField(help_text="The last files that were not taken.")

    class Meta:
        model = Upload
        fields = (
            "id", "state", "started_at", "ended_at", "files_total", "files_read", "stored", "known",
            "refused", "findings",
        )  # fmt: skip

    def get_findings(self, upload: Upload) -> list[dict[str, str]]:
        latest = upload.findings.order_by("-pk")[:FINDINGS_SHOWN]
        return list(UploadFindingSerializer(reversed(latest), many=True).data)


class BeginSerializer(serializers.Serializer):
    files_total = serializers.IntegerField(min_value=0, max_value=2_000_000_000, default=0)


class OutcomeSerializer(serializers.Serializer):
    name = serializers.CharField()
    status = serializers.ChoiceField(["stored", "known", "refused", "not_dicom"])
    reason = serializers.CharField()


def _dataset(request: Request, slug: str) -> Dataset:
    dataset = policies.visible_datasets(request.user).filter(slug=slug).first()
    if dataset is None:
        raise Http404("There is no such dataset, or it is not for you.")
    return dataset


class Uploads(APIView):
    @extend_schema(
        operation_id="upload_begin", summary="Begin an upload", tags=["uploads"],
        request=BeginSerializer, responses={201: UploadSerializer},
    )  # fmt: skip
    def post(self, request: Request, slug: str) -> Response:
        dataset = _dataset(request, slug)  # before the body: a stranger learns nothing from its errors
        wanted = BeginSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            upload = uploads.begin(by=cast(User, request.user), dataset=dataset, **wanted.validated_data)
        except IntakeClosed as error:
            raise Conflict(str(error)) from error
        return Response(UploadSerializer(upload).data, status=status.HTTP_201_CREATED)


class OneUpload(APIView):
    @extend_schema(
        operation_id="upload_state",
        summary="State of an upload",
        tags=["uploads"],
        responses=UploadSerializer,
    )
    def get(self, request: Request, slug: str, public_id: str) -> Response:
        upload = uploads.upload_or_404(request.user, slug, public_id)
        return Response(UploadSerializer(upload).data)


class UploadFiles(APIView):
    """The body is the file. A ZIP archive counts as the files in it."""

    parser_classes = (RawBody,)

    @extend_schema(
        operation_id="upload_file", summary="Send a file or a ZIP archive", tags=["uploads"],
        parameters=[OpenApiParameter("name", str, required=True, description="Relative path, to report by")],
        request={"application/octet-stream": OpenApiTypes.BINARY}, responses=OutcomeSerializer(many=True),
    )  # fmt: skip
    def put(self, request: Request, slug: str, public_id: str) -> Response:
        return self._receive(request, slug, public_id)

    @extend_schema(exclude=True)
    def post(self, request: Request, slug: str, public_id: str) -> Response:
        return self._receive(request, slug, public_id)

    def _receive(self, request: Request, slug: str, public_id: str) -> Response:
        name = request.query_params.get("name", "").strip()
        if not name:
            raise ValidationError({"name": ["Name the file: ?name=folder/file.dcm"]})
        upload = uploads.upload_or_404(request.user, slug, public_id)
        try:
            outcomes = uploads.receive(
                by=cast(User, request.user), upload=upload, name=name, stream=cast(BinaryIO, request._request)
            )
        except (UploadEnded, IntakeClosed) as error:
            raise Conflict(str(error)) from error
        return Response(OutcomeSerializer(outcomes, many=True).data)


class UploadDone(APIView):
    @extend_schema(
        operation_id="upload_done", summary="All files are sent", tags=["uploads"],
        request=None, responses=UploadSerializer,
    )  # fmt: skip
    def post(self, request: Request, slug: str, public_id: str) -> Response:
        upload = uploads.upload_or_404(request.user, slug, public_id)
        return Response(UploadSerializer(uploads.finish(by=cast(User, request.user), upload=upload)).data)
