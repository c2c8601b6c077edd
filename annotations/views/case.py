"""One case, for those who watch over its reading: time points, how it opens, reads and their times."""

from itertools import pairwise

from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from accounts.requests import SignedInRequest
from annotations.models import Case
from annotations.reading import casebook, hanging, times
from annotations.reading.shown import shown_series
from annotations.views.frame import open_project, show
from atlas.models import Study


@login_required
@require_safe
def case_page(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    opened = open_project(request, slug, "review_cases")
    found = Case.objects.filter(project=opened.project).select_related("subject", "project")
    case = get_object_or_404(found.prefetch_related(casebook.with_images()), number=number)
    row = casebook.case_rows(request.user, [case], opened.project)[0]
    spent = times.times_for(request.user, case)
    return show(
        request,
        opened,
        "project-cases",
        "projects/case.html",
        case=case,
        row=row,
        time_points=_time_points(case),
        reads=[(read, spent.get(read.pk)) for read in row.reads],
        opens=hanging.preview_of(case, hanging.tried_in(opened.project)),
    )


def _time_points(case: Case) -> list[tuple[Study, int | None]]:
    """Studies in the case's order with the series that can be shown, and the days since the one before."""
    series = Prefetch("series", queryset=shown_series(), to_attr="shown_series")
    ordered = Study.objects.filter(case_studies__case=case).order_by("case_studies__position")
    studies = list(ordered.prefetch_related(series))
    days: list[int | None] = [
        (after.date - before.date).days if before.date and after.date else None
        for before, after in pairwise(studies)
    ]
    return list(zip(studies, [None, *days], strict=True)) if studies else []
