"""The members of a project: who has which role, and who is invited."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from accounts.requests import SignedInRequest
from accounts.roles import roles_on
from annotations.models import Specialty
from annotations.reading import overview, projects
from annotations.reading.assignment import possible_readers, specialties
from annotations.views.frame import carried_out, open_project, sentence, show


class MemberForm(forms.Form):
    email = forms.EmailField(
        label="E-mail address", help_text="Someone without an account gets a letter with a link."
    )
    role = forms.ChoiceField(
        choices=lambda: [(role.key, gettext(role.title)) for role in roles_on("project")],
        initial="reader",
        widget=forms.RadioSelect,
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def members(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "manage_project" if request.method == "POST" else "review_cases")
    project = opened.project
    form = MemberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        told = carried_out(
            form,
            lambda: projects.add_or_invite(
                by=request.user, project=project, address=_letter_address(request), **form.cleaned_data
            ),
        )
        if told is not None:
            messages.success(request, told)
            return redirect("project-members", slug)
    members = overview.members_with_progress(request.user, project)
    best: dict[int, list[Specialty]] = {}
    reading: set[int] = set()
    if opened.may_manage:
        best = specialties.specialties_of(project)
        reading = set(possible_readers(project).values_list("pk", flat=True))
    for member in members:
        member.specialties = best.get(member.person.pk, [])
    return show(
        request,
        opened,
        "project-members",
        "projects/members.html",
        form=form,
        roles=roles_on("project"),
        members=members,
        readers=reading,
        suggestions=specialties.suggestions(project) if opened.may_manage else [],
        invitations=projects.open_invitations(project) if opened.may_manage else [],
    )


def _letter_address(request: SignedInRequest) -> str:
    """The address of the page that takes an invitation, with `{secret}` where its secret goes."""
    return request.build_absolute_uri(reverse("invitation", args=["secret"])).replace(
        "/secret/", "/{secret}/"
    )


@login_required
@require_POST
def member_specialties(request: SignedInRequest, slug: str) -> HttpResponse:
    """What a member reads best: one more, or one less."""
    opened = open_project(request, slug, "manage_project")
    person = get_object_or_404(User, public_id=request.POST.get("person", ""))
    which: dict[str, Any] = {"by": request.user, "project": opened.project, "user": person}
    try:
        if request.POST.get("remove"):
            specialties.remove(**which, name=request.POST["remove"])
        else:
            specialties.add(**which, name=request.POST.get("add", ""))
    except ValidationError as refusal:
        messages.error(request, sentence(refusal))
    return redirect("project-members", slug)


@login_required
@require_POST
def member_remove(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "manage_project")
    person = get_object_or_404(User, public_id=request.POST.get("person", ""))
    role = request.POST.get("role", "")
    try:
        taken_back = projects.remove_member(by=request.user, project=opened.project, user=person, role=role)
    except ValidationError as refusal:
        messages.error(request, sentence(refusal))
    else:
        told = f"{person.display_name} is no longer {role} here."
        if taken_back:
            told += f" {taken_back} unopened read{'s were' if taken_back != 1 else ' was'} taken back."
        messages.success(request, told)
    if person == request.user and not projects.visible_projects(request.user).filter(slug=slug).exists():
        return redirect("projects")
    return redirect("project-members", slug)


@login_required
@require_POST
def letter_withdraw(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "manage_project")
    letter = (
        projects.open_invitations(opened.project).filter(public_id=request.POST.get("invitation", "")).first()
    )
    if letter is not None:  # taken back before: sending the form twice changes nothing
        projects.withdraw_invitation(by=request.user, invitation=letter)
    messages.success(request, gettext("The letter was taken back; its link no longer works."))
    return redirect("project-members", slug)
