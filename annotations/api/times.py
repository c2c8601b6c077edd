"""POST /reads/<id>/time/: the reading room tells that it is being read."""

from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from annotations.api.shapes import Shape
from annotations.reading import policies, times


class BeatShape(Shape):
    active_s = s.FloatField(help_text="Seconds in which the reader was at work, since the last beat")
    idle_s = s.FloatField(help_text="Seconds on the screen besides")


class ReadTimeBeat(APIView):
    @extend_schema(
        operation_id="reads_time",
        summary="Time spent on a read, by its reader",
        description="No moment counts twice, no more than two minutes at once, nothing while it is closed.",
        request=BeatShape,
        responses={204: None},
    )
    def post(self, request: Request, public_id: str) -> Response:
        user = cast(User, request.user)
        policies.own_read_or_404(user, public_id)  # a stranger learns nothing from what is wrong
        sent = BeatShape(data=request.data)
        sent.is_valid(raise_exception=True)
        times.beat(user=user, read_id=public_id, **sent.validated_data)
        return Response(status=204)
