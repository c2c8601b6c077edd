"""Shapes that every API of the cohort language shares: what may be asked, and how an expression is told."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.cohort.language import CohortError, Expression, from_text, parse

PAGES = [OpenApiParameter("limit", int), OpenApiParameter("offset", int)]
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


class ExpressionShape(serializers.Serializer):
    expression = serializers.JSONField()
    text = serializers.CharField(help_text="The same as text, for an address")
    words = serializers.CharField(help_text="The same for reading")


class TotalsShape(serializers.Serializer):
    subjects = serializers.IntegerField()
    studies = serializers.IntegerField()
    series = serializers.IntegerField()
    images = serializers.IntegerField()


class NotUnderstoodShape(serializers.Serializer):
    reason = serializers.CharField()
    place = serializers.CharField(help_text="A JSON pointer, or the character of a text")
    known = serializers.ListField(child=serializers.CharField())


def asked_as(name: str) -> Any:
    """The shape of a body {"cohort": …}, under a name of its own."""
    return inline_serializer(name, {"cohort": serializers.JSONField()})


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


class CohortView(APIView):
    """An expression that isn't understood is answered with the reason, and where it stands."""

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, CohortError):
            return Response(exc.as_json(), status=400)
        return super().handle_exception(exc)
