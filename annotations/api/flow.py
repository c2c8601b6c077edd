"""REST for the rules of a project's reading: locking the unaided read, and what training teaches."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.api import journal_shapes, review_shapes, shapes
from annotations.api.read_json import state_json
from annotations.api.requests import compact, read_response, user_of, valid
from annotations.models import Comparison
from annotations.reading import feedback, reads


class FeedbackLabelShape(shapes.Shape):
    label = s.CharField(help_text="Its key in the schema")  # type: ignore[assignment]
    name = s.CharField()
    dice = s.FloatField(allow_null=True, help_text="Null where neither marked a voxel")
    surface_dice = s.FloatField(allow_null=True)
    hd95_mm = s.FloatField(allow_null=True, help_text="Null where a mask is empty")
    your_volume_mm3 = s.FloatField(allow_null=True)
    reference_volume_mm3 = s.FloatField(allow_null=True)
    matched = s.IntegerField(help_text="Lesions that both have")
    unmatched = s.IntegerField(help_text="Lesions that one of the two lacks")
    both_empty = s.BooleanField()


class FeedbackShape(shapes.Shape):
    ready = s.BooleanField(help_text="The numbers are computed within moments of handing in")
    labels = FeedbackLabelShape(many=True)
    reference = journal_shapes.StateShape(help_text="The marks of the reference standard")


class LockUnaided(APIView):
    @extend_schema(
        operation_id="reads_lock_unaided",
        summary="Fix what the reader found unaided, and show the proposals from now on",
        description="409 where edits are missing, or a required label or question has no answer.",
        request=review_shapes.SubmitShape,
        responses=shapes.ReadShape,
    )
    def post(self, request: Request, public_id: str) -> Response:
        sent = valid(review_shapes.SubmitShape, request)
        reads.lock_unaided(user=user_of(request), read_id=public_id, number=sent["number"])
        return read_response(request, public_id)


class FeedbackOfRead(APIView):
    @extend_schema(
        operation_id="reads_feedback",
        summary="Of a training case that was handed in: how it compares with the reference standard",
        responses=FeedbackShape,
    )
    def get(self, request: Request, public_id: str) -> HttpResponse:
        found = feedback.feedback_or_404(user_of(request), public_id)
        names = {label["key"]: label["name"] for label in found.read.schema.labels}
        labels = [
            _label_json(one, names.get(one.label, one.label), found.submission.pk)
            for one in found.comparisons
        ]
        reference = state_json(found.reference)
        return compact(request, {"ready": found.is_ready, "labels": labels, "reference": reference})


def _label_json(compared: Comparison, name: str, yours: int) -> dict[str, Any]:
    volumes = (compared.first_volume_mm3, compared.second_volume_mm3)
    own, reference = volumes if compared.first_id == yours else volumes[::-1]
    return {
        "label": compared.label,
        "name": name,
        "dice": compared.dice,
        "surface_dice": compared.surface_dice,
        "hd95_mm": compared.hd95_mm,
        "your_volume_mm3": own,
        "reference_volume_mm3": reference,
        "matched": compared.matched,
        "unmatched": compared.unmatched,
        "both_empty": compared.both_empty,
    }
