"""REST for questions that cross nodes: ask, follow, take back; what may be asked."""

from typing import Any, cast

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import Throttled
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from annotations.api.cohort_shapes import (
    PAGES,
    CohortView,
    ExpressionShape,
    FieldShape,
    LanguageShape,
    NotUnderstoodShape,
    TotalsShape,
    asked_as,
    sent,
)
from annotations.cohort.language import as_json, written
from annotations.cohort.language.shared import require_shared
from atlas.api.pagination import Pages
from network.models import Question
from network.questions import asking, offered, policies
from network.questions.asked import who_is_asked
from network.questions.result import as_json as result_as_json
from network.questions.result import result_of
from network.questions.wording import words_of

ASKED = asked_as("QuestionAsked")
EXAMPLE = {
    "cohort": {
        "all": [
            {"field": "series.modality", "op": "is", "value": "CT"},
            {"field": "subject.age", "op": ">=", "value": 60},
        ]
    }
}


class SharedFieldShape(FieldShape):
    """`step`: numbers are asked in multiples of it, so that nobody is singled out; null: any."""

    step = serializers.FloatField(allow_null=True)


class SharedLanguageShape(LanguageShape):
    fields = SharedFieldShape(many=True)  # type: ignore[assignment]
    conditions_max = serializers.IntegerField()


class UnderstoodShape(ExpressionShape):
    nodes = serializers.IntegerField(help_text="How many would be asked")


class DatasetAnswerShape(serializers.Serializer):
    """`is_told` with null counts: fewer subjects than may be told, or none."""

    dataset = serializers.CharField(help_text="Its slug in the catalogue; empty if it isn't listed now")
    title = serializers.CharField()
    organisation = serializers.CharField()
    country = serializers.CharField()
    version = serializers.CharField(help_text="Which version was counted")
    is_told = serializers.BooleanField()
    words = serializers.CharField(help_text="Why nothing is told")
    subjects = serializers.IntegerField(allow_null=True)
    studies = serializers.IntegerField(allow_null=True)
    series = serializers.IntegerField(allow_null=True)
    images = serializers.IntegerField(allow_null=True)


class NodeAnswerShape(serializers.Serializer):
    node = serializers.CharField()
    country = serializers.CharField()
    state = serializers.ChoiceField(
        choices=["waiting", "fetched", "person", "answered", "refused", "late", "wrong", "gone"]
    )
    title = serializers.CharField()
    words = serializers.CharField(help_text="The state in a sentence")
    changed_at = serializers.DateTimeField()
    datasets = DatasetAnswerShape(many=True)


class QuestionAndAnswersShape(serializers.Serializer):
    id = serializers.CharField()
    words = serializers.CharField()
    expression = serializers.JSONField()
    asked_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    withdrawn_at = serializers.DateTimeField(allow_null=True)
    is_open = serializers.BooleanField(help_text="A node may still answer")
    is_all = serializers.BooleanField(help_text="Every dataset told its counts")
    at_least = TotalsShape(help_text="What was told, added; what was not told is not guessed")
    fewer_than = serializers.IntegerField(help_text="Fewer subjects than this are not told")
    nodes = NodeAnswerShape(many=True)


class AskedShape(serializers.Serializer):
    id = serializers.CharField(source="public_id")
    words = serializers.CharField()
    expression = serializers.JSONField()
    asked_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    withdrawn_at = serializers.DateTimeField(allow_null=True)


class Questions(CohortView, GenericAPIView):
    """Your own questions; nobody else sees them."""

    serializer_class = AskedShape
    pagination_class = Pages

    def get_queryset(self) -> Any:
        return policies.questions_for(self.request.user)

    @extend_schema(
        operation_id="questions_list",
        summary="Your questions, newest first",
        parameters=PAGES,
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response(AskedShape(page, many=True).data)

    @extend_schema(
        operation_id="questions_ask",
        summary="Ask every node that lists datasets; follow the answer at the address of the question",
        request=ASKED,
        examples=[OpenApiExample("CT of people from 60 on", EXAMPLE, request_only=True)],
        responses={201: QuestionAndAnswersShape, 400: NotUnderstoodShape},
    )
    def post(self, request: Request) -> Response:
        try:
            question = asking.ask(by=cast(User, request.user), expression=sent(request))
        except asking.TooMany as error:
            raise Throttled(wait=error.wait_s, detail=str(error)) from None
        return Response(_shown(question), status=201)


class QuestionFields(APIView):
    @extend_schema(
        operation_id="question_fields",
        summary="What may be asked across nodes, with the values that the catalogue names",
        responses=SharedLanguageShape,
    )
    def get(self, request: Request) -> Response:
        return Response(offered.fields())


class QuestionRead(CohortView):
    @extend_schema(
        operation_id="question_read",
        summary="What a question says, without asking it",
        request=ASKED,
        responses={200: UnderstoodShape, 400: NotUnderstoodShape},
    )
    def post(self, request: Request) -> Response:
        expression = sent(request)
        require_shared(expression)
        offered.require_known(expression)
        return Response(
            {
                "expression": as_json(expression),
                "text": written(expression),
                "words": words_of(expression),
                "nodes": len(who_is_asked()),
            }
        )


class OneQuestion(APIView):
    @extend_schema(
        operation_id="question_get",
        summary="What is known of a question so far, by node and dataset",
        responses=QuestionAndAnswersShape,
    )
    def get(self, request: Request, public_id: str) -> Response:
        return Response(_shown(policies.question_or_404(request.user, public_id)))


class QuestionWithdraw(APIView):
    @extend_schema(
        operation_id="question_withdraw",
        summary="Take a question back; what was answered stays",
        request=None,
        responses=QuestionAndAnswersShape,
    )
    def post(self, request: Request, public_id: str) -> Response:
        question = policies.question_or_404(request.user, public_id)
        asking.withdraw(by=cast(User, request.user), question=question)
        question.refresh_from_db()
        return Response(_shown(question))


def _shown(question: Question) -> dict[str, object]:
    return result_as_json(result_of(question))
