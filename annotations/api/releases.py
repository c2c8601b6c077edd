"""REST for releases: which there are, what each holds, what it is used for; freezing one, and stopping that.

Their files are in `release_files`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import ApiToken
from accounts.scopes import SAFE_METHODS
from annotations.api import release_json
from annotations.api import release_shapes as shapes
from annotations.api.requests import user_of
from annotations.cohort import policies, releases, splits, uses
from annotations.models import Release
from annotations.reading.projects import project_or_404
from atlas.api.pagination import Pages

PAGES = [OpenApiParameter("limit", int), OpenApiParameter("offset", int)]


class AllReleases(APIView):
    release_token_methods = SAFE_METHODS

    @extend_schema(
        operation_id="releases_list_all",
        summary="The releases of all projects that you may know of, newest first",
        parameters=PAGES,
        responses=shapes.ReleaseLine(many=True),
    )
    def get(self, request: Request) -> Response:
        found = policies.releases_for(request.user).order_by("-frozen_at", "-pk")
        if isinstance(request.auth, ApiToken) and request.auth.project:
            found = found.filter(project__slug=request.auth.project)
        return _page(self, request, found)


class ReleaseList(APIView):
    release_token_methods = SAFE_METHODS

    @extend_schema(
        operation_id="releases_list",
        summary="A project's releases, newest first",
        parameters=PAGES,
        responses=shapes.ReleaseLine(many=True),
    )
    def get(self, request: Request, slug: str) -> Response:
        project = project_or_404(request.user, slug, "download_releases")
        return _page(self, request, policies.releases_of(request.user, project))

    @extend_schema(
        operation_id="releases_freeze",
        summary="Freeze the next release of a project",
        description="For leads. Its files are written by jobs; its address says how far they are.",
        request=shapes.ChoiceRequest,
        responses={201: shapes.ReleaseShape},
    )
    def post(self, request: Request, slug: str) -> Response:
        project = project_or_404(request.user, slug, "manage_project")
        asked = shapes.ChoiceRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        with refusals():
            release = releases.freeze(
                by=user_of(request), project=project, choice=_choice(asked.validated_data)
            )
        return Response(release_json.whole(request, release), status=status.HTTP_201_CREATED)


class ReleaseDetail(APIView):
    release_token_methods = SAFE_METHODS

    @extend_schema(operation_id="releases_retrieve", summary="One release", responses=shapes.ReleaseShape)
    def get(self, request: Request, slug: str, number: int) -> Response:
        release = policies.release_or_404(request.user, slug, number)
        return Response(release_json.whole(request, release))


class ReleaseUseView(APIView):
    release_token_methods = SAFE_METHODS | {"POST"}

    @extend_schema(
        operation_id="releases_use",
        summary="Say what you use a release for, and accept its agreement",
        description="Once, before you download from it. Again changes what you said.",
        request=shapes.UseRequest,
        responses=shapes.UseShape,
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        release = policies.release_or_404(request.user, slug, number)
        asked = shapes.UseRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        with refusals():
            use = uses.state_use(by=user_of(request), release=release, **asked.validated_data)
        return Response({"purpose": use.purpose, "at": use.at})


class ReleaseCancel(APIView):
    @extend_schema(
        operation_id="releases_cancel",
        summary="Stop writing a release, for good",
        request=None,
        responses=shapes.ReleaseShape,
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        release = policies.release_or_404(request.user, slug, number)
        with refusals():
            release = releases.cancel(by=user_of(request), release=release)
        return Response(release_json.whole(request, release))


class ReleaseRetry(APIView):
    @extend_schema(
        operation_id="releases_retry",
        summary="Write what is missing of a release that an error stopped",
        request=None,
        responses=shapes.ReleaseShape,
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        release = policies.release_or_404(request.user, slug, number)
        with refusals():
            release = releases.retry(by=user_of(request), release=release)
        return Response(release_json.whole(request, release))


@contextmanager
def refusals() -> Iterator[None]:
    """What a service refuses, as the API says it: by field where it is about fields."""
    try:
        yield
    except ValidationError as error:
        told: Any = error.message_dict if hasattr(error, "error_dict") else error.messages
        raise exceptions.ValidationError(told) from error


def _page(view: APIView, request: Request, found: QuerySet[Release]) -> Response:
    pages = Pages()
    page = pages.paginate_queryset(found, request, view)
    return pages.get_paginated_response([release_json.line(request, release) for release in page or ()])


def _choice(asked: dict[str, Any]) -> releases.Choice:
    """Raises ValidationError."""
    wanted = dict(asked)
    if "formats" in wanted:
        wanted["formats"] = tuple(wanted["formats"])
    if wanted.get("split") is not None:
        try:
            wanted["split"] = splits.from_json(wanted["split"])
        except splits.SplitError as error:
            raise ValidationError({"split": str(error)}) from error
    return releases.Choice(**wanted)
