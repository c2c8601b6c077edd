"""The vault of an organisation: off until a manager turns it on, opened by its keeper only, off this node."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import permissions
from accounts.models import AuditRecord, Organisation, User
from accounts.policies import organisation_or_404
from accounts.requests import SignedInRequest
from atlas.archive import vault as services
from atlas.forms import VaultForm
from atlas.models import Dataset, Vault

TRAIL_LENGTH = 20
TRAIL = {"vault.turned_on": "turned it on", "vault.exported": "exported it"}


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def vault(request: SignedInRequest, slug: str) -> HttpResponse:
    organisation = organisation_or_404(request.user, slug)
    may_manage = permissions.allows(request.user, "manage_organisation", organisation)
    may_open = permissions.allows(request.user, "open_vault", organisation)
    if not may_manage:
        permissions.require(request.user, "open_vault", organisation)
    form = VaultForm(request.POST or None)
    if request.method == "POST":
        permissions.require(request.user, "manage_organisation", organisation)
        if form.is_valid():
            try:
                services.turn_on(by=request.user, organisation=organisation, **form.cleaned_data)
            except ValidationError as error:
                form.add_error(None, error)
            else:
                messages.success(request, gettext("The vault is on, for images that arrive from now on."))
                return redirect("organisation-vault", slug)
    found = Vault.objects.filter(organisation=organisation).select_related("turned_on_by").first()
    here = organisation.datasets.filter(deidentification=Dataset.Deidentification.AT_THE_DOOR)
    context = {
        "organisation": organisation,
        "vault": found,
        "entries": found.entries.count() if found else 0,
        "form": form,
        "may_manage": may_manage,
        "may_open": may_open,
        "keepers": _keepers(organisation),
        "has_images": here.filter(studies__isnull=False).exists(),
        "trail": _trail(organisation),
    }
    return render(request, "organisations/vault.html", context)


def _keepers(organisation: Organisation) -> list[User]:
    return list(permissions.holders_of("open_vault", organisation))


def _trail(organisation: Organisation) -> list[tuple[AuditRecord, str]]:
    records = AuditRecord.objects.filter(
        object_type="organisation", object_id=organisation.pk, verb__in=TRAIL
    ).select_related("actor")
    return [(record, TRAIL[record.verb]) for record in records[:TRAIL_LENGTH]]


@login_required
@require_POST
def export(request: SignedInRequest, slug: str) -> StreamingHttpResponse:
    """Every entry, still sealed: only who holds the private key can open the file, and not here."""
    organisation = organisation_or_404(request.user, slug)
    lines = services.export(by=request.user, organisation=organisation)
    name = f"vault-{organisation.slug}-{timezone.localdate():%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )
