"""REST for predictions: a model's segments of a release's cases are handed in, scored and ranked."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers as s
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.scopes import SAFE_METHODS
from annotations.api.release_json import WORD_OF_PART
from annotations.api.releases import PAGES, refusals
from annotations.api.requests import user_of
from annotations.api.shapes import Shape
from annotations.cohort import policies
from annotations.cohort.predictions import handing_in, proposing, standings
from annotations.models import Prediction, PredictionFile
from atlas.api.pagination import Pages
from atlas.api.sending import RawBody, body_of
from atlas.api.sending import refusals as lost_connections

PART_OF_WORD = {word: part for part, word in WORD_OF_PART.items()}


class NewPredictionShape(Shape):
    name = s.CharField(max_length=120, help_text="Of the model, with its version")
    description = s.CharField(required=False, default="", allow_blank=True, max_length=4000)
    part = s.ChoiceField(choices=list(PART_OF_WORD), default="test")


class PredictionShape(Shape):
    id = s.CharField()
    name = s.CharField()
    description = s.CharField()
    by = s.CharField()
    part = s.CharField()
    state = s.ChoiceField(choices=Prediction.State.choices)
    problem = s.CharField()
    cases_total = s.IntegerField()
    cases_done = s.IntegerField(help_text="Scored")
    handed_in_at = s.DateTimeField(allow_null=True)
    scored_at = s.DateTimeField(allow_null=True)
    mean_dice = s.FloatField(allow_null=True, help_text="Over labels: the order of the leaderboard")
    scores = s.JSONField(allow_null=True, help_text="By label, each number with n and 95 % interval")


class PredictedFileShape(Shape):
    case = s.IntegerField()
    name = s.CharField()
    size = s.IntegerField(help_text="Bytes")
    sha256 = s.CharField()


class PredictionWholeShape(PredictionShape):
    cases = s.ListField(
        child=s.DictField(), help_text="Each case's scores by label; none where the part is withheld from you"
    )
    files = PredictedFileShape(many=True)


class PredictionList(APIView):
    release_token_methods = SAFE_METHODS | {"POST"}

    @extend_schema(
        operation_id="predictions_list",
        summary="The leaderboard of a release: scored predictions, the best first",
        parameters=PAGES,
        responses=PredictionShape(many=True),
    )
    def get(self, request: Request, slug: str, number: int) -> Response:
        release = policies.release_or_404(request.user, slug, number)
        pages = Pages()
        found = pages.paginate_queryset(standings.leaderboard(user_of(request), release), request, self)
        return pages.get_paginated_response([_json(one) for one in found or ()])

    @extend_schema(
        operation_id="predictions_open",
        summary="Begin to hand in what a model says of a part of a release",
        request=NewPredictionShape,
        responses={201: PredictionShape},
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        release = policies.release_or_404(request.user, slug, number)
        asked = NewPredictionShape(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data | {"part": PART_OF_WORD[asked.validated_data["part"]]}
        with refusals():
            opened = handing_in.open_prediction(by=user_of(request), release=release, **wanted)
        return Response(_json(opened), status=status.HTTP_201_CREATED)


class PredictionDetail(APIView):
    release_token_methods = SAFE_METHODS | {"DELETE"}

    @extend_schema(
        operation_id="predictions_retrieve",
        summary="One prediction: yours, or any of a release that you manage",
        responses=PredictionWholeShape,
    )
    def get(self, request: Request, slug: str, number: int, public_id: str) -> Response:
        user = user_of(request)
        found = handing_in.prediction_or_404(user, slug, number, public_id)
        kept = PredictionFile.objects.filter(case__prediction=found).select_related("case__release_case")
        files = [_file_json(one) for one in kept.order_by("name")]
        cases = [
            {"case": case.release_case.number, "scores": case.scores}
            for case in standings.scored_cases(user, found)
        ]
        return Response(_json(found) | {"cases": cases, "files": files})

    @extend_schema(operation_id="predictions_remove", summary="Remove a prediction", responses={204: None})
    def delete(self, request: Request, slug: str, number: int, public_id: str) -> Response:
        found = handing_in.prediction_or_404(user_of(request), slug, number, public_id)
        with refusals():
            handing_in.remove(by=user_of(request), prediction=found)
        return Response(status=status.HTTP_204_NO_CONTENT)


class PredictionFileView(APIView):
    parser_classes = [RawBody]
    release_token_methods = frozenset({"PUT"})

    @extend_schema(
        operation_id="predictions_file",
        summary="One file of a prediction, as the body; again replaces it",
        description="It is named after its case and series, as in the release's nnU-Net data sets: "
        "0314_CT_<series>.nii.gz (a label map), 0314_CT_<series>_<label>.nii.gz, or .dcm (DICOM SEG). "
        "It is checked at once: labels, voxels and place must be those of the image.",
        parameters=[OpenApiParameter("name", str, OpenApiParameter.PATH)],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={201: PredictedFileShape},
    )
    def put(self, request: Request, slug: str, number: int, public_id: str, name: str) -> Response:
        user = user_of(request)
        found = handing_in.prediction_or_404(user, slug, number, public_id)
        with refusals(), lost_connections():
            kept = handing_in.take_file(by=user, prediction=found, name=name, content=body_of(request))
        return Response(_file_json(kept), status=status.HTTP_201_CREATED)


class PredictionHandIn(APIView):
    release_token_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="predictions_hand_in",
        summary="Hand a prediction in: it is scored, and its files are final",
        request=None,
        responses={202: PredictionShape},
    )
    def post(self, request: Request, slug: str, number: int, public_id: str) -> Response:
        found = handing_in.prediction_or_404(user_of(request), slug, number, public_id)
        with refusals():
            found = handing_in.hand_in(by=user_of(request), prediction=found)
        return Response(_json(found), status=status.HTTP_202_ACCEPTED)


class PredictionPropose(APIView):
    @extend_schema(
        operation_id="predictions_propose",
        summary="Propose what a model found to whoever reads these images from now on",
        description="For leads.",
        request=None,
        responses={204: None},
    )
    def post(self, request: Request, slug: str, number: int, public_id: str) -> HttpResponse:
        found = handing_in.prediction_or_404(user_of(request), slug, number, public_id)
        with refusals():
            proposing.propose(by=user_of(request), prediction=found)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _file_json(file: PredictionFile) -> dict[str, Any]:
    number = file.case.release_case.number
    return {"case": number, "name": file.name, "size": file.size, "sha256": file.sha256}


def _json(prediction: Prediction) -> dict[str, Any]:
    return {
        "id": prediction.public_id,
        "name": prediction.name,
        "description": prediction.description,
        "by": prediction.by.display_name,
        "part": WORD_OF_PART[prediction.part],
        "state": prediction.state,
        "problem": prediction.problem,
        "cases_total": prediction.cases_total,
        "cases_done": prediction.cases_done,
        "handed_in_at": prediction.handed_in_at,
        "scored_at": prediction.scored_at,
        "mean_dice": prediction.rank_by,
        "scores": prediction.scores,
    }
