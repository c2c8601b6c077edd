"""Uploads: begin, send files one by one (or a ZIP archive), large ones in pieces, say when it is done, ask
how far it is."""

from typing import cast

from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from atlas import policies
from atlas.api.sending import RawBody, body_of, refusals
from atlas.archive import pieces, sent_files, uploads
from atlas.archive.pieces import WrongPiece
from atlas.models import Dataset, Series, Upload, UploadFile

FINDINGS_SHOWN = 200


class UploadFindingSerializer(serializers.Serializer):
    file_name = serializers.CharField()
    reason = serializers.CharField()


class UploadSerializer(serializers.ModelSerializer):
    id = serializers.CharField(source="public_id")
    findings = serializers.SerializerMethodField(help_text="The last files that were not taken.")
    series_arriving = serializers.SerializerMethodField(
        help_text="Series of the dataset that a worker has not described yet."
    )

    class Meta:
        model = Upload
        fields = (
            "id", "state", "started_at", "ended_at", "files_total", "files_read", "stored", "known",
            "refused", "findings", "series_arriving",
        )  # fmt: skip

    def get_findings(self, upload: Upload) -> list[dict[str, str]]:
        latest = upload.findings.order_by("-pk")[:FINDINGS_SHOWN]
        return list(UploadFindingSerializer(reversed(latest), many=True).data)

    def get_series_arriving(self, upload: Upload) -> int:
        arriving = Series.objects.filter(study__dataset=upload.dataset_id, state=Series.State.ARRIVING)
        return arriving.filter(instance_count__gt=0).count()


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
        with refusals():
            upload = uploads.begin(by=cast(User, request.user), dataset=dataset, **wanted.validated_data)
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

    @extend_schema(
        operation_id="upload_cancel", summary="Stop an upload; what is stored stays", tags=["uploads"],
        request=None, responses=UploadSerializer,
    )  # fmt: skip
    def delete(self, request: Request, slug: str, public_id: str) -> Response:
        upload = uploads.upload_or_404(request.user, slug, public_id)
        return Response(UploadSerializer(uploads.cancel(by=cast(User, request.user), upload=upload)).data)


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
        with refusals():
            outcomes = uploads.receive(
                by=cast(User, request.user), upload=upload, name=name, stream=body_of(request)
            )
        return Response(OutcomeSerializer(outcomes, many=True).data)


class UploadDone(APIView):
    @extend_schema(
        operation_id="upload_done", summary="All files are sent", tags=["uploads"],
        request=None, responses=UploadSerializer,
    )  # fmt: skip
    def post(self, request: Request, slug: str, public_id: str) -> Response:
        upload = uploads.upload_or_404(request.user, slug, public_id)
        return Response(UploadSerializer(uploads.finish(by=cast(User, request.user), upload=upload)).data)


class BeginFileSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=5000, help_text="Relative path, to report by")
    size = serializers.IntegerField(min_value=1, help_text="Bytes")
    fingerprint = serializers.CharField(
        max_length=200, help_text="Tells two files of one name apart, as size and time of change do"
    )


class SentFileSerializer(serializers.ModelSerializer):
    id = serializers.CharField(source="public_id")
    piece_bytes = serializers.SerializerMethodField(help_text="Length of every piece but the last")

    class Meta:
        model = UploadFile
        fields = ("id", "name", "size", "received", "piece_bytes", "is_taken_in")

    def get_piece_bytes(self, file: UploadFile) -> int:
        return pieces.PIECE_BYTES


class SentFiles(APIView):
    """A large file is sent in pieces, so that a broken line costs one piece. Saying again that it comes tells
    how much of it is here."""

    @extend_schema(
        operation_id="upload_large_file", summary="Begin, or go on with, a large file", tags=["uploads"],
        request=BeginFileSerializer, responses=SentFileSerializer,
    )  # fmt: skip
    def post(self, request: Request, slug: str, public_id: str) -> Response:
        upload = uploads.upload_or_404(request.user, slug, public_id)
        wanted = BeginFileSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        with refusals():
            file = sent_files.begin_file(by=cast(User, request.user), upload=upload, **wanted.validated_data)
        return Response(SentFileSerializer(file).data)


class SentFile(APIView):
    """The pieces of one large file. The body is the next piece; after the last one a worker reads it."""

    parser_classes = (RawBody,)

    @extend_schema(
        operation_id="upload_piece", summary="Send the next piece of a large file", tags=["uploads"],
        parameters=[OpenApiParameter("offset", int, required=True, description="Byte that it begins with")],
        request={"application/octet-stream": OpenApiTypes.BINARY}, responses=SentFileSerializer,
    )  # fmt: skip
    def patch(self, request: Request, slug: str, public_id: str, file_id: str) -> Response:
        file = self._file(request, slug, public_id, file_id)
        offset = request.query_params.get("offset", "")
        if not (offset.isascii() and offset.isdecimal() and len(offset) < 16):
            raise ValidationError({"offset": ["Say at which byte the piece begins: ?offset=0"]})
        by = cast(User, request.user)
        try:
            with refusals():
                file = sent_files.receive_piece(by=by, file=file, offset=int(offset), stream=body_of(request))
        except WrongPiece as error:
            told = {"reason": str(error), "received": error.received}
            return Response(told, status=status.HTTP_409_CONFLICT)
        return Response(SentFileSerializer(file).data)

    @extend_schema(
        operation_id="upload_leave_out", summary="Leave a large file out after all", tags=["uploads"],
        request=None, responses={204: None},
    )  # fmt: skip
    def delete(self, request: Request, slug: str, public_id: str, file_id: str) -> Response:
        file = self._file(request, slug, public_id, file_id)
        sent_files.leave_out(by=cast(User, request.user), file=file)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _file(self, request: Request, slug: str, public_id: str, file_id: str) -> UploadFile:
        return sent_files.sent_file_or_404(uploads.upload_or_404(request.user, slug, public_id), file_id)
