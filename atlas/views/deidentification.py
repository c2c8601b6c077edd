"""How a dataset's images are de-identified: the choice, and what it does to one file."""

from http import HTTPStatus
from typing import BinaryIO, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import permissions
from accounts.requests import SignedInRequest
from atlas import datasets as services
from atlas.archive.preview import NoPreview, preview
from atlas.datasets import dataset_or_404
from atlas.dicom.deidentify import OPTIONS
from atlas.forms import DeidentificationForm
from atlas.models import Dataset, Vault

TITLES = {option.key: option.title for option in OPTIONS}


@login_required
@require_http_methods(["GET", "POST"])
def settings(request: SignedInRequest, slug: str) -> HttpResponse:
    """What is chosen, for those who take images in; managers of the organisation choose."""
    found = dataset_or_404(request.user, slug)
    permissions.require(request.user, "import_images", found)
    chosen = {"deidentification": found.deidentification, "options": found.deidentification_options}
    form = DeidentificationForm(request.POST or None, initial=chosen)
    if request.method == "POST":
        services.require_manager(request.user, found)
        if form.is_valid():
            try:
                services.choose_deidentification(by=request.user, dataset=found, **form.cleaned_data)
            except ValidationError as error:
                form.add_error(None, error)
            else:
                messages.success(request, gettext("Images that arrive from now on are treated like this."))
                return redirect("dataset-deidentification", slug)
        found.refresh_from_db()
    context = {
        "dataset": found,
        "form": form,
        "options": OPTIONS,
        "picked": form["options"].value() or [],
        "choice": form["deidentification"].value(),
        "may_manage": permissions.allows(request.user, "manage_organisation", found.organisation),
        "studies": found.studies.count(),
        "has_vault": Vault.objects.filter(organisation=found.organisation_id).exists(),
        "trail": [_line(record) for record in services.deidentification_trail(found)],
    }
    return render(request, "datasets/deidentification.html", context)


def _line(record) -> dict:
    choice = record.facts.get("deidentification", "")
    label = dict(Dataset.Deidentification.choices).get(choice, "")
    kept = [TITLES[key] for key in record.facts.get("options", "").split() if key in TITLES]
    return {"at": record.at, "by": record.actor, "choice": label, "kept": kept}


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def preview_page(request: SignedInRequest, slug: str) -> HttpResponse:
    """A page that takes one file. Its script sends the file here, and nothing of it is kept."""
    found = dataset_or_404(request.user, slug)
    permissions.require(request.user, "import_images", found)
    if request.method == "POST":
        return _preview(request)
    context = {"dataset": found, "options": OPTIONS, "picked": found.deidentification_options}
    return render(request, "datasets/deidentification_preview.html", context)


def _preview(request: SignedInRequest) -> HttpResponse:
    try:
        seen = preview(cast(BinaryIO, request), request.GET.getlist("option"))
    except NoPreview as error:
        return JsonResponse({"reason": str(error)}, status=HTTPStatus.BAD_REQUEST)
    changes = [
        [change.path, change.keyword, change.vr, change.action, change.before, change.after, change.count]
        for change in seen.changes
    ]
    return JsonResponse({"kind": seen.kind, "refusal": seen.refusal, "check": seen.check, "changes": changes})
