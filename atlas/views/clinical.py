"""Clinical facts: sent, mapped, followed, taken back; and a subject's timeline."""

import json
from http import HTTPStatus
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import permissions
from accounts.requests import SignedInRequest
from atlas.archive.intake import IntakeClosed, StorageRefuses
from atlas.archive.keys import KeyUnusable
from atlas.clinical import importing, mapping, words
from atlas.clinical.dates import ORDERS
from atlas.clinical.errors import NotTaken
from atlas.clinical.facts import Fact
from atlas.clinical.headings import by_kept
from atlas.clinical.terminology import TERMINOLOGIES
from atlas.clinical.timeline import LANES, subject_or_404, timeline_of
from atlas.datasets import dataset_or_404
from atlas.models import ClinicalFact, ClinicalImport, Dataset
from atlas.spreadsheets import csv_lines

IMPORTS_A_PAGE = 25
FINDINGS_A_PAGE = 100
TEMPLATE_BYTES_MAX = 200_000
DATE_WORDS = {"": "not said", "dmy": "the day first, 31/12/2021", "mdy": "the month first, 12/31/2021"}
KEY_UNUSABLE = "The organisation's key for pseudonyms can't be used now. The node's log says why."
State = ClinicalImport.State


def _dataset(request: SignedInRequest, slug: str) -> Dataset:
    dataset = dataset_or_404(request.user, slug)
    permissions.require(request.user, "import_images", dataset)
    return dataset


@login_required
@require_http_methods(["GET", "POST"])
def clinical(request: SignedInRequest, slug: str) -> HttpResponse:
    """What was sent so far, and a form that takes a file."""
    dataset = _dataset(request, slug)
    if request.method == "POST":
        return _take(request, dataset)
    imports = dataset.clinical_imports.select_related("by")
    context = {
        "dataset": dataset,
        "page": Paginator(imports, IMPORTS_A_PAGE).get_page(request.GET.get("page")),
        "facts": dataset.clinical_facts.count(),
        "subjects": dataset.clinical_facts.values("subject").distinct().count(),
        "takes": dataset.deidentification != Dataset.Deidentification.UNDECLARED,
        "keeps_dates": _keeps_dates(dataset),
    }
    return render(request, "clinical/list.html", context)


def _keeps_dates(dataset: Dataset) -> bool:
    at_the_door = dataset.deidentification == Dataset.Deidentification.AT_THE_DOOR
    return not at_the_door or "dates" in dataset.deidentification_options


def _take(request: SignedInRequest, dataset: Dataset) -> HttpResponse:
    file = request.FILES.get("file")
    if file is None or not file.size:
        messages.error(request, gettext("Choose a file that holds something."))
    elif file.size > importing.BYTES_MAX:
        messages.error(request, gettext("The file is too large. Split it."))
    else:
        try:
            one = importing.begin(by=request.user, dataset=dataset, name=file.name or "", content=file.read())
            return redirect("clinical-import", dataset.slug, one.public_id)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        except (IntakeClosed, StorageRefuses) as error:
            messages.error(request, str(error))
        except KeyUnusable:
            messages.error(request, gettext(KEY_UNUSABLE))
    return redirect("clinical", dataset.slug)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def clinical_import(request: SignedInRequest, slug: str, public_id: str) -> HttpResponse:
    """One file: its mapping while it waits for one, then how far it is, then what became of it."""
    one = importing.import_or_404(request.user, slug, public_id)
    if one.state == State.MAPPING:
        return _map(request, one)
    if request.method == "POST":
        messages.error(request, gettext("This file was read already."))
        return redirect("clinical-import", slug, public_id)
    page = Paginator(one.findings, FINDINGS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "dataset": one.dataset,
        "one": one,
        "page": page,
        "facts": one.facts.count() if one.state == State.DONE else 0,
        "read": one.rows_taken + one.rows_refused,
        "goes_on": one.state in (State.WAITING, State.READING),
    }
    return render(request, "clinical/import.html", context)


def _map(request: SignedInRequest, one: ClinicalImport) -> HttpResponse:
    how, wrong, tried, seen = one.mapping, "", None, None
    try:
        seen = importing.look(one) if one.kind == "csv" else None
        if request.method == "POST":
            if "template" in request.FILES:
                how = cast(dict[str, Any], by_kept(_template(request), seen.columns if seen else ()))
            else:
                how = _posted(request, seen.names if seen else ())
            if request.POST.get("do") == "try" or "template" in request.FILES:
                tried = importing.try_out(one, how)
            else:
                importing.start(by=request.user, one=one, how=how)
                return redirect("clinical-import", one.dataset.slug, one.public_id)
    except ValidationError as error:
        wrong = " ".join(error.messages)
    except (NotTaken, IntakeClosed) as error:
        wrong = str(error)
    except KeyUnusable:
        wrong = gettext(KEY_UNUSABLE)
    told = how.get("columns", {}) if isinstance(how.get("columns"), dict) else {}
    context = {
        "dataset": one.dataset,
        "one": one,
        "how": how,
        "columns": [
            (at, heading, told.get(name, ""), [row[at] for row in seen.rows if at < len(row)])
            for at, (heading, name) in enumerate(zip(seen.columns, seen.names, strict=True))
        ]
        if seen
        else [],
        "groups": mapping.GROUPS,
        "orders": [(key, DATE_WORDS[key]) for key in ORDERS],
        "schemes": [(one.key, one.title) for one in TERMINOLOGIES.values()],
        "accepts": mapping.ACCEPTS,
        "wrong": wrong,
        "tried": [(line, [_said(fact) for fact in facts], error) for line, facts, error in tried.rows]
        if tried
        else None,
    }
    status = HTTPStatus.BAD_REQUEST if wrong and request.method == "POST" else HTTPStatus.OK
    return render(request, "clinical/mapping.html", context, status=status)


def _posted(request: HttpRequest, columns: tuple[str, ...]) -> dict[str, Any]:
    given = {name: request.POST.get(f"role-{at}", "") for at, name in enumerate(columns)}
    told = {name: role for name, role in given.items() if role}
    others = ("dates", "condition_codes", "treatment_codes", "issuer", "accept")
    return {"columns": told} | {name: request.POST[name] for name in others if name in request.POST}


def _template(request: HttpRequest) -> dict[str, Any]:
    file = cast(UploadedFile, request.FILES["template"])
    if not file.size or file.size > TEMPLATE_BYTES_MAX:
        raise NotTaken("A template of a mapping is a JSON file of up to 200 kB.")
    try:
        found = json.loads(file.read())
    except (ValueError, RecursionError):
        raise NotTaken("The template is no JSON.") from None
    if not isinstance(found, dict):
        raise NotTaken("The template is a JSON object, as “Save the mapping” gives it.")
    return found


def _said(fact: Fact) -> dict[str, Any]:
    row = ClinicalFact(kind=fact.kind, name=fact.name, code=fact.code, meaning=fact.meaning)
    return {"lane": LANES[fact.kind], "what": words.what(row), "starts": fact.starts, "ends": fact.ends}


@login_required
@require_safe
def clinical_mapping(request: SignedInRequest, slug: str, public_id: str) -> HttpResponse:
    """A mapping as a template for other tables with these columns."""
    one = importing.import_or_404(request.user, slug, public_id)
    kept = mapping.told(one.mapping)
    answer = JsonResponse(kept, json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer["Content-Disposition"] = f'attachment; filename="mapping-{one.public_id}.json"'
    return answer


@login_required
@require_safe
def clinical_refused(request: SignedInRequest, slug: str, public_id: str) -> StreamingHttpResponse:
    """The rows that were not taken, and why, for a spreadsheet."""
    one = importing.import_or_404(request.user, slug, public_id)
    rows = ((found["row"] or None, found["column"], found["sentence"]) for found in one.findings)
    lines = csv_lines([("row", "column", "reason"), *rows])
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="refused-{one.public_id}.csv"'
    return answer


@login_required
@require_POST
def clinical_throw_away(request: SignedInRequest, slug: str, public_id: str) -> HttpResponse:
    one = importing.import_or_404(request.user, slug, public_id)
    was_waiting = one.state == State.MAPPING
    try:
        importing.throw_away(by=request.user, one=one)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("clinical-import", slug, public_id)
    told = "The file is deleted." if was_waiting else "Its facts are taken back."
    messages.success(request, gettext(told))
    return redirect("clinical", slug)


@login_required
@require_safe
def subject(request: SignedInRequest, slug: str, public_id: str) -> HttpResponse:
    """A subject's timeline: studies and facts, drawn to scale and as a table."""
    dataset, found = subject_or_404(request.user, slug, public_id)
    context = {
        "dataset": dataset,
        "subject": found,
        "timeline": timeline_of(request.user, dataset, found),
        "lanes": LANES,
        "has_page": permissions.allows(request.user, "view_images", dataset),
        "may_import": permissions.allows(request.user, "import_images", dataset),
        "keeps_dates": _keeps_dates(dataset),
    }
    return render(request, "clinical/subject.html", context)
