"""The schema of a project, labels and questions: its versions, and a form that writes the next."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.requests import SignedInRequest
from annotations.models import LabelSchema
from annotations.reading import schemas
from annotations.reading.questions import ABOUT, TYPES
from annotations.reading.schemas import counting, drafts
from annotations.reading.schemas.changes import Content
from annotations.reading.schemas.labels import in_use
from annotations.views import questions
from annotations.views.frame import OpenProject, open_project, show

EMPTY_ROWS = 1


@login_required
@require_safe
def labels(request: SignedInRequest, slug: str, version: int | None = None) -> HttpResponse:
    opened = open_project(request, slug)
    versions = list(schemas.schemas_of(opened.project))
    shown = versions[0] if versions else None
    if version is not None:
        shown = next((schema for schema in versions if schema.version == version), None)
        if shown is None:
            raise Http404("There is no such version.")
    is_current = bool(versions) and shown == versions[0]
    context: dict[str, Any] = {}
    if opened.may_manage:
        context["draft"] = schemas.draft_of(opened.project)
        if is_current:
            context["behind"] = counting.behind_count(request.user, opened.project, versions[0].version)
    return show(
        request,
        opened,
        "project-labels",
        "projects/labels.html",
        schema=shown,
        labels=in_use(shown.labels) if shown else [],
        questions=in_use(shown.questions) if shown else [],
        retired=[
            *(one["name"] for one in (shown.labels if shown else []) if one.get("retired")),
            *(one["text"] for one in (shown.questions if shown else []) if one.get("retired")),
        ],
        versions=versions,
        is_current=is_current,
        **context,
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def labels_edit(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "manage_project")
    current = schemas.current_schema(opened.project)
    draft = schemas.draft_of(opened.project)
    based_on = draft or current
    base = Content(based_on.labels, based_on.questions) if based_on else Content((), ())
    seen = current.version if current else 0
    seen_draft = drafts.stamp(draft)
    rows: list[dict[str, Any]] = [dict(label) for label in in_use(base.labels)]
    asked: list[dict[str, Any]] = [dict(question) for question in in_use(base.questions)]
    again = request.POST.getlist("again")
    problems: list[str] = []
    if request.method == "POST":
        rows, seen = _rows(request.POST), _number(request.POST.get("seen_version", ""))
        seen_draft = request.POST.get("seen_draft", "")
        asked = questions.from_form(request.POST)
        if "another_question" in request.POST:
            asked.append(dict(questions.BLANK))
        elif "another" not in request.POST:
            kept = [row for row in rows if row["name"] or row["key"]]
            kept = [row for row in kept if not row.pop("removed")]
            labels_back, labels_former = _former("label", base.labels, again)
            questions_back, questions_former = _former("question", base.questions, again)
            try:
                written = drafts.save_draft(
                    by=request.user,
                    project=opened.project,
                    labels=[*kept, *labels_back, *labels_former],
                    questions=[*asked, *questions_back, *questions_former],
                    seen_version=seen,
                    seen_draft=seen_draft,
                )
                return _goes_on(request, opened, current, written)
            except ValidationError as refusal:
                back = [*labels_back, *questions_back]
                problems = put_beside([*kept, *labels_back], [*asked, *questions_back], refusal)
                problems += [told for entry in back for told in entry.get("errors", {}).values()]
                rows = kept
    taken = {row["color"] for row in rows}
    free = [color for color in schemas.COLORS if color not in taken] or list(schemas.COLORS)
    for place in range(EMPTY_ROWS):
        rows.append({"key": "", "name": "", "color": free[place % len(free)], "kinds": ["segment"]})
    known = [dict(question) for question in in_use(base.questions)]
    return show(
        request,
        opened,
        "project-labels",
        "projects/labels_edit.html",
        status=400 if problems else 200,
        rows=list(enumerate(rows)),
        kinds=schemas.KINDS,
        questions=list(enumerate(questions.for_form(asked, known))),
        former=[
            (f"{what}:{entry['key']}", entry[word], f"{what}:{entry['key']}" in again)
            for what, word, entries in (("label", "name", base.labels), ("question", "text", base.questions))
            for entry in entries
            if entry.get("retired")
        ],
        about=ABOUT,
        types=TYPES,
        named=[row for row in rows if row["key"]],
        listed=[one for one in known if one["options"]],
        draft=draft,
        seen_version=seen,
        seen_draft=seen_draft,
        problems=problems,
    )


def _goes_on(
    request: SignedInRequest, opened: OpenProject, current: LabelSchema | None, draft: LabelSchema | None
) -> HttpResponse:
    """After the draft was kept: to what it would change, or, where nobody has drawn yet, into use at once."""
    slug = opened.project.slug
    if draft is None:
        version = current.version if current else 0
        messages.success(request, gettext("This is version %(version)s.") % {"version": version})
        return redirect("project-labels", slug)
    if "keep" in request.POST:
        messages.success(request, gettext("The draft is kept. Readers see nothing of it yet."))
        return redirect("project-labels", slug)
    if counting.is_drawn_in(request.user, opened.project):
        return redirect("project-labels-draft", slug)
    schema, moved = drafts.put_into_use(
        by=request.user, project=opened.project, seen_draft=drafts.stamp(draft)
    )
    messages.success(request, told_of(schema, moved))
    return redirect("project-labels", slug)


def told_of(schema: LabelSchema, moved: int) -> str:
    """That a version is in use, and how many unopened reads follow it."""
    told = gettext("This is version %(version)s.") % {"version": schema.version}
    if moved:
        told += " " + ngettext(
            "%(count)s unopened read uses it now.", "%(count)s unopened reads use it now.", moved
        ) % {"count": moved}
    return told


def _rows(form: QueryDict) -> list[dict[str, Any]]:
    """Rows as the form's fields `0-name`, `0-color` … give them, without judging them."""
    rows = []
    for place in range(min(_number(form.get("rows", "")), schemas.LABELS_MAX + 1)):
        field = lambda name, place=place: form.get(f"{place}-{name}", "").strip()
        rows.append(
            {
                "key": field("key"),
                "name": field("name"),
                "color": field("color"),
                "kinds": form.getlist(f"{place}-kinds"),
                "code": {part: field(f"code-{part}") for part in ("value", "scheme", "meaning")},
                "required": bool(field("required")),
                "removed": bool(field("removed")),
            }
        )
    return rows


def _former(
    what: str, entries: Sequence[Any], again: list[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Of those no longer used: what is used again, and what stays as it is."""
    former = [dict(entry) for entry in entries if entry.get("retired")]
    back = [entry for entry in former if f"{what}:{entry['key']}" in again]
    for entry in back:
        del entry["retired"]
    return back, [entry for entry in former if entry.get("retired")]


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 6 else 0


def put_beside(
    rows: list[dict[str, Any]], asked: list[dict[str, Any]], refusal: ValidationError
) -> list[str]:
    """Write each sentence into the label or question it is about; returns those about the whole."""
    if not hasattr(refusal, "error_dict"):
        return list(refusal.messages)
    for place, errors in refusal.message_dict.items():
        row, field = place.split(".", 1)
        about = asked[int(row[1:])] if row.startswith("q") else rows[int(row)]
        about.setdefault("errors", {})[field] = errors[0]
    return [gettext("Some labels or questions need a correction; nothing was saved.")]
