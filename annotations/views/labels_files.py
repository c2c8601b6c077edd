"""Labels as files, and the starters to begin with."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.requests import SignedInRequest
from annotations.reading import schemas
from annotations.reading.schemas import drafts, exchange, starters
from annotations.reading.schemas.exchange import Brought
from annotations.reading.schemas.starters import Starter
from annotations.views.frame import OpenProject, open_project, show

PROBLEMS_TOLD = 8


@login_required
@require_safe
def labels_file(request: SignedInRequest, slug: str, version: int) -> HttpResponse:
    opened = open_project(request, slug)
    schema = schemas.schemas_of(opened.project).filter(version=version).first()
    if schema is None:
        raise Http404("There is no such version.")
    answer = JsonResponse(exchange.exported(schema), json_dumps_params={"indent": 1, "ensure_ascii": False})
    answer["Content-Disposition"] = f'attachment; filename="{slug}-labels-{version}.json"'
    return answer


@login_required
@require_POST
def labels_import(request: SignedInRequest, slug: str) -> HttpResponse:
    """A file becomes the draft; then it is looked at like any other."""
    opened = open_project(request, slug, "manage_project")
    file = request.FILES.get("file")
    if file is None:
        messages.error(request, gettext("Choose a file first."))
        return redirect("project-labels", slug)
    try:
        content = exchange.brought(file.read(exchange.FILE_BYTES_MAX + 1))
    except ValidationError as refusal:
        _tell(request, refusal)
        return redirect("project-labels", slug)
    return _becomes_the_draft(request, opened, content, back="project-labels")


@login_required
@require_safe
def labels_starters(request: SignedInRequest, slug: str) -> HttpResponse:
    """The gallery, with the first of them in full."""
    return _gallery(request, open_project(request, slug, "manage_project"), starters.starters()[0])


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def labels_starter(request: SignedInRequest, slug: str, key: str) -> HttpResponse:
    """One of them in full, and beginning with it."""
    opened = open_project(request, slug, "manage_project")
    chosen = starters.starter(key)
    if chosen is None:
        raise Http404("There is no such starter.")
    if request.method == "POST":
        return _becomes_the_draft(request, opened, chosen.content, back="project-labels-starters")
    return _gallery(request, opened, chosen)


def _gallery(request: SignedInRequest, opened: OpenProject, chosen: Starter) -> HttpResponse:
    return show(
        request,
        opened,
        "project-labels",
        "projects/labels_starters.html",
        starters=starters.starters(),
        chosen=chosen,
        current=schemas.current_schema(opened.project),
        draft=schemas.draft_of(opened.project),
    )


def _becomes_the_draft(
    request: SignedInRequest, opened: OpenProject, content: Brought, *, back: str
) -> HttpResponse:
    project = opened.project
    current = schemas.current_schema(project)
    try:
        draft = drafts.save_draft(
            by=request.user,
            project=project,
            labels=content.labels,
            questions=content.questions,
            seen_version=current.version if current else 0,
            seen_draft=request.POST.get("seen_draft", drafts.stamp(schemas.draft_of(project))),
            new_keys=content.keys,
        )
    except ValidationError as refusal:
        _tell(request, refusal)
        return redirect(back, project.slug)
    if draft is None:
        messages.info(request, gettext("Nothing differs from the version in use."))
        return redirect("project-labels", project.slug)
    messages.success(request, gettext("This is a draft. Change what you like, then put it into use."))
    return redirect("project-labels-edit", project.slug)


def _tell(request: SignedInRequest, refusal: ValidationError) -> None:
    """Each sentence with the label or question it is about."""
    if hasattr(refusal, "error_dict"):
        told = []
        for place, errors in refusal.message_dict.items():
            row = place.split(".", 1)[0]
            what = gettext("Question") if row.startswith("q") else gettext("Label")
            told.append(f"{what} {int(row.removeprefix('q')) + 1}: {errors[0]}")
    else:
        told = list(refusal.messages)
    for line in told[:PROBLEMS_TOLD]:
        messages.error(request, line)
