"""Datasets: the list, a new one, one with its studies, its uploads and the projects that may use it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Prefetch, Sum
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import permissions
from accounts.models import Organisation
from accounts.policies import organisation_or_404
from accounts.requests import SignedInRequest
from accounts.views.members import members_page
from atlas import datasets as services
from atlas import policies
from atlas.archive import quarantine
from atlas.datasets import dataset_or_404
from atlas.dicom.deidentify import OPTIONS
from atlas.forms import DatasetForm, GrantForm, NewDatasetForm
from atlas.models import Dataset, Series, Study
from atlas.pictures import cover_of
from atlas.told import told_of

STUDIES_A_PAGE = 25
UPLOADS_SHOWN = 5
FINDINGS_A_PAGE = 100


@login_required
@require_safe
def datasets(request: SignedInRequest) -> HttpResponse:
    found = (
        policies.visible_datasets(request.user)
        .select_related("organisation")
        .annotate(
            subjects=Count("studies__subject", distinct=True), studies_count=Count("studies", distinct=True)
        )
    )
    managed = permissions.objects_for(request.user, "manage_organisation", Organisation)
    return render(request, "datasets/list.html", {"datasets": found, "managed": managed})


@login_required
@require_http_methods(["GET", "POST"])
def new_dataset(request: SignedInRequest, slug: str) -> HttpResponse:
    organisation = organisation_or_404(request.user, slug)
    permissions.require(request.user, "manage_organisation", organisation)
    form = NewDatasetForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            dataset = services.create_dataset(by=request.user, organisation=organisation, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            if dataset.deidentification == Dataset.Deidentification.AT_THE_DOOR:
                messages.success(request, f"“{dataset.name}” is here. Choose what may stay in its images.")
                return redirect("dataset-deidentification", dataset.slug)
            messages.success(request, f"“{dataset.name}” is here. It waits for images.")
            return redirect("dataset", dataset.slug)
    return render(request, "datasets/new.html", {"form": form, "organisation": organisation})


@login_required
@require_http_methods(["GET", "POST"])
def edit_dataset(request: SignedInRequest, slug: str) -> HttpResponse:
    dataset = dataset_or_404(request.user, slug)
    services.require_manager(request.user, dataset)
    name = dataset.name  # a form that is refused leaves its values on the object
    form = DatasetForm(request.POST or None, instance=dataset)
    if request.method == "POST" and form.is_valid():
        services.edit_dataset(by=request.user, dataset=dataset, **form.cleaned_data)
        messages.success(request, gettext("The dataset is changed."))
        return redirect("dataset", dataset.slug)
    return render(request, "datasets/edit.html", {"form": form, "dataset": dataset, "name": name})


@login_required
@require_safe
def dataset(request: SignedInRequest, slug: str) -> HttpResponse:
    found = dataset_or_404(request.user, slug)
    studies = (
        policies.visible_studies(request.user)
        .filter(dataset=found)
        .select_related("subject")
        .prefetch_related(Prefetch("series", queryset=Series.objects.order_by("number", "id")))
        .order_by("subject__pseudonym", "date", "id")
    )
    page = Paginator(studies, STUDIES_A_PAGE).get_page(request.GET.get("page"))
    may_manage = permissions.allows(request.user, "manage_organisation", found.organisation)
    may_import = permissions.allows(request.user, "import_images", found)
    context = {
        "dataset": found,
        "counts": found.studies.aggregate(subjects=Count("subject", distinct=True), studies=Count("id")),
        "images": found.studies.aggregate(n=Sum("series__instance_count"))["n"] or 0,
        "page": page,
        "rows": _rows(list(page)),
        "uploads": found.uploads.select_related("by").prefetch_related("findings")[:UPLOADS_SHOWN],
        "grants": found.grants.select_related("project", "project__organisation", "granted_by").order_by(
            "project__name"
        ),
        "may_manage": may_manage,
        "may_import": may_import,
        "quarantine": quarantine.counts(found) if may_import else None,
        "kept": [option.title for option in OPTIONS if option.key in found.deidentification_options],
        "receivers": found.receivers.all(),
        "takes_images": found.deidentification != Dataset.Deidentification.UNDECLARED,
        "members": permissions.members_of(found),
        "grant_form": GrantForm(organisation=found.organisation) if may_manage else None,
    }
    return render(request, "datasets/detail.html", context)


def _rows(studies: list[Study]) -> list[tuple[Study, Series | None, list[tuple[Series, list[str]]]]]:
    """Each study with the series of its picture, and its series with what apps above say of them."""
    told = told_of([series.pk for study in studies for series in study.series.all()])
    return [
        (
            study,
            cover_of(list(study.series.all())),
            [(series, told.get(series.pk, [])) for series in study.series.all()],
        )
        for study in studies
    ]


@login_required
@require_http_methods(["GET", "POST"])
def dataset_members(request: SignedInRequest, slug: str) -> HttpResponse:
    found = dataset_or_404(request.user, slug)
    return members_page(request, found, back=reverse("dataset", args=[slug]))


@login_required
@require_POST
def grant(request: SignedInRequest, slug: str) -> HttpResponse:
    found = dataset_or_404(request.user, slug)
    services.require_manager(request.user, found)
    try:
        made = services.grant_dataset(
            by=request.user, dataset=found, project_slug=request.POST.get("project", "")
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"{made.project.name} may choose studies of this dataset.")
    return redirect("dataset", slug)


@login_required
@require_POST
def withdraw_grant(request: SignedInRequest, slug: str) -> HttpResponse:
    found = dataset_or_404(request.user, slug)
    services.require_manager(request.user, found)
    grant = (
        found.grants.filter(project__slug=request.POST.get("project", "")).select_related("project").first()
    )
    if grant is None:
        raise Http404("This project has no grant here.")
    services.withdraw_grant(by=request.user, dataset=found, project=grant.project)
    messages.success(request, f"{grant.project.name} chooses no more studies here. Its cases stay.")
    return redirect("dataset", slug)


@login_required
@require_safe
def import_images(request: SignedInRequest, slug: str) -> HttpResponse:
    """The page that takes files; its script speaks to the API."""
    found = dataset_or_404(request.user, slug)
    permissions.require(request.user, "import_images", found)
    takes_images = found.deidentification != Dataset.Deidentification.UNDECLARED
    return render(request, "datasets/import.html", {"dataset": found, "takes_images": takes_images})


@login_required
@require_safe
def upload(request: SignedInRequest, slug: str, public_id: str) -> HttpResponse:
    """One delivery, with every file that was refused."""
    found = dataset_or_404(request.user, slug)
    permissions.require(request.user, "import_images", found)
    delivery = found.uploads.select_related("by").filter(public_id=public_id).first()
    if delivery is None:
        raise Http404("There is no such upload.")
    page = Paginator(delivery.findings.all(), FINDINGS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "datasets/upload.html", {"dataset": found, "upload": delivery, "page": page})
