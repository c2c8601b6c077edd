"""The releases of a project: the list, one of them with its files, and freezing the next."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.requests import SignedInRequest
from annotations.cohort import policies, releases, summary
from annotations.views.frame import carried_out, open_project, page_of, sentence, show

FILES_A_PAGE = 20


class FreezeForm(forms.Form):
    title = forms.CharField(
        required=False, max_length=200, help_text="What this release is for, in a few words."
    )
    licence = forms.CharField(
        required=False,
        max_length=80,
        help_text="As the datasets of its cases allow; for instance CC BY 4.0.",
    )


@login_required
@require_safe
def release_list(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "download_releases")
    found = policies.releases_of(request.user, opened.project).select_related("frozen_by")
    sizes = summary.sizes_of(found)
    return show(
        request,
        opened,
        "project-releases",
        "releases/list.html",
        rows=[(release, *sizes.get(release.pk, (0, 0))) for release in found],
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def release_new(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "manage_project")
    project = opened.project
    preview = summary.preview(project, request.user)
    form = FreezeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if request.POST.get("expected") != preview.mark:
            form.add_error(None, "What is accepted has changed meanwhile. Look at the numbers again.")
        else:
            frozen = carried_out(
                form,
                lambda: releases.freeze(
                    by=request.user, project=project, choice=releases.Choice(**form.cleaned_data)
                ),
            )
            if frozen is not None:
                messages.success(request, f"Release {frozen.number} is frozen; its files are being written.")
                return redirect("project-release", slug, frozen.number)
    status = 400 if form.errors else 200
    return show(
        request,
        opened,
        "project-releases",
        "releases/new.html",
        status=status,
        form=form,
        preview=preview,
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def release(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """One release. POST writes what is missing of one that failed."""
    opened = open_project(
        request, slug, "manage_project" if request.method == "POST" else "download_releases"
    )
    found = policies.release_or_404(request.user, slug, number)
    if request.method == "POST":
        try:
            releases.retry(by=request.user, release=found)
        except ValidationError as refusal:
            messages.error(request, sentence(refusal))
        return redirect("project-release", slug, number)
    closed_by = list(policies.cases_that_close(request.user, found).values_list("number", flat=True)[:5])
    api = (
        request.build_absolute_uri(reverse("front")).rstrip("/")
        + f"/api/v1/projects/{slug}/releases/{number}"
    )
    return show(
        request,
        opened,
        "project-releases",
        "releases/release.html",
        release=found,
        closed_by=closed_by,
        cohort=summary.cohort_of(found),
        formats=summary.formats_of(found),
        files=page_of(request, summary.files_of(found), FILES_A_PAGE),
        api=api,
        others=policies.releases_of(request.user, opened.project).exclude(pk=found.pk)[:10],
    )
