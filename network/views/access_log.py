"""Who accessed what, when and why: as a page, a table, and DICOM audit messages."""

from collections.abc import Iterator

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_safe

from accounts import moments
from accounts.models import Organisation
from accounts.requests import SignedInRequest
from atlas.models import Dataset
from atlas.spreadsheets import csv_lines
from network.access import audit_messages, log, policies

COLUMNS = (
    "at", "who", "user name", "home node", "what", "dataset", "subject", "study", "series", "modality",
    "release", "why", "request", "mode",
)  # fmt: skip


class NarrowForm(forms.Form):
    person = forms.ChoiceField(required=False)
    dataset = forms.ChoiceField(required=False)
    what = forms.ChoiceField(required=False)
    since = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args, organisation: Organisation, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        people = [(one.public_id, one.display_name) for one in log.people_of(organisation)[:500]]
        datasets = Dataset.objects.filter(organisation=organisation).values_list("slug", "name")
        what = [(verb, gettext(words)) for verb, words in log.WHAT.items()]
        for name, everything, choices in (
            ("person", gettext_lazy("Everyone"), people),
            ("dataset", gettext_lazy("Every dataset"), list(datasets.order_by("name"))),
            ("what", gettext_lazy("Everything"), what),
        ):
            self.fields[name].choices = [("", everything), *choices]  # type: ignore[attr-defined]

    def wanted(self) -> log.Wanted:
        """What the form asks for. Call once it is valid."""
        sent = self.cleaned_data
        return log.Wanted(
            person=sent["person"],
            dataset=sent["dataset"],
            what=sent["what"],
            since=moments.midnight(sent["since"]),
            until=moments.midnight(sent["until"], days=1),
        )


@login_required
@require_safe
def accesses(request: SignedInRequest, slug: str) -> HttpResponse:
    organisation = _organisation_or_404(request, slug)
    form = NarrowForm(request.GET, organisation=organisation)
    page = log.Page([], None)
    before = moments.before(request)
    if form.is_valid():
        page = log.page_of(organisation, form.wanted(), before)
        log.record_use(request.user, organisation, "page")
    asked = request.GET.copy()
    asked.pop("before", None)
    context = {
        "organisation": organisation,
        "narrow": form,
        "is_narrowed": any(asked.get(name) for name in form.fields),
        "lines": page.lines,
        "older": page.older.isoformat() if page.older else None,
        "is_first": before is None,
        "query": asked.urlencode(),
    }
    return render(request, "access/log.html", context, status=200 if form.is_valid() else 400)


@login_required
@require_safe
def table(request: SignedInRequest, slug: str) -> HttpResponse | StreamingHttpResponse:
    """All lines that the filters leave, newest first; a refused filter is an error, never everything."""
    organisation = _organisation_or_404(request, slug)
    form = NarrowForm(request.GET, organisation=organisation)
    if not form.is_valid():
        return _refused(form)
    log.record_use(request.user, organisation, "csv")
    answer = StreamingHttpResponse(
        csv_lines(_rows(organisation, form.wanted())), content_type="text/csv; charset=utf-8"
    )
    return _kept_nowhere(answer, f"{slug}-accesses.csv")


@login_required
@require_safe
def messages(request: SignedInRequest, slug: str) -> HttpResponse | StreamingHttpResponse:
    """The same lines as audit messages, one XML document a line."""
    organisation = _organisation_or_404(request, slug)
    form = NarrowForm(request.GET, organisation=organisation)
    if not form.is_valid():
        return _refused(form)
    log.record_use(request.user, organisation, "messages")
    lines = audit_messages.messages(
        log.every_line(organisation, form.wanted()), site=organisation.name, source=settings.NODE_NAME
    )
    answer = StreamingHttpResponse(lines, content_type="text/plain; charset=utf-8")
    return _kept_nowhere(answer, f"{slug}-audit-messages.txt")


def _rows(organisation: Organisation, wanted: log.Wanted) -> Iterator[tuple[object, ...]]:
    yield COLUMNS
    for line in log.every_line(organisation, wanted):
        yield (
            line.at.isoformat(), line.who, line.user_name, line.node, line.what, line.dataset, line.subject,
            line.study_uid, line.series_uid, line.modality, line.release, line.why, line.request, line.mode,
        )  # fmt: skip


def _organisation_or_404(request: SignedInRequest, slug: str) -> Organisation:
    found = policies.organisations_of_log(request.user).filter(slug=slug).first()
    if found is None:
        raise Http404("There is no such organisation, or its log is not for you.")
    return found


def _refused(form: NarrowForm) -> HttpResponse:
    return HttpResponse(form.errors.as_text(), status=400, content_type="text/plain; charset=utf-8")


def _kept_nowhere(answer: StreamingHttpResponse, name: str) -> StreamingHttpResponse:
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
