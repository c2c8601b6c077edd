"""REST for the catalogue, open to anyone: datasets with facets, and one dataset with all that is told."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from network.catalogue import search
from network.catalogue.holdings import organisation_names
from network.catalogue.public import listing_or_404
from network.catalogue.query import SORTS, TEXT_LENGTH_MAX, VALUES_MAX, QueryError, from_params
from network.catalogue.shown import citation_of
from network.catalogue.wording import value_words
from network.facets import FACETS, VALUE_LENGTH_MAX
from network.models import Listing

LIMIT, LIMIT_MOST, OFFSET_MOST = 100, 1000, 1_000_000
KNOWN = {"q", "sort", "limit", "offset", *FACETS}


class ListedSerializer(serializers.ModelSerializer):
    """Numbers are null where they may not be told."""

    id = serializers.CharField(source="public_id")
    node = serializers.SerializerMethodField()
    page = serializers.SerializerMethodField()

    class Meta:
        model = Listing
        fields = (
            "id", "slug", "title", "description", "organ", "organisation", "organisation_slug", "country",
            "licence", "access", "answers", "version", "published_at", "subjects", "studies", "series",
            "images", "node", "page",
        )  # fmt: skip

    def get_node(self, listing: Listing) -> str:
        """Whose it is."""
        return listing.node.name if listing.node else settings.NODE_NAME

    def get_page(self, listing: Listing) -> str:
        """Where people read of it."""
        return settings.NODE_ADDRESS + reverse("catalogue-dataset", args=(listing.slug,))


class FacetValueShape(serializers.Serializer):
    value = serializers.CharField()
    words = serializers.CharField()
    subjects = serializers.IntegerField(allow_null=True)


class FacetCountShape(FacetValueShape):
    datasets = serializers.IntegerField()


class VersionShape(serializers.Serializer):
    version = serializers.CharField()
    published_at = serializers.DateTimeField()
    note = serializers.CharField(allow_blank=True)


class DatasetShape(ListedSerializer):
    """`figures`: what was counted of its version. `terms`: what a person said of it."""

    facets = serializers.DictField(child=FacetValueShape(many=True))
    figures = serializers.DictField()
    terms = serializers.DictField()
    versions = VersionShape(many=True)
    citation = serializers.CharField()

    class Meta(ListedSerializer.Meta):
        fields = (  # type: ignore[assignment]
            *ListedSerializer.Meta.fields, "facets", "figures", "terms", "versions", "citation",
        )  # fmt: skip


class DatasetsShape(serializers.Serializer):
    """`looked_for`: the words that were looked for instead, where nothing has those that were asked."""

    count = serializers.IntegerField()
    looked_for = serializers.CharField(allow_blank=True)
    results = ListedSerializer(many=True)
    facets = serializers.DictField(child=FacetCountShape(many=True))


class ReasonShape(serializers.Serializer):
    reason = serializers.CharField()


def _parameters() -> list[OpenApiParameter]:
    value = {"type": "string", "maxLength": VALUE_LENGTH_MAX}
    values = {"type": "array", "maxItems": VALUES_MAX, "items": value}
    facets = [
        OpenApiParameter(key, values, description=f"{facet.words}: one of these values")
        for key, facet in FACETS.items()
    ]
    words = {"type": "string", "maxLength": TEXT_LENGTH_MAX}
    return [
        OpenApiParameter("q", words, description=f"Words to look for, at most {TEXT_LENGTH_MAX} characters"),
        *facets,
        OpenApiParameter("sort", str, enum=["", *SORTS], description="Empty: as it seems best"),
        OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": LIMIT_MOST, "default": LIMIT}),
        OpenApiParameter("offset", {"type": "integer", "minimum": 0, "maximum": OFFSET_MOST, "default": 0}),
    ]


class CatalogueDatasets(APIView):
    """A dataset is found if it has one of the values of each facet that is named. Values of facets are
    counted as if none of the same facet were named."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="catalogue_datasets",
        summary="Datasets of the catalogue, with facets",
        tags=["catalogue"],
        parameters=_parameters(),
        responses={200: DatasetsShape, 400: ReasonShape},
    )
    def get(self, request: Request) -> Response:
        unknown = sorted(set(request.query_params) - KNOWN)
        if unknown:
            raise _refused(f"Nothing is known of “{unknown[0][:60]}”. Ask by {', '.join(sorted(KNOWN))}.")
        limit = _number(request, "limit", LIMIT, least=1, most=LIMIT_MOST)
        offset = _number(request, "offset", 0, least=0, most=OFFSET_MOST)
        try:
            found = search.find(from_params(request.query_params))
        except QueryError as error:
            raise _refused(str(error)) from error
        names = organisation_names()
        rows = search.in_order(found.ids[offset : offset + limit])
        return Response(
            {
                "count": len(found.ids),
                "looked_for": found.mended,
                "results": ListedSerializer(rows, many=True).data,
                "facets": {
                    facet: [
                        {
                            "value": one.value,
                            "words": value_words(facet, one.value, names),
                            "datasets": one.datasets,
                            "subjects": one.told,
                        }
                        for one in values
                    ]
                    for facet, values in found.facets.items()
                },
            }
        )


class CatalogueDataset(APIView):
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="catalogue_dataset",
        summary="One dataset of the catalogue",
        tags=["catalogue"],
        parameters=[
            OpenApiParameter("slug", {"type": "string", "pattern": "^[-a-zA-Z0-9_]+$"}, OpenApiParameter.PATH)
        ],
        responses={200: DatasetShape, 404: ReasonShape},
    )
    def get(self, request: Request, slug: str) -> Response:
        # Any text may stand in the address, so that what there is none of is told as JSON, too.
        listing = listing_or_404(slug if slug.isprintable() else "")
        facets: dict[str, list[dict[str, Any]]] = {facet: [] for facet in FACETS}
        for row in listing.facets.order_by("facet", "value"):
            if row.facet in facets:
                words = value_words(row.facet, row.value, {listing.organisation_slug: listing.organisation})
                facets[row.facet].append({"value": row.value, "words": words, "subjects": row.subjects})
        told = {
            **ListedSerializer(listing).data,
            "facets": facets,
            "figures": listing.figures,
            "terms": listing.terms,
            "versions": VersionShape(listing.versions.defer("figures"), many=True).data,
            "citation": citation_of(listing),
        }
        return Response(told)


def _number(request: Request, name: str, default: int, *, least: int, most: int) -> int:
    given = request.query_params.getlist(name)
    if not given:
        return default
    text = given[0]
    if len(given) > 1 or not (text.isascii() and text.isdecimal() and len(text) < 9):
        raise _refused(f"“{name}” is a whole number from {least} to {most}.")
    if not least <= int(text) <= most:
        raise _refused(f"“{name}” is a whole number from {least} to {most}.")
    return int(text)


def _refused(sentence: str) -> ValidationError:
    return ValidationError({"detail": sentence})
