"""What a grant opens: a dataset's studies, and the viewer on one of them."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from accounts.requests import SignedInRequest
from accounts.services.preferences import preferences_of
from atlas import policies as images
from atlas.built import program
from atlas.models import Dataset
from atlas.pictures import cover_of
from network.access import policies, viewing
from network.models.access import Mode

STUDIES_A_PAGE = 25


@login_required
@require_safe
def dataset(request: SignedInRequest, slug: str) -> HttpResponse:
    """The studies of a dataset that is open to this person, to look at and to download as granted."""
    found = Dataset.objects.filter(policies.granted(request.user, Mode.COUNT), slug=slug)
    opened = found.select_related("organisation").first()
    if opened is None:
        raise Http404("There is no such dataset, or it is not open to you.")
    grants = policies.grants_that_hold(request.user).filter(dataset=opened).select_related("part__request")
    page = None
    if images.open_datasets(request.user).filter(pk=opened.pk).exists():
        series = images.visible_series(request.user).order_by("number", "pk")
        studies = images.visible_studies(request.user).filter(dataset=opened).select_related("subject")
        ordered = studies.prefetch_related(Prefetch("series", series)).order_by(
            "subject__pseudonym", "date", "pk"
        )
        page = Paginator(ordered, STUDIES_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "dataset": opened,
        "grants": grants.order_by("ends_at"),
        "page": page,
        "rows": [
            (study, cover_of(list(study.series.all())), viewing.has_images(study)) for study in page or ()
        ],
        "may_download": Dataset.objects.filter(
            policies.granted(request.user, Mode.DOWNLOAD), pk=opened.pk
        ).exists(),
    }
    return render(request, "access/dataset.html", context)


@login_required
@ensure_csrf_cookie
@require_safe
def study(request: SignedInRequest, public_id: str) -> HttpResponse:
    """The viewer, for looking only: no marks are shown, none are taken."""
    found = viewing.study_or_404(request.user, public_id)
    viewer = program("src/main.tsx")
    context = {
        "study": found,
        "viewer": viewer,
        "early": program("src/early.ts"),
        "style": program("src/ui/room.css"),
        "preferences": preferences_of(request.user),
    }
    return render(request, "access/viewing.html", context, status=200 if viewer else 503)
