"""A lead shares a project with someone whom the hub knows."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.requests import SignedInRequest
from accounts.roles import roles_on
from annotations.views.frame import open_project, sentence
from network.federation import nodes
from network.sharing import projects


class ShareForm(forms.Form):
    identity = forms.CharField(label=_("Identity"), max_length=40)
    role = forms.ChoiceField(choices=lambda: [(role.key, role.title) for role in roles_on("project")])


@login_required
@require_POST
def share_project(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "manage_project")
    hub = nodes.hub()
    if hub is None:
        raise Http404("This node has joined no hub.")
    form = ShareForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect("project-members", slug)
    address = nodes.this_node().address + reverse("project", args=[slug])
    try:
        told = projects.invite(
            by=request.user, project=opened.project, hub=hub, address=address, **form.cleaned_data
        )
    except ValidationError as refusal:
        messages.error(request, sentence(refusal))
    else:
        messages.success(request, told)
    return redirect("project-members", slug)
