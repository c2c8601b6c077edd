"""The schema of a project, labels and questions: its versions, and a form that writes the next."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from accounts.requests import SignedInRequest
from annotations.reading import schemas
from annotations.reading.questions import ABOUT, TYPES
from annotations.views import questions
from annotations.views.frame import open_project, show

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
    return show(
        request,
        opened,
        "project-labels",
        "projects/labels.html",
        schema=shown,
        versions=versions,
        is_current=bool(versions) and shown == versions[0],
        kinds=schemas.KINDS,
        about=ABOUT,
        types=TYPES,
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def labels_edit(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "manage_project")
    current = schemas.current_schema(opened.project)
    seen = current.version if current else 0
    rows: list[dict[str, Any]] = [dict(label) for label in current.labels] if current else []
    asked: list[dict[str, Any]] = [dict(question) for question in current.questions] if current else []
    problems: list[str] = []
    if request.method == "POST":
        rows, seen = _rows(request.POST), _number(request.POST.get("seen_version", ""))
        asked = questions.from_form(request.POST)
        if "another_question" in request.POST:
            asked.append(dict(questions.BLANK))
        elif "another" not in request.POST:
            kept = [row for row in rows if row["name"] or row["key"]]
            kept = [row for row in kept if not row.pop("removed")]
            try:
                schema, moved = schemas.write_schema(
                    by=request.user,
                    project=opened.project,
                    labels=kept,
                    seen_version=seen,
                    questions=asked,
                )
            except ValidationError as refusal:
                problems = _put_beside(kept, asked, refusal)
                rows = kept
            else:
                told = f"This is version {schema.version}."
                if moved:
                    told += f" {moved} unopened read{' uses' if moved == 1 else 's use'} it now."
                messages.success(request, told)
                return redirect("project-labels", slug)
    taken = {row["color"] for row in rows}
    free = [color for color in schemas.COLORS if color not in taken] or list(schemas.COLORS)
    for place in range(EMPTY_ROWS):
        rows.append({"key": "", "name": "", "color": free[place % len(free)], "kinds": ["segment"]})
    return show(
        request,
        opened,
        "project-labels",
        "projects/labels_edit.html",
        status=400 if problems else 200,
        rows=list(enumerate(rows)),
        kinds=schemas.KINDS,
        questions=list(enumerate(questions.for_form(asked, current.questions if current else []))),
        about=ABOUT,
        types=TYPES,
        named=[row for row in rows if row["key"]],
        listed=[one for one in (current.questions if current else []) if one["options"]],
        seen_version=seen,
        problems=problems,
    )


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


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 6 else 0


def _put_beside(
    rows: list[dict[str, Any]], asked: list[dict[str, Any]], refusal: ValidationError
) -> list[str]:
    """Write each sentence into the label or question it is about; returns those about the whole."""
    if not hasattr(refusal, "error_dict"):
        return list(refusal.messages)
    for place, errors in refusal.message_dict.items():
        row, field = place.split(".", 1)
        about = asked[int(row[1:])] if row.startswith("q") else rows[int(row)]
        about.setdefault("errors", {})[field] = errors[0]
    return ["Some labels or questions need a correction; nothing was saved."]
