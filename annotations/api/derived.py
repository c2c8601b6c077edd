"""REST: what came with a series, and what became of it."""

from typing import Any

from django.db.models import Count
from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.api.shapes import CodeShape, ReportedNumberShape, Shape
from annotations.models import DerivedObject
from atlas import policies
from atlas.models import Series


class DerivedObjectShape(Shape):
    sop = s.CharField(help_text="SOP Instance UID")
    kind = s.ChoiceField(choices=DerivedObject.Kind.choices)
    state = s.ChoiceField(choices=DerivedObject.State.choices)
    sentence = s.CharField(help_text="What became of it")
    windows = s.JSONField(help_text="[{center, width, series, images}] of a presentation state")


class SegmentShape(Shape):
    id = s.CharField()
    name = s.CharField()
    type = CodeShape(allow_null=True)
    category = CodeShape(allow_null=True)
    origin = s.CharField(help_text="A sentence: where it is from")
    slices = s.IntegerField()


class MarkOfSeriesShape(Shape):
    id = s.CharField()
    kind = s.CharField(help_text="length, bidirectional, ellipse, polygon, point or line")
    name = s.CharField()
    type = CodeShape(allow_null=True)
    origin = s.CharField()
    place = s.JSONField(help_text="sop, frame, frame_of_reference, points_patient_mm or points_image")


class GroupShape(Shape):
    name = s.CharField()
    tracking_uid = s.CharField()
    finding = CodeShape(allow_null=True)
    site = CodeShape(allow_null=True)
    origin = s.CharField()
    segments = s.ListField(child=s.CharField(), help_text="Those that it measures, by id")
    marks = s.ListField(child=s.CharField(), help_text="Those that it measures, by id")
    numbers = ReportedNumberShape(many=True)


class DerivedShape(Shape):
    objects = DerivedObjectShape(many=True, help_text="Of a derived series: its objects")
    segments = SegmentShape(many=True, help_text="Of an image series: what lies on it")
    marks = MarkOfSeriesShape(many=True, help_text="Of an image series: what lies on it")
    measurements = GroupShape(many=True, help_text="Of an image series: what was reported of it")


class DerivedOfSeries(APIView):
    @extend_schema(
        operation_id="series_derived",
        summary="Segmentations, structure sets, reports and presentation states of a series",
        description="Of a derived series what became of it; of an image series what lies on it.",
        responses=DerivedShape,
        tags=["images"],
    )
    def get(self, request: Request, public_id: str) -> Response:
        series = policies.series_or_404(request.user, public_id)
        if policies.veiled_studies(request.user).filter(pk=series.study_id).exists():
            return Response({"objects": [], "segments": [], "marks": [], "measurements": []})
        return Response(_derived_json(series))


def _derived_json(series: Series) -> dict[str, Any]:
    came_along = series.imported_segments.filter(project=None)  # what a model proposed is its project's
    segments = came_along.annotate(slices=Count("planes")).order_by("pk")
    groups = series.imported_measurements.prefetch_related("segments", "marks").order_by("pk")
    return {
        "objects": [
            {
                "sop": one.sop_instance_uid,
                "kind": one.kind,
                "state": one.state,
                "sentence": one.sentence,
                "windows": one.windows,
            }
            for one in series.derived_objects.all()
        ],
        "segments": [
            {
                "id": one.public_id,
                "name": one.label,
                "type": one.type_code,
                "category": one.category_code,
                "origin": one.origin,
                "slices": one.slices,
            }
            for one in segments
        ],
        "marks": [
            {
                "id": one.public_id,
                "kind": one.kind,
                "name": one.label,
                "type": one.type_code,
                "origin": one.origin,
                "place": one.place,
            }
            for one in series.imported_marks.order_by("pk")
        ],
        "measurements": [
            {
                "name": one.label,
                "tracking_uid": one.tracking_uid,
                "finding": one.finding_code,
                "site": one.site_code,
                "origin": one.origin,
                "segments": [
                    segment.public_id for segment in one.segments.all() if segment.series_id == series.pk
                ],
                "marks": [mark.public_id for mark in one.marks.all() if mark.series_id == series.pk],
                "numbers": one.numbers,
            }
            for one in groups
        ],
    }
