"""REST for adjudications: what the readers marked, what each choice makes, and what was decided."""

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.api import adjudication_json as as_json
from annotations.api import adjudication_shapes as shapes
from annotations.api import read_json
from annotations.api.journal_shapes import StateShape
from annotations.api.requests import compact, user_of, valid
from annotations.models import Case
from annotations.reading import journal, review
from annotations.reading.adjudication import access, assigning, rows, seeing, settling
from annotations.reading.adjudication.standing import standing_of


class AdjudicationDetail(APIView):
    @extend_schema(
        operation_id="adjudications_retrieve",
        summary="The lesions of all readers, matched, with their numbers and what was decided",
        responses=shapes.AdjudicationShape,
    )
    def get(self, request: Request, public_id: str) -> Response:
        read, rights = access.seen_or_404(request.user, public_id)
        return _fresh(as_json.adjudication_json(read, rights))


class ReaderState(APIView):
    @extend_schema(
        operation_id="adjudications_reader_state",
        summary="One reader's marks, as they were handed in",
        responses=StateShape,
    )
    def get(self, request: Request, public_id: str, reader_id: str) -> HttpResponse:
        adjudication, _ = access.seen_or_404(request.user, public_id)
        reader = seeing.reader_or_404(adjudication, reader_id)
        review.note_that_marks_were_seen(user_of(request), reader.read)
        number = reader.submission.edit_number
        etag = f'"{number}"'
        unchanged = get_conditional_response(request._request, etag=etag)
        if unchanged is not None:
            return unchanged
        state = journal.state_at(reader.read, number)
        return compact(request, read_json.state_json(state), etag=etag)


class Preview(APIView):
    @extend_schema(
        operation_id="adjudications_preview",
        summary="What a choice would make of a lesion; nothing is written",
        request=shapes.ChoiceShape,
        responses=shapes.PreviewShape,
    )
    def post(self, request: Request, public_id: str, number: int) -> HttpResponse:
        adjudication, _ = access.seen_or_404(request.user, public_id)
        result = seeing.preview(adjudication, number, valid(shapes.ChoiceShape, request))
        return compact(request, as_json.preview_json(result))


class Settle(APIView):
    @extend_schema(
        operation_id="adjudications_settle",
        summary="Decide a lesion: the result is written into the adjudication as one gesture",
        description="409 where the lesion changed since `version`, or the adjudication is handed in.",
        request=shapes.SettleShape,
        responses=shapes.DecidedShape,
    )
    def post(self, request: Request, public_id: str, number: int) -> Response:
        access.seen_or_404(request.user, public_id)  # a stranger learns nothing from what is wrong
        sent = _sent(shapes.SettleShape, request)
        sent["annotations"] = [str(one) for one in sent["annotations"]]
        settling.settle(user=user_of(request), read_id=public_id, number=number, **sent)
        return _decided(request, public_id, number)


class Reopen(APIView):
    @extend_schema(
        operation_id="adjudications_open",
        summary="Take a decision back",
        request=shapes.OpenShape,
        responses=shapes.DecidedShape,
    )
    def post(self, request: Request, public_id: str, number: int) -> Response:
        access.seen_or_404(request.user, public_id)
        sent = _sent(shapes.OpenShape, request)
        settling.reopen(user=user_of(request), read_id=public_id, number=number, **sent)
        return _decided(request, public_id, number)


class SettleAgreed(APIView):
    @extend_schema(
        operation_id="adjudications_agreed",
        summary="Settle all that the readers agree about",
        request=shapes.TabShape,
        responses=shapes.AdjudicationShape,
    )
    def post(self, request: Request, public_id: str) -> Response:
        access.seen_or_404(request.user, public_id)
        sent = _sent(shapes.TabShape, request)
        settling.settle_agreed(user=user_of(request), read_id=public_id, **sent)
        read, rights = access.seen_or_404(request.user, public_id)
        return _fresh(as_json.adjudication_json(read, rights))


class Compare(APIView):
    @extend_schema(
        operation_id="adjudications_compare",
        summary="Have the lesions looked for once more, after that has failed",
        request=None,
        responses=shapes.AdjudicationShape,
    )
    def post(self, request: Request, public_id: str) -> Response:
        access.seen_or_404(request.user, public_id)
        rows.find_again(user=user_of(request), read_id=public_id)
        read, rights = access.seen_or_404(request.user, public_id)
        return _fresh(as_json.adjudication_json(read, rights))


class HandOver(APIView):
    @extend_schema(
        operation_id="adjudications_hand_over",
        summary="A lead gives the adjudication to somebody else; decisions stay",
        request=shapes.HandOverShape,
        responses=shapes.BegunShape,
    )
    def post(self, request: Request, public_id: str) -> Response:
        assigning.require_hand_over(user_of(request), public_id)
        sent = valid(shapes.HandOverShape, request)
        read = assigning.hand_over(by=user_of(request), read_id=public_id, adjudicator_id=sent["adjudicator"])
        return Response({"read": read.public_id, "url": reverse("read", args=[read.public_id])})


class AdjudicationOfCase(APIView):
    @extend_schema(
        operation_id="cases_adjudication_retrieve",
        summary="Whether a case needs adjudication, and who does it",
        responses=shapes.StandingShape,
    )
    def get(self, request: Request, slug: str, number: int) -> Response:
        case = access.case_or_404(request.user, slug, number)
        return _fresh(_standing(request, case))

    @extend_schema(
        operation_id="cases_adjudication_begin",
        summary="Begin the adjudication of a case, oneself or (a lead) for somebody",
        description="409 where somebody else has it, or there is nothing to judge.",
        request=shapes.BeginShape,
        responses={201: shapes.BegunShape},
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        access.case_or_404(request.user, slug, number)
        sent = valid(shapes.BeginShape, request)
        read = assigning.take(
            by=user_of(request), slug=slug, number=number, adjudicator_id=sent["adjudicator"]
        )
        begun = {"read": read.public_id, "url": reverse("read", args=[read.public_id])}
        return Response(begun, status=201)


def _standing(request: Request, case: Case) -> dict[str, Any]:
    found = standing_of(user_of(request), case)
    if found is None:
        raise Http404(access.NO_CASE)
    adjudication, reference = found.adjudication, found.reference
    return {
        "needed": found.needed,
        "disagreements": found.disagreements,
        "read": adjudication.public_id if adjudication else None,
        "url": reverse("read", args=[adjudication.public_id]) if adjudication else None,
        "adjudicator": adjudication.reader.display_name if adjudication else None,
        "reference": {
            "how": reference.how,
            "since": reference.since,
            "read": reference.submission.read.public_id,
        }
        if reference
        else None,
        "candidates": [{"id": one.public_id, "name": one.display_name} for one in found.candidates],
    }


def _sent(shape: type[shapes.Shape], request: Request) -> dict[str, Any]:
    """What was sent, with the tab as the journal takes it."""
    sent = valid(shape, request)
    return sent | {"tab": str(sent["tab"] or "")}


def _decided(request: Request, public_id: str, number: int) -> Response:
    read, rights = access.seen_or_404(request.user, public_id)
    return _fresh(as_json.lesion_json(read, rights, number))


def _fresh(content: Any) -> Response:
    response = Response(content)
    response["Cache-Control"] = "private, no-cache"
    return response
