"""Access, on the researcher's side: the cart, requests and their answers, what was granted."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.requests import SignedInRequest
from atlas.archive.storage import ObjectMissing
from network.access import asking, cart, documents, policies, shown, terms
from network.access.forms import MODE_WORDS, DocumentForm, RequestForm, TextForm, use_terms_of
from network.models import AccessDocument, AccessPart, AccessRequest, Listing


@login_required
@require_safe
def access(request: SignedInRequest) -> HttpResponse:
    """What this person asked for and may use."""
    found = policies.own_requests(request.user)
    context = {
        "cart": cart.cart_of(request.user),
        "requests": shown.of_requests(found.exclude(sent_at=None)),
        "grants": shown.grants_of(request.user),
        "answers_for": policies.committee_organisations(request.user).exists(),
    }
    return render(request, "access/index.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def add(request: SignedInRequest, slug: str) -> HttpResponse:
    """Put a dataset of the catalogue into the cart."""
    listing = (
        Listing.objects.filter(slug=slug, is_listed=True).select_related("dataset__organisation").first()
    )
    if listing is None:
        raise Http404("There is no such dataset in the catalogue.")
    modes = cart.modes_of(listing)
    if request.method == "POST":
        try:
            made = cart.add(by=request.user, listing=listing, mode=request.POST.get("mode", modes[0]))
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, gettext("“%s” is in your request.") % listing.title)
            return redirect("access-request", made.public_id)
    choices = [(mode.value, MODE_WORDS[mode]) for mode in modes]
    return render(request, "access/add.html", {"listing": listing, "modes": choices})


@login_required
@require_http_methods(["GET", "POST"])
def one_request(request: SignedInRequest, public_id: str) -> HttpResponse:
    """A draft to be written, or a request with the answers of its committees."""
    found = policies.own_request_or_404(request.user, public_id)
    if found.sent_at is None and found.withdrawn_at is None:
        return _draft(request, found)
    if request.method == "POST":  # a second click on "Send"
        return redirect("access-request", public_id)
    return _sent(request, found)


def _draft(request: SignedInRequest, found: AccessRequest) -> HttpResponse:
    form = RequestForm(
        request.POST or None,
        initial={"title": found.title, "affiliation": found.affiliation, "purpose": found.purpose},
    )
    problems: dict[str, list[str]] = {}
    chosen = set(found.use_terms)
    if request.method == "POST":
        chosen = set(use_terms_of(request.POST))
        if form.is_valid():
            problems = _save(request, found, form)
            if not problems:
                return redirect("access-request", found.public_id)
    context = {
        "request_": found,
        "form": form,
        "problems": problems,
        "items": shown.items_of_draft(found),
        "modes": MODE_WORDS,
        "research": [(term, term.key in chosen) for term in terms.RESEARCH],
        "accepted": [(term, term.key in chosen) for term in terms.ACCEPTED],
        "documents": found.documents.all(),
        "document_form": DocumentForm(),
        "committees": found.parts.select_related("node"),
    }
    return render(request, "access/draft.html", context, status=422 if problems else 200)


def _save(request: SignedInRequest, found: AccessRequest, form: RequestForm) -> dict[str, list[str]]:
    """Keeps what was written, and sends it where that was asked. Returns sentences by field."""
    modes = {key[5:]: value for key, value in request.POST.items() if key.startswith("mode-")}
    try:
        cart.describe(
            by=request.user, request=found, use_terms=use_terms_of(request.POST), modes=modes,  # type: ignore[arg-type]
            **form.cleaned_data,
        )  # fmt: skip
        if request.POST.get("deed") == "send":
            asking.send(by=request.user, request=found)
            messages.success(request, gettext("Your request is with the committees. You get a letter."))
        else:
            messages.success(request, gettext("Kept. Nobody but you sees it until you send it."))
    except ValidationError as error:
        found.refresh_from_db()
        return error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
    return {}


def _sent(request: SignedInRequest, found: AccessRequest) -> HttpResponse:
    context = {"shown": shown.of_requests([found])[0], "answer_form": TextForm()}
    return render(request, "access/request.html", context)


@login_required
@require_POST
def withdraw(request: SignedInRequest, public_id: str) -> HttpResponse:
    found = policies.own_request_or_404(request.user, public_id)
    asking.withdraw(by=request.user, request=found)
    messages.success(request, gettext("The request is withdrawn. Nothing of it is open any more."))
    return redirect("access")


@login_required
@require_POST
def change(request: SignedInRequest, public_id: str, what: str) -> HttpResponse:
    """Does one thing of CHANGES to a draft, or says why not."""
    found = policies.own_request_or_404(request.user, public_id)
    _told(request, lambda by: CHANGES[what](by, found, request))
    return redirect("access-request", public_id)


def _remove(by: User, draft: AccessRequest, request: SignedInRequest) -> None:
    cart.remove(by=by, request=draft, listing_id=request.POST.get("listing", "")[:40])


def _attach(by: User, draft: AccessRequest, request: SignedInRequest) -> None:
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        raise ValidationError(gettext("Choose a file first."))
    documents.attach(by=by, request=draft, file=file)


def _detach(by: User, draft: AccessRequest, request: SignedInRequest) -> None:
    documents.detach(by=by, request=draft, public_id=request.POST.get("document", "")[:40])


CHANGES = {"remove": _remove, "attach": _attach, "detach": _detach}
"""What is done to a draft beside its form."""


@login_required
@require_safe
def document(request: SignedInRequest, public_id: str) -> HttpResponse:
    """The file, to be kept: never shown by the browser, whatever it holds."""
    requests = AccessRequest.objects.filter(policies.requests_of_documents(request.user))
    found = AccessDocument.objects.filter(public_id=public_id, request__in=requests.values("pk")).first()
    if found is None or not found.object_key:
        raise Http404("There is no such document, or it is not for you.")
    try:
        content = documents.content_of(found)
    except ObjectMissing as error:
        raise Http404("This document is lost. Tell the administrator of this node.") from error
    answer = HttpResponse(content, content_type="application/octet-stream")
    answer.headers["Content-Disposition"] = documents.disposition(found.name)
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


@login_required
@require_POST
def act(request: SignedInRequest, public_id: str, what: str) -> HttpResponse:
    """Does one thing of ACTS about a part that was sent, or says why not."""
    part = _own_part(request, public_id)
    deed, done = ACTS[what]
    if _told(request, lambda by: deed(by, part, request)):
        messages.success(request, gettext(done))
    return redirect("access-request", part.request.public_id)


def _answer(by: User, part: AccessPart, request: SignedInRequest) -> None:
    asking.answer(by=by, part=part, text=request.POST.get("text", ""))


def _agree(by: User, part: AccessPart, request: SignedInRequest) -> None:
    if request.POST.get("accept") != "yes":
        raise ValidationError(gettext("Tick that you accept the agreement."))
    asking.agree(by=by, part=part, sha256=request.POST.get("sha256", "")[:64])


def _send_again(by: User, part: AccessPart, request: SignedInRequest) -> None:
    asking.send_again(by=by, part=part)


def _drop(by: User, part: AccessPart, request: SignedInRequest) -> None:
    asking.drop(by=by, part=part)


ACTS: dict[str, tuple[Callable[[User, AccessPart, SignedInRequest], None], str]] = {
    "answer": (_answer, _("Your answer is with the committee.")),
    "agree": (_agree, _("You accepted the agreement. Access opens at once.")),
    "send": (_send_again, _("Sent again. If its node refuses it once more, you get a letter.")),
    "drop": (_drop, _("Given up. The other parts of your request go on.")),
}
"""What its researcher does about a part, and what they are told then."""


def _own_part(request: SignedInRequest, public_id: str) -> AccessPart:
    parts = AccessPart.objects.filter(request__in=policies.own_requests(request.user).values("pk"))
    found = parts.select_related("request").filter(public_id=public_id).first()
    if found is None:
        raise Http404("There is no such request, or it is not yours.")
    return found


def _told(request: SignedInRequest, deed: Callable[[User], object]) -> bool:
    """Does it, or says why not."""
    try:
        deed(request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return False
    return True
