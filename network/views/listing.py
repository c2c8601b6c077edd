"""A dataset's place in the catalogue: what a manager of its organisation says of it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.requests import SignedInRequest
from atlas import datasets as services
from network import listing_form, listings
from network.dcat import terms
from network.dcat.describing import Description
from network.dcat.summary import counted_lines
from network.models import Listing


@login_required
@require_http_methods(["GET", "POST"])
def listing(request: SignedInRequest, slug: str) -> HttpResponse:
    dataset = services.dataset_or_404(request.user, slug)
    services.require_manager(request.user, dataset)
    known = Listing.objects.filter(dataset=dataset).first()
    sent = request.POST if request.method == "POST" else None
    form = listing_form.ListingForm(sent, initial=listing_form.initial(known))
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            listings.set_terms(
                request.user,
                dataset,
                is_listed=said["is_listed"],
                access=said["access"],
                answers=said["answers"],
                shows_pictures=said["shows_pictures"],
                terms=said["terms"],
            )
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, gettext("The catalogue has it."))
            return redirect("dataset-catalogue", dataset.slug)
    context = {
        "dataset": dataset,
        "listing": known,
        "form": form,
        "is_shown": known is not None and known.is_listed and known.published_at is not None,
        "missing": terms.missing(known.terms if known else {}),
        "counted": counted_lines(Description.here(known)) if known and known.version else [],
    }
    return render(request, "datasets/catalogue.html", context, status=400 if form.errors else 200)
