"""REST for cohorts: what may be asked of a project's cases, and which cases an expression finds."""

from typing import Any, cast

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from accounts.models import User
from annotations.api.cohort_shapes import (
    PAGES,
    CohortView,
    ExpressionShape,
    LanguageShape,
    NotUnderstoodShape,
    TotalsShape,
    asked_as,
    sent,
)
from annotations.cohort.chosen import Answer, ChosenCase, answer, fields_of, told_of
from annotations.cohort.language import CohortError, Expression, from_params
from annotations.reading.projects import project_or_404
from atlas.api.pagination import Pages
from atlas.models import Project


class CountsShape(TotalsShape):
    cases = serializers.IntegerField()


class ChosenShape(serializers.Serializer):
    number = serializers.IntegerField()
    title = serializers.CharField()
    sex = serializers.CharField(help_text="DICOM's M, F, O, or nothing")
    age = serializers.IntegerField(allow_null=True, help_text="Years, at the first time point")
    time_points = serializers.IntegerField()
    modalities = serializers.ListField(child=serializers.CharField())
    picture = serializers.CharField(allow_null=True)
    url = serializers.URLField()


class CohortShape(ExpressionShape):
    counts = CountsShape()
    cases_in_project = serializers.IntegerField()
    being_read = serializers.IntegerField(help_text="Cases left out because you still read them yourself")
    facts_waiting = serializers.IntegerField(help_text="Reads whose marks are still being worked out")
    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = ChosenShape(many=True)


ASKED = asked_as("CohortAsked")
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


class Cohort(CohortView):
    """`cohort` is an expression: as text (?cohort=subject.sex is F), or as JSON."""

    @extend_schema(
        operation_id="cohort_get",
        summary="The cases that an expression finds, and how much there is of them",
        parameters=[OpenApiParameter("cohort", str, required=True), *PAGES],
        responses={200: CohortShape, 400: NotUnderstoodShape},
    )
    def get(self, request: Request, slug: str) -> Response:
        project = project_or_404(request.user, slug, "manage_project")
        asked = from_params(request.query_params)
        if asked is None:
            raise CohortError("The address names no cohort. Add ?cohort=everything for every case.")
        return self._answered(request, project, asked)

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
        return self._answered(request, project, sent(request))

    def _answered(self, request: Request, project: Project, expression: Expression) -> Response:
        by = cast(User, request.user)
        told = answer(project, expression, by)
        pages = Pages()
        page = pages.paginate_queryset(told.case_ids, request, self) or []  # type: ignore[arg-type]
        cases = [_case(request, project, one) for one in told_of(page, by)]
        return Response({**_told(told), **pages.get_paginated_response(cases).data})


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
