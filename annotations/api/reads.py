"""REST for reads: what the reading room asks for and sends."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import permissions
from annotations.api import imported_json, journal_shapes, review_shapes, shapes
from annotations.api import read_json as as_json
from annotations.api.requests import compact, marks_or_403, read_response, user_of, valid
from annotations.models import ParkedEdit, Read
from annotations.reading import journal, policies, reads
from annotations.reading.journal.appending import EDITS_MAX
from annotations.reading.journal.sent import NUMBER_MAX, edit_id
from annotations.reading.measurements import measure
from atlas.api.pagination import Pages
from atlas.models import Project

GROUPS_MAX = 1000

GROUPS = OpenApiParameter("groups", int, description=f"How many gestures, at most {GROUPS_MAX}")
BEFORE = OpenApiParameter("before", int, description="Those that ended before this edit")

ORDER = ("case__project", "case__number", "id")
FILTERS = {
    "state": "One of the states of a read",
    "project": "Slug",
    "as": "reader or reviewer: own reads, or those of others",
}


class ReadList(APIView):
    @extend_schema(
        operation_id="reads_list",
        summary="The caller's reads: their own, and as reviewer or lead those of others",
        parameters=[
            *(OpenApiParameter(name, str, description=text) for name, text in FILTERS.items()),
            OpenApiParameter("limit", int),
            OpenApiParameter("offset", int),
        ],
        responses=shapes.ReadRowShape(many=True),
    )
    def get(self, request: Request) -> Response:
        found = _filtered(request).select_related("case__project", "reader")
        pages = Pages()
        page: list[Read] = pages.paginate_queryset(found.order_by(*ORDER), request, self) or []
        user = user_of(request)
        led, reviewed = (
            set(permissions.objects_for(user, held, Project).values_list("pk", flat=True))
            for held in ("manage_project", "review_cases")
        )
        being_read = policies.cases_being_read_by(user).filter(pk__in=[read.case_id for read in page])
        read_too = set(being_read.values_list("pk", flat=True))
        rows = [as_json.row_json(user, read, led, reviewed, read_too) for read in page]
        return pages.get_paginated_response(rows)


class ReadDetail(APIView):
    @extend_schema(
        operation_id="reads_retrieve",
        summary="What the reading room needs to begin",
        responses=shapes.ReadShape,
    )
    def get(self, request: Request, public_id: str) -> Response:
        return read_response(request, public_id)


class ReadOpen(APIView):
    @extend_schema(
        operation_id="reads_open",
        summary="The first opening starts the reading",
        request=None,
        responses=shapes.ReadShape,
    )
    def post(self, request: Request, public_id: str) -> Response:
        reads.open_read(user=user_of(request), read_id=public_id)
        return read_response(request, public_id)


# The journal ------------------------------------------------------------------------------------


class Edits(APIView):
    @extend_schema(
        operation_id="reads_edits_create",
        summary="Append edits, in one transaction and in order",
        request=journal_shapes.EditsShape,
        responses=journal_shapes.EditsAnswerShape,
    )
    def post(self, request: Request, public_id: str) -> Response:
        edits, tab = _checked_batch(request.data)
        results, number = journal.append(user=user_of(request), read_id=public_id, edits=edits, tab=tab)
        return Response({"results": results, "number": number})


class ReadState(APIView):
    @extend_schema(
        operation_id="reads_state_retrieve",
        summary="The marks: now for their reader, as last submitted for others",
        description="The ETag is the number of the last edit.",
        parameters=[OpenApiParameter("at", int, description="As they stood after this edit")],
        responses=journal_shapes.StateShape,
    )
    def get(self, request: Request, public_id: str) -> HttpResponse:
        seen = marks_or_403(request, public_id)
        at = _number_param(request, "at", NUMBER_MAX)
        if at is not None and at > seen.until:
            raise ValidationError({"at": [f"A number from 0 to {seen.until}."]})
        number = seen.until if at is None else at
        unchanged = get_conditional_response(request._request, etag=f'"{number}"')
        if unchanged is not None:
            return unchanged
        # An undo may bring a deleted segment back, so the reader's page knows its slices all along.
        found = (
            journal.state(seen.read, with_planes_of_deleted=True)
            if seen.is_own and at is None
            else journal.state_at(seen.read, number)
        )
        return compact(request, as_json.state_json(found), etag=f'"{found.number}"')


class History(APIView):
    @extend_schema(
        operation_id="reads_history_retrieve",
        summary="The last gestures, oldest first, with what was there before and after",
        parameters=[GROUPS, BEFORE],
        responses=journal_shapes.HistoryShape,
    )
    def get(self, request: Request, public_id: str) -> HttpResponse:
        groups, before = _groups_param(request), _number_param(request, "before", NUMBER_MAX)
        seen = marks_or_403(request, public_id)
        gestures = journal.history(seen.read, until_number=seen.until, groups=groups, before_number=before)
        return compact(request, as_json.history_json(gestures, seen.until))


class Gestures(APIView):
    @extend_schema(
        operation_id="reads_gestures_list",
        summary="What was done, gesture by gesture, newest first, without voxels",
        parameters=[GROUPS, BEFORE],
        responses=journal_shapes.GesturesShape,
    )
    def get(self, request: Request, public_id: str) -> HttpResponse:
        groups, before = _groups_param(request), _number_param(request, "before", NUMBER_MAX)
        seen = marks_or_403(request, public_id)
        ended = seen.until + 1 if before is None else min(before, seen.until + 1)
        lines = journal.listed(seen.read, before_number=ended, groups=groups + 1)
        return compact(request, as_json.gestures_json(lines[:groups], len(lines) > groups))


class Measurements(APIView):
    @extend_schema(
        operation_id="reads_measurements_list",
        summary="The measurements of the marks, as the server computes them",
        responses=journal_shapes.MeasurementShape(many=True),
    )
    def get(self, request: Request, public_id: str) -> Response:
        seen = marks_or_403(request, public_id)
        found = journal.state(seen.read) if seen.is_own else journal.state_at(seen.read, seen.until)
        return Response([as_json.measurement_json(one) for one in measure(seen.read, found)])


class Parked(APIView):
    @extend_schema(
        operation_id="reads_parked_list",
        summary="Changes of the caller's that could not be applied and were kept aside",
        responses=journal_shapes.ParkedShape(many=True),
    )
    def get(self, request: Request, public_id: str) -> Response:
        read = policies.own_read_or_404(request.user, public_id)
        kept = ParkedEdit.objects.filter(read=read, by=user_of(request), settled_at=None).order_by("pk")
        pages = Pages()
        page = pages.paginate_queryset(kept, request, self)
        return pages.get_paginated_response(
            [{"reason": one.reason, "at": one.recorded_at, "edit": one.body} for one in page or []]
        )


class SettleParked(APIView):
    @extend_schema(
        operation_id="reads_parked_settle",
        summary="A change that was kept aside has been looked at: it isn't listed any more",
        request=None,
        responses={204: None},
    )
    def post(self, request: Request, public_id: str, edit_id: str) -> Response:
        reads.settle_parked(user=user_of(request), read_id=public_id, edit_id=edit_id)
        return Response(status=204)


class Imported(APIView):
    @extend_schema(
        operation_id="reads_imported_retrieve",
        summary="The slices of a segment or shape that came with the images",
        responses=journal_shapes.ImportedSlicesShape,
    )
    def get(self, request: Request, public_id: str, imported_id: str) -> HttpResponse:
        read, rights = policies.read_and_rights_or_404(request.user, public_id)
        withheld = policies.are_proposals_withheld(read, rights.capacity)
        for what in () if withheld else (imported_json.segments_of(read), imported_json.marks_of(read)):
            found = what.filter(public_id=imported_id).first()
            if found is not None:
                return compact(request, imported_json.slices_json(found))
        raise Http404("Nothing like this came with the images.")


# Submission ---------------------------------------------------------------------------------------


class Submit(APIView):
    @extend_schema(
        operation_id="reads_submit",
        summary="Hand the read in",
        description="409 where edits are missing, or a required label or question has no answer.",
        request=review_shapes.SubmitShape,
        responses=shapes.ReadShape,
    )
    def post(self, request: Request, public_id: str) -> Response:
        sent = valid(review_shapes.SubmitShape, request)
        reads.submit(user=user_of(request), read_id=public_id, number=sent["number"])
        return read_response(request, public_id)


# Shared -----------------------------------------------------------------------------------------


def _filtered(request: Request):
    unknown = sorted(set(request.query_params) - set(FILTERS) - {"limit", "offset"})
    if unknown:
        raise ValidationError({name: ["There is no such filter."] for name in unknown})
    found = policies.reads_for(request.user)
    state, project, capacity = (request.query_params.get(name) for name in ("state", "project", "as"))
    if state is not None:
        if state not in Read.State.values:
            raise ValidationError({"state": [f"One of {', '.join(Read.State.values)}."]})
        found = found.filter(state=state)
    if project is not None:
        found = found.filter(case__project__slug=project)
    if capacity is not None:
        if capacity not in ("reader", "reviewer"):
            raise ValidationError({"as": ["reader or reviewer."]})
        own = {"reader": request.user}
        found = found.filter(**own) if capacity == "reader" else found.exclude(**own)
    return found


def _number_param(request: Request, name: str, most: int) -> int | None:
    given = request.query_params.get(name)
    if given is None:
        return None
    if not given.isdecimal() or len(given) > 10 or int(given) > most:
        raise ValidationError({name: [f"A number from 0 to {most}."]})
    return int(given)


def _groups_param(request: Request) -> int:
    groups = request.query_params.get("groups", "100")
    if not groups.isdecimal() or not 1 <= int(groups[:9]) <= GROUPS_MAX:
        raise ValidationError({"groups": [f"A number from 1 to {GROUPS_MAX}."]})
    return int(groups)


def _checked_batch(data: Any) -> tuple[list[dict[str, Any]], str]:
    edits = data.get("edits") if isinstance(data, dict) else None
    if not isinstance(edits, list) or not all(edit_id(edit) for edit in edits):
        raise ValidationError({"edits": ["A list of edits, each with a UUID as its `id`."]})
    if len(edits) > EDITS_MAX:
        raise ValidationError({"edits": [f"At most {EDITS_MAX} at once; send the rest afterwards."]})
    try:
        tab = str(UUID(data["tab"])) if data.get("tab") else ""
    except (ValueError, TypeError, AttributeError):
        raise ValidationError({"tab": ["A UUID."]}) from None
    return edits, tab
