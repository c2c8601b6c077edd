"""The audit trail of a project: a page in words, and the same lines as a table."""

from collections.abc import Iterator

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_safe

from accounts import audit, moments
from accounts.models import User
from accounts.requests import SignedInRequest
from annotations.reading.trail import records, telling
from annotations.reading.trail.sentences import TITLES, Kind
from annotations.views.frame import OpenProject, open_project, show
from atlas.spreadsheets import csv_lines

audit.register("audit.exported")

CASE_MAX = 2**31 - 1
ROWS_AT_ONCE = 500
COLUMNS = ("at", "who", "what", "case", "read of", "read", "verb")


class NarrowForm(forms.Form):
    person = forms.ChoiceField(required=False)
    kind = forms.ChoiceField(required=False)
    case = forms.IntegerField(required=False, min_value=1, max_value=CASE_MAX)
    since = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args, people: list[User], **kwargs) -> None:
        super().__init__(*args, **kwargs)
        everyone = [("", gettext_lazy("Everyone"))]
        self.people = {person.public_id: person for person in people}
        named = [(public_id, person.display_name) for public_id, person in self.people.items()]
        self.fields["person"].choices = [*everyone, *named]  # type: ignore[attr-defined]
        kinds = [(kind.value, gettext(title)) for kind, title in TITLES.items()]
        self.fields["kind"].choices = [("", gettext_lazy("Everything")), *kinds]  # type: ignore[attr-defined]

    def wanted(self) -> records.Wanted:
        """What the form asks for. Call once it is valid."""
        sent = self.cleaned_data
        return records.Wanted(
            person=self.people.get(sent["person"]),
            kind=Kind(sent["kind"]) if sent["kind"] else None,
            case=sent["case"],
            since=moments.midnight(sent["since"]),
            until=moments.midnight(sent["until"], days=1),
        )


@login_required
@require_safe
def trail(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "manage_project")
    form = _form(request, opened)
    page = records.Page([], None)
    if form.is_valid():
        found = records.records_for(request.user, opened.project, form.wanted(), people=form.people.values())
        page = records.page_of(found, moments.before(request))
    asked = request.GET.copy()
    asked.pop("before", None)
    is_narrowed = any(asked.get(name) for name in form.fields)
    return show(
        request,
        opened,
        "project-audit",
        "projects/audit.html",
        narrow=form,
        is_narrowed=is_narrowed,
        lines=telling.lines_of(page.records, opened.project),
        older=page.older.isoformat() if page.older else None,
        is_first=moments.before(request) is None,
        query=asked.urlencode(),
    )


@login_required
@require_safe
def trail_csv(request: SignedInRequest, slug: str) -> HttpResponse | StreamingHttpResponse:
    """All lines that the filters leave, newest first; a refused filter is an error, never everything."""
    opened = open_project(request, slug, "manage_project")
    form = _form(request, opened)
    if not form.is_valid():
        return HttpResponse(form.errors.as_text(), status=400, content_type="text/plain; charset=utf-8")
    found = records.records_for(request.user, opened.project, form.wanted(), people=form.people.values())
    audit.record(request.user, "audit.exported", opened.project)
    answer = StreamingHttpResponse(csv_lines(_rows(found, opened)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{slug}-audit.csv"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def _rows(found: records.Records, opened: OpenProject) -> Iterator[tuple[object, ...]]:
    yield COLUMNS
    page = records.page_of(found, None, ROWS_AT_ONCE)
    while page.records:
        for line in telling.lines_of(page.records, opened.project):
            read = line.read.public_id if line.read else ""
            yield (line.at.isoformat(), line.who, line.what, line.case or "", line.read_of, read, line.verb)
        if page.older is None:
            break
        page = records.page_of(found, page.older, ROWS_AT_ONCE)


def _form(request: SignedInRequest, opened: OpenProject) -> NarrowForm:
    return NarrowForm(request.GET, people=records.actors_of(request.user, opened.project))
