"""A draft of labels: what it changes, what someone has to decide, and putting it into use."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.requests import SignedInRequest
from annotations.reading import schemas
from annotations.reading.journal.mapping import KEEP, LEAVE_OUT
from annotations.reading.schemas import counting, drafts
from annotations.reading.schemas.changes import Change
from annotations.reading.schemas.counting import Held
from annotations.views.frame import open_project, sentence, show
from annotations.views.labels import told_of


@dataclass(frozen=True)
class Row:
    """A change with what it meets, and what was chosen for it."""

    change: Change
    held: Held
    chosen: str
    error: str

    @property
    def asks(self) -> bool:
        return bool(self.change.decision) and self.held.things > 0

    @property
    def is_part(self) -> bool:
        return self.change.what in ("kind", "option")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "manage_project")
    written = schemas.draft_of(opened.project)
    if written is None:
        messages.info(request, gettext("There is no draft any more: it was put into use, or discarded."))
        return redirect("project-labels", slug)
    current = schemas.current_schema(opened.project)
    decisions: dict[str, str] = {}
    problems: list[str] = []
    errors: dict[str, Any] = {}
    stays = request.POST.get("begun") == "stay"
    if request.method == "POST":
        decisions = {
            name.removeprefix("becomes-"): str(value)
            for name, value in request.POST.items()
            if name.startswith("becomes-")
        }
        try:
            schema, moved = drafts.put_into_use(
                by=request.user,
                project=opened.project,
                seen_draft=request.POST.get("seen_draft", ""),
                decisions={} if stays else decisions,
                move_open=not stays,
            )
            messages.success(request, told_of(schema, moved))
            return redirect("project-labels", slug)
        except ValidationError as refusal:
            if hasattr(refusal, "error_dict"):
                errors = refusal.message_dict
                problems = [gettext("Decide what becomes of the marks and answers below.")]
            else:
                problems = list(refusal.messages)
    held = counting.holdings(request.user, opened.project)
    changes = drafts.changes_of(current, written)
    rows = [
        Row(
            change,
            held.of(change),
            decisions.get(change.decision, ""),
            (errors.get(change.decision) or [""])[0],
        )
        for change in changes
        if change.sort != "same" or change.decision
    ]
    return show(
        request,
        opened,
        "project-labels",
        "projects/labels_draft.html",
        status=400 if problems else 200,
        draft=written,
        current=current,
        rows=rows,
        same=sum(change.sort == "same" and not change.decision for change in changes),
        held=held,
        KEEP=KEEP,
        LEAVE_OUT=LEAVE_OUT,
        seen_draft=drafts.stamp(written),
        stays=stays,
        problems=problems,
    )


@login_required
@require_POST
def draft_discard(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "manage_project")
    if drafts.discard_draft(by=request.user, project=opened.project):
        messages.success(request, gettext("The draft is discarded."))
    return redirect("project-labels", slug)


@login_required
@require_POST
def move_behind(request: SignedInRequest, slug: str) -> HttpResponse:
    """Have open reads of earlier versions follow the one in use."""
    opened = open_project(request, slug, "manage_project")
    current = schemas.current_schema(opened.project)
    try:
        is_done = drafts.move_those_behind(by=request.user, project=opened.project)
    except ValidationError as refusal:
        messages.error(request, sentence(refusal))
        return redirect("project-labels", slug)
    version = current.version if current else 0
    left = counting.behind_count(request.user, opened.project, version)
    if not is_done:
        messages.success(request, gettext("The reads are being moved."))
    elif left:
        messages.warning(
            request,
            gettext(
                "Some stay: they hold marks or answers that nobody decided about. The next version asks."
            ),
        )
    else:
        messages.success(
            request, gettext("All open reads follow version %(version)s.") % {"version": version}
        )
    return redirect("project-labels", slug)
