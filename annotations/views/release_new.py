"""Freezing a release: one form in four steps, and beside it what it would give now."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Organisation
from accounts.requests import SignedInRequest
from annotations.cohort import releases, splits, summary
from annotations.cohort.choosing import Choice
from annotations.cohort.formats import FORMATS
from annotations.models import Release
from annotations.views import release_query
from annotations.views.frame import OpenProject, carried_out, open_project, show
from annotations.views.release_split import part_name, short_name
from atlas.models import Project

TAB = "project-releases"
TEXT_LENGTH_MAX = 20_000

# By field: value, what stands beside the button, and what it means.
CHOICES: dict[str, tuple[tuple[str, Any, Any], ...]] = {
    "content": (
        (
            "reference",
            gettext_lazy("The reference standard"),
            gettext_lazy("Of a case without one, its accepted read. One set of marks a case."),
        ),
        (
            "readers",
            gettext_lazy("Every reader"),
            gettext_lazy("The accepted marks of each, under a letter. To study how readers differ."),
        ),
        ("both", gettext_lazy("Both"), gettext_lazy("The reference standard, and beside it every reader's.")),
    ),
    "split": (
        ("", gettext_lazy("Not at all"), gettext_lazy("Whoever uses it decides.")),
        ("parts", gettext_lazy("Train, validation, test"), gettext_lazy("By shares of the subjects.")),
        ("folds", gettext_lazy("Folds"), gettext_lazy("Each validates once, when the others train.")),
    ),
    "sequestered": (
        ("nothing", gettext_lazy("Nothing"), gettext_lazy("All of it can be downloaded.")),
        (
            "marks",
            gettext_lazy("Marks of the test part"),
            gettext_lazy("They get its images and hand in predictions."),
        ),
        ("all", gettext_lazy("All of the test part"), gettext_lazy("Neither its images nor its marks.")),
    ),
}
STRATIFY = (("site", gettext_lazy("by hospital")), ("label", gettext_lazy("by the labels that are present")))


def _text(label: Any, help_text: Any, rows: int = 3) -> forms.CharField:
    return forms.CharField(
        required=False,
        label=label,
        max_length=TEXT_LENGTH_MAX,
        widget=forms.Textarea(attrs={"rows": rows}),
        help_text=help_text,
    )


class FreezeForm(forms.Form):
    """What is sent, as a `Choice`; the services judge it."""

    cohort = forms.CharField(required=False, max_length=TEXT_LENGTH_MAX)
    content = forms.ChoiceField(choices=Release.Content.choices)
    formats = forms.MultipleChoiceField(
        error_messages={"required": gettext_lazy("Choose at least one format.")}
    )
    split = forms.ChoiceField(required=False, choices=[("", ""), *splits.KINDS.items()])
    train = forms.IntegerField(required=False)
    validation = forms.IntegerField(required=False)
    test = forms.IntegerField(required=False)
    folds = forms.IntegerField(required=False)
    fold_test = forms.IntegerField(required=False)
    seed = forms.CharField(required=False, max_length=splits.SEED_LENGTH_MAX)
    stratify = forms.MultipleChoiceField(required=False, choices=STRATIFY)
    held_out_sites = forms.MultipleChoiceField(required=False)
    sequestered = forms.ChoiceField(choices=Release.Sequestered.choices)
    title = forms.CharField(
        required=False,
        max_length=200,
        label=gettext_lazy("Title"),
        help_text=gettext_lazy("What this release is for, in a few words."),
    )
    licence = forms.CharField(
        required=False,
        max_length=80,
        label=gettext_lazy("Licence"),
        help_text=gettext_lazy("As the datasets of its cases allow; for instance CC BY 4.0."),
    )
    purpose = _text(
        gettext_lazy("Purpose"), gettext_lazy("What it is made for, and what it isn't; in its data card.")
    )
    agreement = _text(
        gettext_lazy("Data use agreement"),
        gettext_lazy("Whoever downloads accepts it first, and the text they accepted is kept."),
        rows=5,
    )
    citation = forms.CharField(
        required=False,
        max_length=1000,
        label=gettext_lazy("Citation"),
        help_text=gettext_lazy("How to cite it; without, project, release and year."),
    )
    changelog = _text(
        gettext_lazy("What changed"),
        gettext_lazy("Since the release before, in your words. Counts are added by themselves."),
    )

    INITIAL = {
        "content": Release.Content.REFERENCE,
        "formats": list(FORMATS),
        "split": "",
        "train": 70,
        "validation": 15,
        "test": 15,
        "folds": 5,
        "fold_test": 0,
        "seed": "1",
        "stratify": list(splits.STRATIFY),
        "held_out_sites": [],
        "sequestered": Release.Sequestered.NOTHING,
    }

    def __init__(self, *args: Any, sites: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cohort_problem: ValidationError | None = None
        self.problem_query = ""
        self.fields["formats"].choices = [(key, key) for key in FORMATS]  # type: ignore[attr-defined]
        self.fields["held_out_sites"].choices = sites  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        cleaned["design"] = None
        if cleaned.get("split") and not self.errors:
            try:
                cleaned["design"] = self._design(cleaned)
            except splits.SplitError as error:
                is_seed = not cleaned["seed"]
                field = "seed" if is_seed else "train" if cleaned["split"] == "parts" else "folds"
                self.add_error(field, str(error))
        elif not cleaned.get("split"):
            cleaned["sequestered"] = Release.Sequestered.NOTHING  # its question isn't asked then
        return cleaned

    @staticmethod
    def _design(cleaned: dict[str, Any]) -> splits.Design:
        """Raises SplitError."""
        is_parts = cleaned["split"] == "parts"
        return splits.Design(
            kind=cleaned["split"],
            train=(cleaned["train"] or 0) if is_parts else 0,
            validation=(cleaned["validation"] or 0) if is_parts else 0,
            test=(cleaned["test" if is_parts else "fold_test"]) or 0,
            folds=0 if is_parts else cleaned["folds"] or 0,
            seed=cleaned["seed"],
            stratify=tuple(cleaned["stratify"]),
            held_out_sites=tuple(cleaned["held_out_sites"]),
        )

    def choice(self, query: dict[str, Any] | None) -> Choice:
        cleaned = self.cleaned_data
        texts = ("title", "licence", "purpose", "agreement", "citation", "changelog")
        return Choice(
            **{name: cleaned[name] for name in texts},
            query=query,
            content=Release.Content(cleaned["content"]),
            formats=tuple(cleaned["formats"]),
            split=cleaned["design"],
            sequestered=Release.Sequestered(cleaned["sequestered"]),
        )


@dataclass(frozen=True)
class Shown:
    """What the panel beside the form shows: a preview, or why there is none."""

    preview: summary.Preview | None
    problems: list[str]

    def context(self) -> dict[str, Any]:
        parts = [
            {
                "words": part_name(part.part, part.fold),
                "short": short_name(part.part, part.fold),
                "subjects": part.subjects,
                "cases": part.cases,
            }
            for part in (self.preview.parts if self.preview else ())
        ]
        bar = [(part["short"], part["subjects"]) for part in parts]
        return {"preview": self.preview, "problems": self.problems, "parts": parts, "parts_bar": bar}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def release_new(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "manage_project")
    form, query = _form(request, opened)
    shown = None
    if request.method == "POST" and form.is_valid():
        expected = request.POST.get("expected", "")
        with transaction.atomic():
            # What was seen is what is frozen: nothing is accepted or frozen in between.
            Project.objects.select_for_update().get(pk=opened.project.pk)
            shown = _shown(request, opened, form, query)
            frozen = _freeze(request, opened, form, query, shown, expected)
        if frozen is not None:
            return redirect("project-release", slug, frozen.number)
    shown = shown or _shown(request, opened, form, query)
    return show(
        request,
        opened,
        TAB,
        "releases/new.html",
        status=400 if form.errors else 200,
        form=form,
        choices=CHOICES,
        formats=list(FORMATS.values()),
        shares=[
            (form["train"], gettext("train")),
            (form["validation"], gettext("validation")),
            (form["test"], gettext("test")),
        ],
        stratify=STRATIFY,
        sites=form.fields["held_out_sites"].choices,  # type: ignore[attr-defined]
        cohort_url=release_query.page_url(opened.project, query, sent=form.problem_query),
        problem_query=form.problem_query,
        cohort_problems=form.cohort_problem.messages if form.cohort_problem else [],
        query=release_query.as_written(query),
        query_words=release_query.in_words(query),
        next_number=releases.next_number(opened.project),
        **shown.context(),
    )


@login_required
@require_POST
def release_preview(request: SignedInRequest, slug: str) -> HttpResponse:
    """What the form would give as it is filled in now. Nothing is kept."""
    opened = open_project(request, slug, "manage_project")
    form, query = _form(request, opened)
    shown = _shown(request, opened, form, query)
    return render(request, "releases/parts/preview.html", shown.context())


def _form(request: SignedInRequest, opened: OpenProject) -> tuple[FreezeForm, dict[str, Any] | None]:
    """The form, and the cohort expression in it or in the address. One that isn't understood is an error of
    the form: it never stands for every case."""
    is_sent = request.method == "POST"
    sent = request.POST if is_sent else request.GET
    initial = FreezeForm.INITIAL | _texts_of_the_last(opened.project)
    form = FreezeForm(request.POST if is_sent else None, initial=initial, sites=_sites(opened.project))
    try:
        return form, release_query.from_params(sent)
    except ValidationError as refusal:
        form.cohort_problem, form.problem_query = refusal, sent.get(release_query.NAME, "") or " "
        if is_sent:
            form.add_error("cohort", refusal)
        return form, None


def _shown(
    request: SignedInRequest, opened: OpenProject, form: FreezeForm, query: dict[str, Any] | None
) -> Shown:
    if form.cohort_problem:
        return Shown(None, list(form.cohort_problem.messages))
    if form.is_bound and not form.is_valid():
        told = [said for errors in form.errors.values() for said in errors]
        return Shown(None, [str(said) for said in told])
    choice = form.choice(query) if form.is_bound else Choice(query=query)
    try:
        return Shown(summary.preview(opened.project, request.user, choice), [])
    except ValidationError as refusal:
        return Shown(None, list(refusal.messages))


def _freeze(
    request: SignedInRequest,
    opened: OpenProject,
    form: FreezeForm,
    query: dict[str, Any] | None,
    shown: Shown,
    expected: str,
) -> Release | None:
    """The release, or None with the reason in the form. Sent twice, it is frozen once."""
    if shown.preview is None:
        for problem in shown.problems:
            form.add_error(None, problem)
        return None
    if twin := _sent_before(request, opened.project):
        messages.info(request, gettext("Release %(number)d is frozen already.") % {"number": twin.number})
        return twin
    if expected != shown.preview.mark:
        changed = gettext(
            "What it would hold is not what you saw. Look at the numbers again, then freeze it."
        )
        form.add_error(None, changed)
        return None
    frozen = carried_out(
        form,
        lambda: releases.freeze(by=request.user, project=opened.project, choice=form.choice(query)),
    )
    if frozen is not None:
        words = gettext("Release %(number)d is frozen; its files are being written.")
        messages.success(request, words % {"number": frozen.number})
    return frozen


def _sent_before(request: SignedInRequest, project: Project) -> Release | None:
    """The release that this very form made: it says which number it would have."""
    number = request.POST.get("number", "")
    if not number.isdecimal():
        return None
    return Release.objects.filter(project=project, number=int(number), frozen_by=request.user).first()


def _texts_of_the_last(project: Project) -> dict[str, str]:
    """Licence, agreement and citation are mostly those of the release before."""
    last = Release.objects.filter(project=project).order_by("-number").first()
    if last is None:
        return {}
    return {"licence": last.licence, "agreement": last.agreement, "purpose": last.purpose}


def _sites(project: Project) -> list[tuple[str, str]]:
    """The hospitals that the project's cases come from, as a split knows them."""
    found = Organisation.objects.filter(subjects__cases__project=project).distinct().order_by("name")
    return list(found.values_list("slug", "name"))
