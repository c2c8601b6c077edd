"""A person's own settings of the reading room."""

from typing import cast

from django.core.exceptions import ValidationError
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.services import preferences


class PreferencesView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="preferences_get", responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """Your settings of the reading room, by name."""
        return Response(preferences.preferences_of(cast(User, request.user)))

    @extend_schema(
        operation_id="preferences_change",
        request=OpenApiTypes.OBJECT,
        responses={200: OpenApiTypes.OBJECT},
    )
    def put(self, request: Request) -> Response:
        """Change some of your settings. Those you don't name stay; null takes one away. Answers with all."""
        try:
            kept = preferences.change_preferences(by=cast(User, request.user), values=request.data)
        except ValidationError as error:
            raise exceptions.ValidationError(error.message_dict) from None
        return Response(kept)
