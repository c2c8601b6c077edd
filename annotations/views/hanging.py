"""How a project's cases hang: its protocols in order, a form with a live preview, and the built-in ones."""

from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.requests import SignedInRequest
from annotations.models import Case, HangingProtocol
from annotations.reading import cases, hanging
from annotations.views.frame import OpenProject, open_project, sentence, show
from atlas.models import Project

SIDE_MAX = 3
TAB = "project-hanging"
STUDIES = [(0, "Current"), (1, "Prior"), (2, "2nd prior"), (3, "3rd prior"), (hanging.EARLIEST, "First")]
PHASES = [
    (0, "As it opens"),
    *((n, f"Phase {n}") for n in range(1, 7)),
    (hanging.LAST, "Last phase"),
]
COPY_SUFFIX = " (own)"


@login_required
@require_safe
def hanging_list(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "manage_project")
    rows = [(row, hanging.as_protocol(row)) for row in hanging.protocols_of(opened.project)]
    return show(
        request,
        opened,
        TAB,
        "projects/hanging.html",
        rows=[(row, protocol, hanging.in_words(protocol.rules)) for row, protocol in rows],
        built_in=[(protocol, hanging.in_words(protocol.rules)) for protocol in hanging.BUILT_IN],
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def hanging_new(request: SignedInRequest, slug: str) -> HttpResponse:
    """An empty form, or one filled like the built-in protocol that the address names."""
    opened = open_project(request, slug, "manage_project")
    start = next((one for one in hanging.BUILT_IN if one.id == request.GET.get("like")), None)
    empty: dict[str, Any] = {"name": "", "rules": {}, "rows": 1, "columns": 2, "panes": [], "link": True}
    values = _values(start) if start else empty
    if start:
        values["name"] += COPY_SUFFIX
    return _form(request, opened, values, None)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def hanging_edit(request: SignedInRequest, slug: str, public_id: str) -> HttpResponse:
    opened = open_project(request, slug, "manage_project")
    row = hanging.protocol_or_404(opened.project, public_id)
    return _form(request, opened, _values(hanging.as_protocol(row)), row)


def _form(
    request: SignedInRequest, opened: OpenProject, values: dict[str, Any], row: HangingProtocol | None
) -> HttpResponse:
    problems: list[str] = []
    errors: dict[str, str] = {}
    if request.method == "POST":
        values = _sent(request.POST)
        try:
            protocol = hanging.checked(**values)
            if "look" not in request.POST:
                hanging.write_protocol(by=request.user, project=opened.project, protocol=protocol, row=row)
                messages.success(request, "Saved. Cases that are opened from now on hang like this.")
                return redirect(TAB, opened.project.slug)
        except ValidationError as refusal:
            problems, errors = _told(refusal)
    case = _case(opened.project, request.POST.get("case") or request.GET.get("case", ""))
    return show(
        request,
        opened,
        TAB,
        "projects/hanging_edit.html",
        status=400 if problems else 200,
        values=values,
        panes=_panes(values, errors),
        errors={field.removeprefix("rules."): said for field, said in errors.items()},
        problems=problems,
        row=row,
        sides=range(1, SIDE_MAX + 1),
        choices=_choices(opened.project),
        case=case,
        **_previewed(case, values),
    )


@login_required
@require_POST
def hanging_preview(request: SignedInRequest, slug: str) -> HttpResponse:
    """The fragment that the form shows beside itself, for what is written in it now. Nothing is kept."""
    opened = open_project(request, slug, "manage_project")
    case = _case(opened.project, request.POST.get("case", ""))
    values = _sent(request.POST)
    return render(request, "projects/parts/hanging_preview.html", _previewed(case, values))


@login_required
@require_POST
def hanging_move(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "manage_project")
    row = hanging.protocol_or_404(opened.project, request.POST.get("protocol", ""))
    hanging.move_protocol(by=request.user, row=row, up=request.POST.get("way") != "down")
    return redirect(TAB, slug)


@login_required
@require_POST
def hanging_remove(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "manage_project")
    row = hanging.protocol_or_404(opened.project, request.POST.get("protocol", ""))
    name = row.name
    hanging.remove_protocol(by=request.user, row=row)
    messages.success(request, f"“{name}” is removed.")
    return redirect(TAB, slug)


# What stands in the form ------------------------------------------------------------------------


def _values(protocol: hanging.Protocol) -> dict[str, Any]:
    rules = asdict(protocol.rules)
    return {
        "name": protocol.name,
        "rules": rules | {"modalities": ", ".join(rules["modalities"])},
        "rows": protocol.rows,
        "columns": protocol.columns,
        "panes": [asdict(pane) for pane in protocol.panes],
        "link": protocol.link,
    }


def _sent(form: QueryDict) -> dict[str, Any]:
    """As the form's fields `words`, `0-words` … give it, without judging it."""
    names = ("modalities", "body_part", "words", "laterality", "view", "priors_min", "priors_max", "complete")
    pane = ("study", "modality", "words", "plane", "laterality", "view", "phase", "preset", "cut", "fused")
    return {
        "name": form.get("name", "").strip(),
        "rules": {name: form.get(name, "").strip() for name in names},
        "rows": _side(form.get("rows", "")),
        "columns": _side(form.get("columns", "")),
        "panes": [{name: form.get(f"{at}-{name}", "").strip() for name in pane} for at in range(SIDE_MAX**2)],
        "link": bool(form.get("link")),
    }


def _side(text: str) -> int:
    return int(text) if text in ("1", "2", "3") else 0


def _panes(values: dict[str, Any], errors: dict[str, str]) -> list[dict[str, Any]]:
    """Nine, of which the layout shows the first ones; the others wait behind it."""
    shown = values["rows"] * values["columns"]
    found = []
    for at in range(SIDE_MAX**2):
        own = values["panes"][at] if at < len(values["panes"]) else {}
        said = [text for field, text in errors.items() if field.split(".")[0] == str(at)]
        whole = {name: _number(own.get(name)) for name in ("study", "phase")}
        found.append(
            {"at": at, "letter": "ABCDEFGHI"[at], "shown": at < shown, "errors": said, **own, **whole}
        )
    return found


def _number(text: Any) -> int:
    try:
        return int(text or 0)
    except ValueError:
        return 0


def _choices(project: Project) -> dict[str, Any]:
    return {
        "studies": STUDIES,
        "phases": PHASES,
        "modalities": cases.modalities(project),
        "planes": hanging.PLANES,
        "cuts": hanging.CUTS,
        "lateralities": [("R", "Right"), ("L", "Left")],
        "presets": hanging.PRESETS,
    }


def _told(refusal: ValidationError) -> tuple[list[str], dict[str, str]]:
    if not hasattr(refusal, "error_dict"):
        return [sentence(refusal)], {}
    errors = {field: said[0] for field, said in refusal.message_dict.items()}
    return [errors.get("layout", "Something needs a correction; nothing was saved.")], errors


# Preview ----------------------------------------------------------------------------------------


def _case(project: Project, number: str) -> Case | None:
    """The case that was asked for; without a number, the first."""
    found = Case.objects.filter(project=project).order_by("number").select_related("subject")
    if number.strip():
        found = found.filter(number=int(number)) if number.isdecimal() and len(number) < 9 else found.none()
    return found.first()


def _previewed(case: Case | None, values: dict[str, Any]) -> dict[str, Any]:
    """What the preview shows: a case hung as the form says, or why there is none."""
    if case is None:
        return {"preview_problem": "There is no such case in this project."}
    try:
        protocol = hanging.checked(**values | {"name": "Preview"})
    except ValidationError as refusal:
        return {"preview_problem": " ".join(dict.fromkeys(refusal.messages))}
    return {"preview": hanging.preview_of(case, [protocol])}
