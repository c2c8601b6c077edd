"""The list of projects, a new one, and the overview of one."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Organisation
from accounts.requests import SignedInRequest
from annotations.reading import overview, projects
from annotations.reading.schemas import current_schema
from annotations.views import dashboard
from annotations.views.frame import carried_out, open_project, show
from atlas.built import program
from atlas.models import Project


class ProjectForm(forms.Form):
    name = forms.CharField(max_length=projects.NAME_LENGTH_MAX)
    description = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="What is read, and for which question. All members see it.",
    )


class NewProjectForm(ProjectForm):
    organisation = forms.ModelChoiceField(
        Organisation.objects.none(), empty_label=None, help_text="Who answers for the project."
    )
    field_order = ["name", "organisation", "description"]

    def __init__(self, *args, organisations, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organisation"].queryset = organisations  # type: ignore[attr-defined]


@login_required
@require_safe
def project_list(request: SignedInRequest) -> HttpResponse:
    rows = overview.project_rows(request.user)
    may_create = projects.organisations_for_projects(request.user).exists()
    return render(request, "projects/list.html", {"rows": rows, "may_create": may_create})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def project_new(request: SignedInRequest) -> HttpResponse:
    organisations = projects.organisations_for_projects(request.user)
    if not organisations.exists():
        raise PermissionDenied("Creating a project takes a role in an organisation: ask one of its managers.")
    form = NewProjectForm(request.POST or None, organisations=organisations)
    if request.method == "POST" and form.is_valid():
        project = carried_out(form, lambda: projects.create_project(by=request.user, **form.cleaned_data))
        if project is not None:
            messages.success(request, gettext("The project is there, and you lead it."))
            return redirect("project", project.slug)
    return render(request, "projects/new.html", {"form": form})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def project_edit(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "manage_project")
    project = opened.project
    form = ProjectForm(
        request.POST or None, initial={"name": project.name, "description": project.description}
    )
    if request.method == "POST" and form.is_valid():
        fresh = Project.objects.get(pk=project.pk)  # the page keeps the old name where the new is refused
        done = carried_out(
            form, lambda: projects.edit_project(by=request.user, project=fresh, **form.cleaned_data)
        )
        if done is not None:
            messages.success(request, gettext("Saved."))
            return redirect("project", slug)
    return show(request, opened, "project", "projects/edit.html", form=form)


@login_required
@require_safe
def project_overview(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug)
    project = opened.project
    context: dict[str, Any] = {"schema": current_schema(project)}
    sight = overview.sight_of(request.user, project, opened.held)
    if opened.may_manage:
        context |= dashboard.for_lead(sight, context["schema"]) | {"plots": program("src/plots/main.ts")}
    elif opened.may_review:  # who reviews knows of what was handed in, not of what is still being read
        context |= {
            "handed_in": overview.handed_in(request.user, project),
            "decisions": overview.decisions(sight, [], [], context["schema"]),
        }
    if opened.may_read:
        context["own"] = overview.own_progress(request.user, project)
    return show(request, opened, "project", "projects/overview.html", **context)
