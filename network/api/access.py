"""REST: what a person asked for, and what was granted to them."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers as s
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from network.access import policies, viewing
from network.models import AccessGrant, AccessItem, AccessPart, AccessRequest
from network.models.access import Mode


class ItemSerializer(s.ModelSerializer):
    dataset = s.CharField(source="listing.slug", help_text="Slug in the catalogue")
    granted = s.ChoiceField(
        Mode.choices, source="granted_mode", allow_blank=True, help_text='"": not granted'
    )

    class Meta:
        model = AccessItem
        fields = ("dataset", "mode", "granted", "ends_on", "withdrawn_at")


class PartSerializer(s.ModelSerializer):
    id = s.CharField(source="public_id")
    organisation = s.CharField(source="organisation_name")
    node = s.SerializerMethodField(help_text="Slug of the node that decides; null: this one")
    words = s.CharField(source="get_state_display")
    datasets = ItemSerializer(source="items", many=True)

    class Meta:
        model = AccessPart
        fields = (
            "id", "organisation", "node", "state", "words", "changed_at", "conditions", "agreement",
            "agreed_at", "reason", "undelivered", "ends_on", "datasets",
        )  # fmt: skip

    @extend_schema_field(OpenApiTypes.STR)
    def get_node(self, part: AccessPart) -> str | None:
        return part.node.slug if part.node else None


class RequestSerializer(s.ModelSerializer):
    id = s.CharField(source="public_id")
    use_terms = s.ListField(child=s.CharField(), help_text="Terms of the Data Use Ontology")
    parts = PartSerializer(many=True)

    class Meta:
        model = AccessRequest
        fields = ("id", "title", "purpose", "use_terms", "created_at", "sent_at", "withdrawn_at", "parts")


class GrantSerializer(s.ModelSerializer):
    id = s.CharField(source="public_id")
    dataset = s.CharField(source="dataset.slug")
    name = s.CharField(source="dataset.name")
    organisation = s.CharField(source="dataset.organisation.name")
    request = s.SerializerMethodField()

    class Meta:
        model = AccessGrant
        fields = ("id", "dataset", "name", "organisation", "mode", "starts_at", "ends_at", "request")

    def get_request(self, grant: AccessGrant) -> str | None:
        return grant.part.request.public_id if grant.part else None


@extend_schema_view(
    get=extend_schema(
        operation_id="access_requests", summary="Your requests for access, newest first", tags=["access"]
    )
)
class Requests(ListAPIView):
    serializer_class = RequestSerializer
    filter_backends = ()
    queryset = AccessRequest.objects.none()

    def get_queryset(self) -> QuerySet[AccessRequest]:
        found = policies.own_requests(self.request.user)
        return found.prefetch_related("parts__items__listing", "parts__node").order_by("-pk")


@extend_schema_view(
    get=extend_schema(
        operation_id="access_grants", summary="Datasets of this node that you may use now", tags=["access"]
    )
)
class Grants(ListAPIView):
    serializer_class = GrantSerializer
    filter_backends = ()
    queryset = AccessGrant.objects.none()

    def get_queryset(self) -> QuerySet[AccessGrant]:
        found = policies.grants_that_hold(self.request.user)
        return found.select_related("dataset__organisation", "part__request").order_by("ends_at", "pk")


class Viewing(APIView):
    @extend_schema(
        operation_id="access_study",
        summary="A study and its subject's others, as the viewer opens them",
        description="For those to whom its dataset is open as a whole. Looking only: there are no marks.",
        responses=OpenApiResponse(OpenApiTypes.OBJECT, description="In the shape of a read"),
        tags=["access"],
    )
    def get(self, request: Request, public_id: str) -> Response:
        study = viewing.study_or_404(request.user, public_id)  # type: ignore[arg-type]
        found: dict[str, Any] = viewing.viewing_json(request.user, study)  # type: ignore[arg-type]
        return Response(found)
