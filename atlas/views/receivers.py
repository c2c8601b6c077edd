"""The AE titles of a dataset: which it answers to, and who may send."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts import permissions
from accounts.requests import SignedInRequest
from atlas.archive import receivers as services
from atlas.datasets import dataset_or_404, require_manager
from atlas.forms import ReceiverForm
from atlas.models import Dataset, Receiver


@login_required
@require_http_methods(["GET", "POST"])
def receivers(request: SignedInRequest, slug: str) -> HttpResponse:
    found = dataset_or_404(request.user, slug)
    permissions.require(request.user, "import_images", found)
    form = ReceiverForm(request.POST or None)
    if request.method == "POST":
        require_manager(request.user, found)
        if form.is_valid():
            try:
                made = services.open_receiver(
                    by=request.user,
                    dataset=found,
                    called=form.cleaned_data["called"],
                    calling=form.cleaned_data["calling"].splitlines(),
                )
            except ValidationError as error:
                form.add_error(None, error)
            else:
                messages.success(request, f"The dataset answers to {made.called_ae_title}.")
                return redirect("dataset-receivers", slug)
    return _page(request, found, form)


def _page(request: SignedInRequest, dataset: Dataset, form: ReceiverForm) -> HttpResponse:
    context = {
        "dataset": dataset,
        "receivers": dataset.receivers.all(),
        "form": form,
        "may_manage": permissions.allows(request.user, "manage_organisation", dataset.organisation),
        "takes_images": dataset.deidentification != Dataset.Deidentification.UNDECLARED,
    }
    return render(request, "datasets/receivers.html", context)


@login_required
@require_POST
def change_receiver(request: SignedInRequest, slug: str) -> HttpResponse:
    """Other senders for an AE title, or none any more: it is closed."""
    found = dataset_or_404(request.user, slug)
    permissions.require(request.user, "import_images", found)
    require_manager(request.user, found)
    receiver = found.receivers.filter(called_ae_title=request.POST.get("called", "")).first()
    if receiver is None:
        raise Http404("This dataset has no such AE title.")
    try:
        messages.success(request, _done(request, receiver))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("dataset-receivers", slug)


def _done(request: SignedInRequest, receiver: Receiver) -> str:
    title = receiver.called_ae_title
    if request.POST.get("deed") == "close":
        services.close_receiver(by=request.user, receiver=receiver)
        return f"The node answers to {title} no more. What came through it stays."
    senders = request.POST.get("calling", "").splitlines()
    services.change_senders(by=request.user, receiver=receiver, calling=senders)
    return f"{title} accepts these senders now."
