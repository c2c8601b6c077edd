"""The cases of a project: the table, choosing studies, and handing cases to readers."""

from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.requests import SignedInRequest
from annotations.models import Case, Read
from annotations.reading import assignment, casebook, cases, overview, schemas
from annotations.views.frame import (
    OpenProject,
    carried_out,
    open_project,
    page_of,
    sentence,
    show,
)
from atlas.models import Dataset, Project, Series, Study, Subject

WAYS = [("each", "Each of them reads each case"), ("share", "Shared out evenly")]
ROWS_A_PAGE = 50
SUBJECTS_A_PAGE = 50


# The table --------------------------------------------------------------------------------------


class FilterForm(forms.Form):
    text = forms.CharField(required=False, max_length=64)
    state = forms.ChoiceField(required=False)
    reader = forms.ChoiceField(required=False)
    late = forms.BooleanField(required=False)
    findings = forms.BooleanField(required=False)

    def __init__(self, *args, readers: list[User], may_manage: bool, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        states = [(str(state), state.label) for state in overview.ORDER]
        if may_manage:
            states.insert(0, (overview.UNASSIGNED, "Unassigned"))
        else:  # who reviews knows of what was handed in
            states = states[overview.ORDER.index(Read.State.SUBMITTED) :]
        people = [(person.public_id, person.display_name) for person in readers]
        self.fields["state"].choices = [("", "Any state"), *states]  # type: ignore[attr-defined]
        self.fields["reader"].choices = [("", "Any reader"), *people]  # type: ignore[attr-defined]


class AssignForm(forms.Form):
    readers = forms.ModelMultipleChoiceField(
        User.objects.none(),
        to_field_name="public_id",
        error_messages={"required": "Choose at least one reader."},
    )
    way = forms.ChoiceField(choices=WAYS, initial="each")
    readers_per_case = forms.IntegerField(required=False, min_value=1, initial=1)
    due = forms.DateField(required=False)

    def __init__(self, *args, opened: OpenProject, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["readers"].queryset = assignment.possible_readers(opened.project)  # type: ignore[attr-defined]

    def clean(self):
        found = super().clean() or {}
        if found.get("way") == "share" and not found.get("readers_per_case"):
            self.add_error("readers_per_case", "Say how many readers each case gets.")
        return found


@login_required
@require_safe
def case_table(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "review_cases")
    return _table(request, opened, AssignForm(opened=opened))


def _table(
    request: SignedInRequest, opened: OpenProject, form: AssignForm, status: int = 200
) -> HttpResponse:
    project = opened.project
    readers = list(assignment.possible_readers(project))
    narrow = FilterForm(request.GET, readers=readers, may_manage=opened.may_manage)
    refused = [] if narrow.is_valid() else [f"{name}: {errors[0]}" for name, errors in narrow.errors.items()]
    found = Case.objects.none() if refused else casebook.cases_of(request.user, project, _filter(narrow))
    page = page_of(request, found.prefetch_related(casebook.with_images()), ROWS_A_PAGE)
    load = assignment.open_reads_by_reader(project) if opened.may_manage else {}
    return show(
        request,
        opened,
        "project-cases",
        "projects/cases.html",
        status=status,
        page=page,
        rows=casebook.case_rows(request.user, page.object_list, project),
        narrow=narrow,
        refused=refused,
        is_narrowed=any(request.GET.get(name) for name in FilterForm.base_fields),
        query=_without_page(request.GET),
        readers=[(person, load.get(person.pk, 0)) for person in readers],
        form=form,
        chosen_numbers={int(n) for n in request.POST.getlist("case") if n.isdecimal()},
        chosen_readers=request.POST.getlist("readers"),
        has_labels=schemas.current_schema(project) is not None,
    )


def _filter(form: FilterForm) -> casebook.CaseFilter:
    return casebook.CaseFilter(**form.cleaned_data)


def _without_page(query: QueryDict) -> str:
    return urlencode([(name, value) for name, value in query.items() if name != "page" and value])


@login_required
@require_POST
def cases_assign(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "manage_project")
    project = opened.project
    form = AssignForm(request.POST, opened=opened)
    asked = request.POST.getlist("case")
    numbers = [int(number) for number in asked if number.isdecimal() and len(number) < 10]
    chosen = list(Case.objects.filter(project=project, number__in=numbers).order_by("number"))
    if form.is_valid():
        readers, due = list(form.cleaned_data["readers"]), form.cleaned_data["due"]
        common = {"by": request.user, "project": project, "cases": chosen, "readers": readers, "due": due}
        if form.cleaned_data["way"] == "share":
            each = form.cleaned_data["readers_per_case"]
            done = carried_out(form, lambda: assignment.assign_balanced(**common, readers_per_case=each))
        else:
            done = carried_out(form, lambda: assignment.assign(**common))
        if done is not None:
            messages.success(request, _told(done))
            return redirect(_back(request, slug))
    return _table(request, opened, form, status=400)


def _told(done: assignment.Assigned) -> str:
    parts = [f"{done.made:,} read{'' if done.made == 1 else 's'} assigned."]
    if done.there:
        parts.append(f"{done.there:,} {'was' if done.there == 1 else 'were'} there before.")
    if done.not_blind:
        parts.append(f"{done.not_blind:,} left out: the reader has seen another reader's marks on the case.")
    if done.short:
        parts.append(f"{done.short:,} case{'' if done.short == 1 else 's'} found too few readers.")
    return " ".join(parts)


def _back(request: SignedInRequest, slug: str) -> str:
    """The table as it was narrowed before; only its query is taken from the form, never an address."""
    query = QueryDict(request.POST.get("query", ""))
    known = [(name, value) for name, value in query.items() if name in (*FilterForm.base_fields, "page")]
    return reverse("project-cases", args=[slug]) + (f"?{urlencode(known)}" if known else "")


@login_required
@require_POST
def read_unassign(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "manage_project")
    try:
        assignment.unassign(by=request.user, project=opened.project, read_id=request.POST.get("read", ""))
    except ValidationError as refusal:
        messages.error(request, sentence(refusal))
    else:
        messages.success(request, gettext("The read was taken back."))
    return redirect(_back(request, slug))


# Choosing studies -------------------------------------------------------------------------------


class ChooseForm(forms.Form):
    dataset = forms.ModelChoiceField(
        Dataset.objects.none(), required=False, to_field_name="slug", empty_label="All granted datasets"
    )
    modality = forms.ChoiceField(required=False)
    text = forms.CharField(required=False, max_length=64)

    def __init__(self, *args, opened: OpenProject, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        found = [(modality, modality) for modality in cases.modalities(opened.project)]
        self.fields["dataset"].queryset = cases.granted_datasets(opened.project)  # type: ignore[attr-defined]
        self.fields["modality"].choices = [("", "Any modality"), *found]  # type: ignore[attr-defined]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def cases_add(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "manage_project")
    project = opened.project
    narrow = ChooseForm(request.GET, opened=opened)
    refused = [] if narrow.is_valid() else [f"{name}: {errors[0]}" for name, errors in narrow.errors.items()]
    free = Study.objects.none() if refused else cases.free_studies(project, **narrow.cleaned_data)
    problems: list[str] = list(refused)
    if request.method == "POST" and not refused:
        try:
            study_ids = _chosen(request.POST, project, free)
            done = cases.add_cases(by=request.user, project=project, study_ids=study_ids)
        except ValidationError as refusal:
            problems = list(refusal.messages)
        else:
            (messages.success if done.cases else messages.warning)(request, _added(done))
            return redirect("project-cases", slug)
    subjects = Subject.objects.filter(pk__in=free.values("subject")).order_by("pseudonym", "pk")
    shown = Series.objects.filter(frame_count__gt=0)
    subjects = subjects.prefetch_related(
        Prefetch(
            "studies",
            queryset=free.order_by("date", "time", "id").prefetch_related(Prefetch("series", queryset=shown)),
            to_attr="free_studies",
        )
    )
    return show(
        request,
        opened,
        "project-cases",
        "projects/cases_add.html",
        status=400 if problems else 200,
        narrow=narrow,
        problems=problems,
        page=page_of(request, subjects, SUBJECTS_A_PAGE),
        studies_total=free.count(),
        held_total=cases.held_studies(project).count(),
        datasets=list(cases.granted_datasets(project)),
        is_narrowed=any(request.GET.get(name) for name in ChooseForm.base_fields),
        query=_without_page(request.GET),
    )


def _chosen(form: QueryDict, project: Project, free: QuerySet[Study]) -> list[int]:
    """The studies ticked, or all that match where the form says how many that were when it was shown."""
    if form.get("which") != "all":
        ids = form.getlist("study")
        granted = cases.studies_of_granted_datasets(project).filter(public_id__in=ids)
        found = list(granted.values_list("pk", flat=True))
        if len(found) < len(set(ids)):
            raise ValidationError("A chosen study is not open to this project any more. Nothing was added.")
        return found
    found = list(free.values_list("pk", flat=True))
    if form.get("expected") != str(len(found)):
        raise ValidationError(
            f"The studies that match have changed meanwhile: now there are {len(found):,}. "
            "Nothing was added; look again."
        )
    return found


def _added(done: cases.Added) -> str:
    parts = []
    if done.cases:
        n, first, last = len(done.cases), done.cases[0].number, done.cases[-1].number
        which = f"case {first}" if n == 1 else f"{n:,} cases, {first} to {last},"
        parts.append(f"Added {which} with {done.studies:,} stud{'y' if done.studies == 1 else 'ies'}.")
    if done.there:
        parts.append(f"{done.there:,} stud{'y was' if done.there == 1 else 'ies were'} in a case already.")
    return " ".join(parts)
