"""What all pages of a project share: the check at the door, the tabs, and forms that call a service."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy

from accounts import permissions
from accounts.requests import SignedInRequest
from annotations.reading.projects import project_or_404
from atlas.api.errors import Conflict
from atlas.models import Project

# Title, name of the address, and the permission that opens it. An address that is not there has no tab.
TABS = (
    (gettext_lazy("Overview"), "project", "view_project"),
    (gettext_lazy("Cases"), "project-cases", "review_cases"),
    (gettext_lazy("Agreement"), "project-agreement", "manage_project"),
    (gettext_lazy("Members"), "project-members", "review_cases"),
    (gettext_lazy("Labels"), "project-labels", "view_project"),
    (gettext_lazy("Reading"), "project-reading", "manage_project"),
    (gettext_lazy("Hanging"), "project-hanging", "manage_project"),
    (gettext_lazy("Releases"), "project-releases", "download_releases"),
    (gettext_lazy("Audit"), "project-audit", "manage_project"),
)


@dataclass(frozen=True)
class OpenProject:
    """A project, and what the person at the door may do in it."""

    project: Project
    held: frozenset[str]

    @property
    def may_manage(self) -> bool:
        return "manage_project" in self.held

    @property
    def may_review(self) -> bool:
        return "review_cases" in self.held

    @property
    def may_read(self) -> bool:
        return "read_cases" in self.held

    @property
    def may_download(self) -> bool:
        return "download_releases" in self.held


def open_project(request: SignedInRequest, slug: str, permission: str = "view_project") -> OpenProject:
    """Raises Http404 for strangers, PermissionDenied for members whose role doesn't allow it."""
    project = project_or_404(request.user, slug, permission)
    roles = permissions.roles_of(request.user, project)
    return OpenProject(project, frozenset().union(*(role.permissions for role in roles)))


def show(
    request: SignedInRequest, opened: OpenProject, tab: str, template: str, status: int = 200, **context: Any
) -> HttpResponse:
    """A page of a project, under its tabs. `tab` is the name of the tab's address."""
    project = opened.project
    tabs = [
        {"title": title, "url": url, "is_here": name == tab}
        for title, name, permission in TABS
        if permission in opened.held and (url := _address(name, project)) is not None
    ]
    context |= {"project": project, "may": opened, "tabs": tabs}
    return render(request, template, context, status=status)


def _address(name: str, project: Project) -> str | None:
    try:
        return reverse(name, args=[project.slug])
    except NoReverseMatch:
        return None


def carried_out[T](form: forms.Form, service: Callable[[], T]) -> T | None:
    """Run a service; what it refuses stands in the form, at its field. None where it refused."""
    try:
        return service()
    except ValidationError as refusal:
        if hasattr(refusal, "error_dict"):
            for field, errors in refusal.error_dict.items():
                form.add_error(field if field in form.fields else None, errors)
        else:
            form.add_error(None, refusal)
        return None


def page_of(request: SignedInRequest, rows: QuerySet, size: int) -> Page:
    """The page that the address asks for; a number that is none, or too high, gives the nearest one."""
    return Paginator(rows, size).get_page(request.GET.get("page"))


def sentence(refusal: ValidationError | Conflict) -> str:
    return str(refusal.detail) if isinstance(refusal, Conflict) else " ".join(refusal.messages)
