"""The releases of a project: the list, one of them with its files, and what it is used for."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.requests import SignedInRequest
from annotations.cohort import policies, releases, summary, uses
from annotations.cohort.formats import FORMATS
from annotations.models import Release
from annotations.views import (
    release_predictions,
    release_query,
    release_recalls,
    release_shown,
    release_split,
)
from annotations.views.frame import OpenProject, carried_out, open_project, page_of, sentence, show
from annotations.views.release_certificate import certificate_of

TAB = "project-releases"
FILES_A_PAGE = 20
BEFORE_LAST_MOST = 30


class UseForm(forms.Form):
    """What a release will be used for; `uses.state_use` judges it."""

    purpose = forms.CharField(required=False, label=gettext_lazy("What will you use it for?"))
    agrees = forms.BooleanField(required=False)


@dataclass(frozen=True)
class ListRow:
    release: Release
    files: int
    bytes: int
    formats: list[str]


@login_required
@require_safe
def release_list(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "download_releases")
    found = list(policies.releases_of(request.user, opened.project).select_related("frozen_by"))
    sizes = summary.sizes_of(found, with_sequestered=opened.may_manage)
    rows = [
        ListRow(
            release,
            *sizes.get(release.pk, (0, 0)),
            [FORMATS[k].title for k in release.formats if k in FORMATS],
        )
        for release in found
    ]
    return show(
        request,
        opened,
        TAB,
        "releases/list.html",
        rows=rows,
        recalls=release_recalls.recalls_in(opened.project),
        notices=release_recalls.open_in(request.user, opened.project),
        cohort_url=release_query.page_url(opened.project, None) if opened.may_manage else None,
    )


def _titles(release: Release) -> list[str]:
    return [one.title for key, one in FORMATS.items() if key in release.formats]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def release(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """One release. POST writes what is missing of one that failed, or cancels one that is being written."""
    is_post = request.method == "POST"
    opened = open_project(request, slug, "manage_project" if is_post else "download_releases")
    found = policies.release_or_404(request.user, slug, number)
    if is_post:
        act = releases.cancel if request.POST.get("do") == "cancel" else releases.retry
        try:
            act(by=request.user, release=found)
        except ValidationError as refusal:
            messages.error(request, sentence(refusal))
        return redirect("project-release", slug, number)
    return _page(request, opened, found)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def release_use(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """Say what it is for, and accept its agreement; the downloads open then. The form itself stands on the
    page of the release."""
    opened = open_project(request, slug, "download_releases")
    found = policies.release_or_404(request.user, slug, number)
    if request.method != "POST":
        return redirect("project-release", slug, number)
    form = UseForm(request.POST)
    form.is_valid()
    stated = carried_out(
        form,
        lambda: uses.state_use(
            by=request.user,
            release=found,
            purpose=form.cleaned_data.get("purpose", ""),
            agrees=form.cleaned_data.get("agrees", False),
        ),
    )
    if stated is None:
        return _page(request, opened, found, use_form=form)
    messages.success(request, gettext("Written down. The release is open to you."))
    return redirect(f"{reverse('project-release', args=[slug, number])}#download")


def _page(
    request: SignedInRequest, opened: OpenProject, found: Release, use_form: UseForm | None = None
) -> HttpResponse:
    user, manages = request.user, opened.may_manage
    closed_by = policies.cases_that_close(user, found).exists()
    use = uses.use_of(user, found)
    is_open = found.state == Release.State.READY and not closed_by
    # Numbers of marks say something about a case that one still reads, too.
    knows_marks = not closed_by
    files = policies.files_for(user, found)
    api = _api(request, found)
    formats = [] if closed_by else release_shown.format_rows(found, files, api)
    others = list(policies.releases_of(user, opened.project)[:BEFORE_LAST_MOST])
    about = {one.path: one for one in files.filter(format="", release_case=None, withdrawn_at=None)}
    may_fetch = is_open and use is not None
    # While what spans the cases is written anew, files of cases are given out as before.
    may_fetch_cases = found.ready_at is not None and not closed_by and use is not None
    chosen = _chosen(request, formats) if may_fetch else None

    def url(path: str) -> str:
        return f"{api}/files/{path}" if may_fetch and path in about else ""

    return show(
        request,
        opened,
        TAB,
        "releases/release.html",
        status=400 if use_form else 200,
        release=found,
        closed_by=closed_by,
        cohort=summary.cohort_of(found),
        lesions=release_shown.lesions_of(found, manages=manages) if knows_marks else 0,
        flow=release_shown.flow_of(found, user),
        query_words=release_query.in_words(found.query),
        query_url=release_query.page_url(opened.project, found.query) if manages else "",
        split=release_split.table_of(found, manages=manages) if knows_marks else None,
        formats=formats,
        chosen=chosen,
        certificate=certificate_of(found) if knows_marks else None,
        certificate_url=url("certificate.json"),
        card=found.card if knows_marks else None,
        card_files=[
            {"url": url(path), "words": words}
            for path, words in (("data-card.html", gettext("As a page")), ("croissant.json", "Croissant"))
            if url(path)
        ],
        recalls=release_recalls.of_release(user, found),
        may_cancel=found.ready_at is None,
        progress=release_shown.progress_words(found),
        use=use,
        use_form=use_form or UseForm(),
        must_state_use=is_open and use is None,
        may_fetch=may_fetch,
        may_fetch_cases=may_fetch_cases,
        reference=release_shown.reference_words(found) if knows_marks else "",
        influence=release_shown.influence_words(found, manages=manages) if knows_marks else "",
        citation=release_shown.citation_of(found),
        api=api,
        others=others if len(others) > 1 else [],
        before=_before(found, others),
        show_files=bool(formats),
        **(release_predictions.standings_of(user, found) if is_open else {}),
        **_files(request, files, may_fetch, api),
    )


def _before(found: Release, others: list[Release]) -> Release | None:
    """The one that this was compared with when it was frozen, else the newest earlier one."""
    since = (found.changes or {}).get("since")
    earlier = [one for one in others if one.number < found.number and one.state != Release.State.CANCELLED]
    return next((one for one in earlier if one.number == since), earlier[0] if earlier else None)


def _files(request: SignedInRequest, files: Any, may_fetch: bool, api: str) -> dict[str, Any]:
    """The list of files, of one format where the address says so."""
    of = request.GET.get("of", "")
    known = [(key, FORMATS[key].title) for key in FORMATS]
    known.append(("about", gettext("About the release")))
    wanted = files
    if of == "about":
        wanted = files.filter(format="")
    elif of in FORMATS:
        wanted = files.filter(format=of)
    return {
        "files": page_of(request, wanted, FILES_A_PAGE),
        "of": of,
        "file_formats": known,
        "files_query": f"of={of}" if of else "",
        "manifest_url": f"{api}/manifest/" if may_fetch else "",
    }


def _chosen(
    request: SignedInRequest, formats: list[release_shown.FormatRow]
) -> release_shown.FormatRow | None:
    """The format whose tab is open: what the address says, else NIfTI, else the first."""
    named = [one for one in formats if one.key]
    for wanted in (request.GET.get("format", ""), "nifti"):
        for one in named:
            if one.key == wanted:
                return one
    return named[0] if named else None


def _api(request: SignedInRequest, found: Release) -> str:
    address = reverse("api-release", args=[found.project.slug, found.number])
    return request.build_absolute_uri(address).rstrip("/")
