"""Clinical facts: send a file, map its columns, follow it, take it back; a subject's facts."""

from typing import cast

from django.core.exceptions import ValidationError as Refused
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import permissions
from accounts.models import User
from atlas.api.sending import RawBody, body_of, refusals
from atlas.clinical import importing
from atlas.clinical.dates import cut
from atlas.clinical.timeline import Event, subject_or_404, timeline_of
from atlas.datasets import dataset_or_404
from atlas.models import ClinicalImport

_READ_BYTES = 1024 * 1024


class ClinicalFindingSerializer(serializers.Serializer):
    row = serializers.IntegerField(help_text="As a spreadsheet counts; 0 is the file as a whole.")
    column = serializers.CharField()
    sentence = serializers.CharField()


class ClinicalImportSerializer(serializers.ModelSerializer):
    id = serializers.CharField(source="public_id")
    findings = ClinicalFindingSerializer(many=True)

    class Meta:
        model = ClinicalImport
        fields = (
            "id", "kind", "file_name", "state", "mapping", "rows_total", "rows_taken", "rows_refused",
            "findings", "created_at", "finished_at",
        )  # fmt: skip


class MappingSerializer(serializers.Serializer):
    """What `mapping` of a file shows, changed where needed."""

    columns = serializers.DictField(child=serializers.CharField(allow_blank=True), required=False)
    dates = serializers.ChoiceField(["", "dmy", "mdy"], required=False)
    condition_codes = serializers.CharField(required=False, allow_blank=True)
    treatment_codes = serializers.CharField(required=False, allow_blank=True)
    issuer = serializers.CharField(required=False, allow_blank=True)
    accept = serializers.ChoiceField(["rows", "file"], required=False)


class ClinicalImports(APIView):
    """The body is the file: a table, or a FHIR bundle."""

    parser_classes = (RawBody,)

    @extend_schema(
        operation_id="clinical_files", summary="Files of clinical facts, newest first", tags=["clinical"],
        responses=ClinicalImportSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, slug: str) -> Response:
        dataset = dataset_or_404(request.user, slug)
        permissions.require(request.user, "import_images", dataset)
        latest = dataset.clinical_imports.all()[:100]
        return Response(ClinicalImportSerializer(latest, many=True).data)

    @extend_schema(
        operation_id="clinical_send", summary="Send a table or a FHIR bundle", tags=["clinical"],
        parameters=[OpenApiParameter("name", str, description="Of the file, to find it again")],
        request={"application/octet-stream": OpenApiTypes.BINARY}, responses={201: ClinicalImportSerializer},
    )  # fmt: skip
    def post(self, request: Request, slug: str) -> Response:
        dataset = dataset_or_404(request.user, slug)
        permissions.require(request.user, "import_images", dataset)
        with refusals():
            content = _whole(request)
            try:
                one = importing.begin(
                    by=cast(User, request.user),
                    dataset=dataset,
                    name=request.query_params.get("name", ""),
                    content=content,
                )
            except Refused as error:
                raise ValidationError(error.messages) from error
        return Response(ClinicalImportSerializer(one).data, status=status.HTTP_201_CREATED)


def _whole(request: Request) -> bytes:
    body, pieces, size = body_of(request), [], 0
    while piece := body.read(_READ_BYTES):
        pieces.append(piece)
        size += len(piece)
        if size > importing.BYTES_MAX:
            raise ValidationError("The file is too large. Split it.")
    return b"".join(pieces)


class OneClinicalImport(APIView):
    @extend_schema(
        operation_id="clinical_file", summary="How far a file is, and why rows were refused",
        tags=["clinical"], responses=ClinicalImportSerializer,
    )  # fmt: skip
    def get(self, request: Request, slug: str, public_id: str) -> Response:
        one = importing.import_or_404(request.user, slug, public_id)
        return Response(ClinicalImportSerializer(one).data)

    @extend_schema(
        operation_id="clinical_take_back", summary="Delete a file that waits, or take back its facts",
        tags=["clinical"], request=None, responses=ClinicalImportSerializer,
    )  # fmt: skip
    def delete(self, request: Request, slug: str, public_id: str) -> Response:
        one = importing.import_or_404(request.user, slug, public_id)
        try:
            one = importing.throw_away(by=cast(User, request.user), one=one)
        except Refused as error:
            raise ValidationError(error.messages) from error
        return Response(ClinicalImportSerializer(one).data)


class ClinicalMapping(APIView):
    @extend_schema(
        operation_id="clinical_map", summary="Map the columns of a file, and have it read",
        tags=["clinical"], request=MappingSerializer, responses=ClinicalImportSerializer,
    )  # fmt: skip
    def put(self, request: Request, slug: str, public_id: str) -> Response:
        one = importing.import_or_404(request.user, slug, public_id)
        with refusals():
            try:
                one = importing.start(by=cast(User, request.user), one=one, how=request.data)
            except Refused as error:
                raise ValidationError(error.messages) from error
        return Response(ClinicalImportSerializer(one).data)


class FactSerializer(serializers.Serializer):
    kind = serializers.CharField()
    what = serializers.CharField()
    code = serializers.CharField()
    starts = serializers.SerializerMethodField(
        help_text="Moved as the dates of the images are; 2021-05 or 2021 where no more is known."
    )
    ends = serializers.SerializerMethodField(help_text="As `starts`.")
    precision = serializers.CharField(help_text="Of `starts`: day, month or year")
    ends_precision = serializers.CharField(help_text="Of `ends`: day, month or year")
    days_since_first_study = serializers.IntegerField(
        source="day", allow_null=True, help_text="Only where the day is known."
    )

    def get_starts(self, event: Event) -> str | None:
        return cut(event.starts, event.precision) if event.starts else None

    def get_ends(self, event: Event) -> str | None:
        return cut(event.ends, event.ends_precision) if event.ends else None


class SubjectFacts(APIView):
    """Studies and facts of a subject in the order of time; what has no date comes last."""

    @extend_schema(
        operation_id="subject_facts", summary="A subject's studies and clinical facts", tags=["clinical"],
        responses=FactSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, slug: str, public_id: str) -> Response:
        user = cast(User, request.user)
        dataset, subject = subject_or_404(user, slug, public_id)
        found = timeline_of(user, dataset, subject)
        return Response(FactSerializer([*found.events, *found.undated], many=True).data)
