"""Organisations: the list, a new one, one with its datasets and members."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts import permissions
from accounts.forms import OrganisationForm
from accounts.policies import organisation_or_404, visible_organisations
from accounts.requests import SignedInRequest
from accounts.services.organisations import create_organisation
from accounts.views.members import members_page


@login_required
@require_safe
def organisations(request: SignedInRequest) -> HttpResponse:
    found = visible_organisations(request.user).annotate(
        datasets_count=Count("datasets", distinct=True), projects_count=Count("projects", distinct=True)
    )
    context = {
        "organisations": found,
        "may_create": permissions.allows(request.user, "administer_node", None),
    }
    return render(request, "organisations/list.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def new_organisation(request: SignedInRequest) -> HttpResponse:
    permissions.require(request.user, "administer_node", None)
    form = OrganisationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            organisation = create_organisation(by=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"{organisation.name} is here. Invite its first manager.")
            return redirect("organisation-members", organisation.slug)
    return render(request, "organisations/new.html", {"form": form})


@login_required
@require_safe
def organisation(request: SignedInRequest, slug: str) -> HttpResponse:
    found = organisation_or_404(request.user, slug)
    context = {
        "organisation": found,
        "datasets": found.datasets.annotate(
            subjects=Count("studies__subject", distinct=True), studies_count=Count("studies", distinct=True)
        ),
        "projects": found.projects.all(),
        "members": permissions.members_of(found),
        "may_manage": permissions.allows(request.user, "manage_organisation", found),
        "may_see_images": permissions.allows(request.user, "view_images", found),
        "may_see_vault": permissions.allows(request.user, "manage_organisation", found)
        or permissions.allows(request.user, "open_vault", found),
        "may_create_project": permissions.allows(request.user, "create_project", found),
        "readable_projects": set(
            permissions.objects_for(request.user, "view_project", found.projects.model).values_list(
                "pk", flat=True
            )
        ),
    }
    return render(request, "organisations/detail.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def organisation_members(request: SignedInRequest, slug: str) -> HttpResponse:
    found = organisation_or_404(request.user, slug)
    return members_page(request, found, back=reverse("organisation", args=[slug]))
