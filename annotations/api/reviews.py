"""REST for reviews: verdicts, comments and their threads, what changed since a round, incidental findings."""

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.api import review_json as as_json
from annotations.api import review_shapes, shapes
from annotations.api.requests import compact, marks_or_403, read_response, user_of, valid
from annotations.reading import diff, incidental, policies, review
from atlas.api.errors import Conflict

FROM = OpenApiParameter("from", int, description="A round that was handed in; by default the last but one")


class Judge(APIView):
    @extend_schema(
        operation_id="reads_review",
        summary="Accept or return the submitted round",
        request=review_shapes.ReviewShape,
        responses=shapes.ReadShape,
    )
    def post(self, request: Request, public_id: str) -> Response:
        policies.read_or_404(request.user, public_id)  # a stranger learns nothing from what is wrong
        sent = valid(review_shapes.ReviewShape, request)
        review.judge(user=user_of(request), read_id=public_id, **sent)
        return read_response(request, public_id)


class Comments(APIView):
    @extend_schema(
        operation_id="reads_comments_create",
        summary="Write a comment during review, pinned to a place or to none",
        request=review_shapes.NewCommentShape,
        responses={201: shapes.CommentShape},
    )
    def post(self, request: Request, public_id: str) -> Response:
        policies.read_or_404(request.user, public_id)
        sent = valid(review_shapes.NewCommentShape, request)
        written = review.comment(
            user=user_of(request), read_id=public_id, text=sent["text"], place=_place(sent)
        )
        return Response(as_json.comment_json(written), status=201)


class Replies(APIView):
    @extend_schema(
        operation_id="reads_comments_reply",
        summary="Answer a comment, in its thread",
        request=review_shapes.ReplyShape,
        responses={201: shapes.CommentShape},
    )
    def post(self, request: Request, public_id: str, comment_id: str) -> Response:
        policies.read_or_404(request.user, public_id)
        sent = valid(review_shapes.ReplyShape, request)
        written = review.reply(user=user_of(request), read_id=public_id, comment_id=comment_id, **sent)
        return Response(as_json.comment_json(written), status=201)


class ResolveComment(APIView):
    @extend_schema(
        operation_id="reads_comments_resolve",
        summary="The comment has been dealt with",
        request=None,
        responses=shapes.CommentShape,
    )
    def post(self, request: Request, public_id: str, comment_id: str) -> Response:
        written = review.resolve(user=user_of(request), read_id=public_id, comment_id=comment_id)
        return Response(as_json.comment_json(written))


class ReopenComment(APIView):
    @extend_schema(
        operation_id="reads_comments_reopen",
        summary="A settled comment is open again",
        request=None,
        responses=shapes.CommentShape,
    )
    def post(self, request: Request, public_id: str, comment_id: str) -> Response:
        written = review.reopen(user=user_of(request), read_id=public_id, comment_id=comment_id)
        return Response(as_json.comment_json(written))


class Changes(APIView):
    @extend_schema(
        operation_id="reads_diff_retrieve",
        summary="What changed since a round: voxels, fields, answers",
        description="Up to now for the reader, up to what was handed in last for others.",
        parameters=[FROM],
        responses=review_shapes.DiffShape,
    )
    def get(self, request: Request, public_id: str) -> HttpResponse:
        seen = marks_or_403(request, public_id)
        rounds = diff.rounds_before(seen.read, seen.until, is_own=seen.is_own)
        if not rounds:
            raise Conflict("There is no earlier round to compare this read with.")
        since = _round(request, rounds)
        return compact(request, as_json.diff_json(diff.between(seen.read, since, rounds, seen.until)))


class Incidental(APIView):
    @extend_schema(
        operation_id="reads_incidental_create",
        summary="Tell the data managers of something dangerous outside the question",
        description="They learn the place, the words and who wrote them; no mark of the read.",
        request=review_shapes.NewIncidentalShape,
        responses={201: shapes.IncidentalShape},
    )
    def post(self, request: Request, public_id: str) -> Response:
        policies.read_or_404(request.user, public_id)
        sent = valid(review_shapes.NewIncidentalShape, request)
        found = incidental.report(
            user=user_of(request),
            read_id=public_id,
            study=sent["study"],
            text=sent["text"],
            urgent=sent["urgent"],
            place=_place(sent),
        )
        return Response(as_json.incidental_json(found), status=201)


def _place(sent: dict) -> review.Place | None:
    if sent["sop"] is None:
        return None
    return review.Place(
        series=sent["series"],
        sop_instance_uid=sent["sop"],
        frame_number=sent["frame"],
        point_patient_mm=sent["point_patient_mm"],
        point_image=sent["point_image"],
    )


def _round(request: Request, rounds: list[diff.Round]) -> diff.Round:
    asked = request.query_params.get("from")
    if asked is None:
        return rounds[-1]
    known = {str(one.number): one for one in rounds}
    if asked not in known:
        raise ValidationError({"from": [f"One of the rounds {', '.join(known)}."]})
    return known[asked]
