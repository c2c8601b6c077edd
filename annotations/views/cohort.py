"""The page on which a lead chooses a cohort: conditions, what they find, and the way to a release of it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.requests import SignedInRequest
from annotations.cohort.language import CohortError, from_params, written
from annotations.views.frame import open_project, show


@login_required
@require_safe
def cohort_page(request: SignedInRequest, slug: str) -> HttpResponse:
    """What ?cohort=… names is opened; of what isn't understood, the page says why, with what was written."""
    opened = open_project(request, slug, "manage_project")
    text, problem = "everything", None
    try:
        asked = from_params(request.GET)
        text = written(asked) if asked is not None else text
    except CohortError as error:
        text, problem = str(request.GET.get("cohort", "")), error
    return show(
        request,
        opened,
        "project-releases",
        "cohort/page.html",
        status=400 if problem else 200,
        text=text,
        problem=problem,
        api=reverse("api-cohort", args=[slug]),
        fields_api=reverse("api-cohort-fields", args=[slug]),
        new_release=reverse("project-release-new", args=[slug]),
    )
