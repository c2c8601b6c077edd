"""The cases of a project: the table, and choosing studies."""

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
from annotations.reading.assignment import bulk, judges
from annotations.views.act_form import TITLES, WAYS, ActForm, told
from annotations.views.frame import (
    OpenProject,
    open_project,
    page_of,
    sentence,
    show,
)
from atlas.models import Dataset, Project, Series, Study, Subject

ROWS_A_PAGE = 50
ACTS_SHOWN = 5
SUBJECTS_A_PAGE = 50


# The table --------------------------------------------------------------------------------------


class FilterForm(forms.Form):
    text = forms.CharField(required=False, max_length=64)
    state = forms.ChoiceField(required=False)
    reader = forms.ChoiceField(required=False)
    modality = forms.ChoiceField(required=False)
    purpose = forms.ChoiceField(required=False)
    late = forms.BooleanField(required=False)
    findings = forms.BooleanField(required=False)

    def __init__(self, *args, readers: list[User], modalities: list[str], may_manage: bool, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        states = [(str(state), state.label) for state in overview.ORDER]
        if may_manage:
            states.insert(0, (overview.UNASSIGNED, "Unassigned"))
        else:  # who reviews knows of what was handed in
            states = states[overview.ORDER.index(Read.State.SUBMITTED) :]
        people = [(person.public_id, person.display_name) for person in readers]
        self.fields["state"].choices = [("", "Any state"), *states]  # type: ignore[attr-defined]
        self.fields["reader"].choices = [("", "Any reader"), *people]  # type: ignore[attr-defined]
        found = [(modality, modality) for modality in modalities]
        self.fields["modality"].choices = [("", "Any modality"), *found]  # type: ignore[attr-defined]
        if may_manage:
            purposes = [("", "Any purpose"), *Case.Purpose.choices]
            self.fields["purpose"].choices = purposes  # type: ignore[attr-defined]
        else:  # who reviews isn't told which cases are hidden references
            del self.fields["purpose"]


@login_required
@require_safe
def case_table(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "review_cases")
    return show_cases(request, opened)


def show_cases(
    request: SignedInRequest, opened: OpenProject, form: ActForm | None = None, status: int = 200
) -> HttpResponse:
    project, user = opened.project, request.user
    readers = list(assignment.possible_readers(project))
    # A form that was refused is shown above the list that it was sent from.
    narrowed = request.GET if request.method != "POST" else QueryDict(request.POST.get("query", ""))
    narrow = _filter_form(opened, narrowed, readers)
    refused = [] if narrow.is_valid() else [f"{name}: {errors[0]}" for name, errors in narrow.errors.items()]
    found = Case.objects.none() if refused else casebook.cases_of(user, project, _filter(narrow))
    page = page_of(request, found.prefetch_related(casebook.with_images()), ROWS_A_PAGE)
    adjudicators = judges.possible_adjudicators(project) if opened.may_manage else []
    judging = judges.open_adjudications_by_person(project) if opened.may_manage else {}
    load = assignment.open_reads_by_reader(project, user) if opened.may_manage else {}
    acts = bulk.actions_shown(user, project, ACTS_SHOWN) if opened.may_manage else []
    return show(
        request,
        opened,
        "project-cases",
        "projects/cases.html",
        status=status,
        page=page,
        rows=casebook.case_rows(user, page.object_list, project),
        narrow=narrow,
        refused=refused,
        is_narrowed=any(narrowed.get(name) for name in FilterForm.base_fields),
        query=_without_page(narrowed),
        readers=[(person, load.get(person.pk, 0)) for person in readers],
        adjudicators=[(person, judging.get(person.pk, 0)) for person in adjudicators],
        form=form or ActForm(readers=readers, adjudicators=adjudicators),
        ways=WAYS,
        acts=[(act, TITLES.get(act.kind, act.kind), told(act)) for act in acts],
        chosen_numbers={int(n) for n in request.POST.getlist("case") if n.isdecimal()},
        chosen_readers=request.POST.getlist("readers"),
        chosen_adjudicators=request.POST.getlist("adjudicators"),
        has_labels=schemas.current_schema(project) is not None,
    )


def case_filter(
    request: SignedInRequest, opened: OpenProject, query: QueryDict
) -> casebook.CaseFilter | None:
    """What a query narrows the list to; None where it makes no sense."""
    form = _filter_form(opened, query, list(assignment.possible_readers(opened.project)))
    return _filter(form) if form.is_valid() else None


def _filter_form(opened: OpenProject, query: QueryDict, readers: list[User]) -> FilterForm:
    known = casebook.modalities_of(opened.project)
    return FilterForm(query, readers=readers, modalities=known, may_manage=opened.may_manage)


def _filter(form: FilterForm) -> casebook.CaseFilter:
    return casebook.CaseFilter(**form.cleaned_data)


def _without_page(query: QueryDict) -> str:
    return urlencode([(name, value) for name, value in query.items() if name != "page" and value])


def address_of(request: SignedInRequest, slug: str) -> str:
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
    return redirect(address_of(request, slug))


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
