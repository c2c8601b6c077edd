"""REST for cohorts: what may be asked of a project's cases, and which cases an expression finds."""

from typing import Any, cast

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from accounts.models import User
from annotations.cohort.chosen import Answer, ChosenCase, answer, fields_of, told_of
from annotations.cohort.language import CohortError, Expression, from_params, from_text, parse
from annotations.reading.projects import project_or_404
from atlas.api.pagination import Pages
from atlas.models import Project

KINDS = ("choice", "text", "number", "yes_no", "codes")


class WordsShape(serializers.Serializer):
    value = serializers.CharField()
    words = serializers.CharField()


class OperatorShape(serializers.Serializer):
    key = serializers.CharField()
    words = serializers.CharField()


class FieldShape(serializers.Serializer):
    """One fact that may be asked. `values` is null where any text or number may be asked for."""

    key = serializers.CharField()
    level = serializers.CharField()
    words = serializers.CharField()
    help = serializers.CharField()
    kind = serializers.ChoiceField(choices=KINDS)
    operators = OperatorShape(many=True)
    units = serializers.ListField(
        child=serializers.CharField(), help_text="The first is the one it is kept in"
    )
    values = WordsShape(many=True, allow_null=True)
    may_lack = serializers.BooleanField()
    whole = serializers.BooleanField()
    least = serializers.FloatField(allow_null=True)
    most = serializers.FloatField(allow_null=True)
    about_reads = serializers.BooleanField(
        help_text="Cases that you still read are left out where it is asked"
    )


class LevelShape(serializers.Serializer):
    key = serializers.CharField()
    one = serializers.CharField()
    many = serializers.CharField()  # type: ignore[assignment]
    of_reads = serializers.BooleanField(help_text="A group of them says in which reads (`of`)")


class LanguageShape(serializers.Serializer):
    levels = LevelShape(many=True)
    of = WordsShape(many=True)
    fields = FieldShape(many=True)  # type: ignore[assignment]


class CountsShape(serializers.Serializer):
    cases = serializers.IntegerField()
    subjects = serializers.IntegerField()
    studies = serializers.IntegerField()
    series = serializers.IntegerField()
    images = serializers.IntegerField()


class ChosenShape(serializers.Serializer):
    number = serializers.IntegerField()
    title = serializers.CharField()
    sex = serializers.CharField(help_text="DICOM's M, F, O, or nothing")
    age = serializers.IntegerField(allow_null=True, help_text="Years, at the first time point")
    time_points = serializers.IntegerField()
    modalities = serializers.ListField(child=serializers.CharField())
    picture = serializers.CharField(allow_null=True)
    url = serializers.URLField()


class CohortShape(serializers.Serializer):
    expression = serializers.JSONField()
    text = serializers.CharField(help_text="The same as text, for an address")
    words = serializers.CharField(help_text="The same for reading")
    counts = CountsShape()
    cases_in_project = serializers.IntegerField()
    being_read = serializers.IntegerField(help_text="Cases left out because you still read them yourself")
    facts_waiting = serializers.IntegerField(help_text="Reads whose marks are still being worked out")
    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = ChosenShape(many=True)


class NotUnderstoodShape(serializers.Serializer):
    reason = serializers.CharField()
    place = serializers.CharField(help_text="A JSON pointer, or the character of a text")
    known = serializers.ListField(child=serializers.CharField())


PAGES = [OpenApiParameter("limit", int), OpenApiParameter("offset", int)]
ASKED = inline_serializer("CohortAsked", {"cohort": serializers.JSONField()})
EXAMPLE = {
    "cohort": {
        "all": [
            {"field": "subject.sex", "op": "is", "value": "F"},
            {
                "mark": {"field": "mark.longest_mm", "op": ">=", "value": 10},
                "count": {"at_least": 2},
            },
        ]
    }
}


class CohortFields(APIView):
    @extend_schema(
        operation_id="cohort_fields",
        summary="What may be asked of a project's cases",
        responses=LanguageShape,
    )
    def get(self, request: Request, slug: str) -> Response:
        return Response(fields_of(project_or_404(request.user, slug, "manage_project")))


class Cohort(APIView):
    """`cohort` is an expression: as text (?cohort=subject.sex is F), or as JSON."""

    @extend_schema(
        operation_id="cohort_get",
        summary="The cases that an expression finds, and how much there is of them",
        parameters=[OpenApiParameter("cohort", str, required=True), *PAGES],
        responses={200: CohortShape, 400: NotUnderstoodShape},
    )
    def get(self, request: Request, slug: str) -> Response:
        project = project_or_404(request.user, slug, "manage_project")
        try:
            asked = from_params(request.query_params)
            if asked is None:
                raise CohortError("The address names no cohort. Add ?cohort=everything for every case.")
            return self._answered(request, project, asked)
        except CohortError as error:
            return Response(error.as_json(), status=400)

    @extend_schema(
        operation_id="cohort_post",
        summary="The same, for expressions that are too long for an address",
        request=ASKED,
        parameters=PAGES,
        examples=[OpenApiExample("Two marks of a woman", EXAMPLE, request_only=True)],
        responses={200: CohortShape, 400: NotUnderstoodShape},
    )
    def post(self, request: Request, slug: str) -> Response:
        project = project_or_404(request.user, slug, "manage_project")
        try:
            return self._answered(request, project, sent(request))
        except CohortError as error:
            return Response(error.as_json(), status=400)

    def _answered(self, request: Request, project: Project, expression: Expression) -> Response:
        by = cast(User, request.user)
        told = answer(project, expression, by)
        pages = Pages()
        page = pages.paginate_queryset(told.case_ids, request, self) or []  # type: ignore[arg-type]
        cases = [_case(request, project, one) for one in told_of(page, by)]
        return Response({**_told(told), **pages.get_paginated_response(cases).data})


def sent(request: Request) -> Expression:
    """What the body asks for. Raises CohortError."""
    try:
        body: Any = request.data
    except ParseError as error:
        raise CohortError(f"This is no JSON: {error.detail}") from None
    if not isinstance(body, dict) or set(body) != {"cohort"}:
        raise CohortError('The body is {"cohort": …} and nothing else.', known=["cohort"])
    asked = body["cohort"]
    return from_text(asked) if isinstance(asked, str) else parse(asked)


def _told(told: Answer) -> dict[str, Any]:
    return {
        "expression": told.expression,
        "text": told.text,
        "words": told.words,
        "counts": told.counts.as_json(),
        "cases_in_project": told.cases_in_project,
        "being_read": told.being_read,
        "facts_waiting": told.facts_waiting,
    }


def _case(request: Request, project: Project, one: ChosenCase) -> dict[str, Any]:
    picture = one.picture
    address = {"slug": project.slug, "number": one.number}
    return {
        "number": one.number,
        "title": one.title,
        "sex": one.sex,
        "age": one.age,
        "time_points": one.time_points,
        "modalities": one.modalities,
        "picture": picture and f"/thumbnails/{picture.public_id}/{picture.generation}",
        "url": reverse("project-case", kwargs=address, request=request),
    }
