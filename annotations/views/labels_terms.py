"""Coded terms: searched while labels are written, and those that a project adds."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.requests import SignedInRequest
from annotations.reading.schemas import terms
from annotations.views.frame import open_project, page_of, show

PER_PAGE = 50
FIELDS = ("value", "scheme", "meaning", "also")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def labels_terms(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "manage_project")
    given = {name: request.POST.get(name, "").strip() for name in FIELDS}
    errors: dict[str, Any] = {}
    if request.method == "POST":
        try:
            added = terms.add_term(
                by=request.user,
                project=opened.project,
                whole_organisation="whole_organisation" in request.POST,
                **given,
            )
        except ValidationError as refusal:
            errors = {name: told[0] for name, told in refusal.message_dict.items()}
        else:
            messages.success(
                request, gettext("“%(meaning)s” can be chosen now.") % {"meaning": added.meaning}
            )
            return redirect("project-labels-terms", slug)
    return show(
        request,
        opened,
        "project-labels",
        "projects/labels_terms.html",
        status=400 if errors else 200,
        page=page_of(request, terms.own_terms(opened.project), PER_PAGE),
        known=len(terms.catalogue()),
        given=given,
        errors=errors,
        may_share=terms.may_add_for_organisation(request.user, opened.project),
    )


@login_required
@require_safe
def terms_search(request: SignedInRequest, slug: str) -> JsonResponse:
    opened = open_project(request, slug, "manage_project")
    found = terms.search(opened.project, request.GET.get("q", ""))
    return JsonResponse(
        {
            "terms": [
                {
                    "value": term.value,
                    "scheme": term.scheme,
                    "meaning": term.meaning,
                    "also": ", ".join(part for part in term.also if part),
                    "own": term.own,
                }
                for term in found
            ]
        }
    )


@login_required
@require_POST
def term_remove(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "manage_project")
    given = request.POST.get("term", "")
    number = int(given) if given.isdecimal() and len(given) < 10 else 0
    term = terms.remove_term(by=request.user, project=opened.project, term_id=number)
    messages.success(request, gettext("“%(meaning)s” is no longer offered.") % {"meaning": term.meaning})
    return redirect("project-labels-terms", slug)
