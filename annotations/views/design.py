"""How a project reads: a form, and beside it the same in words, for what is written in it now."""

from dataclasses import asdict
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.requests import SignedInRequest
from annotations.models import Case, ReadingDesign
from annotations.reading import design_words, designs, purposes
from annotations.views.frame import OpenProject, carried_out, open_project, show

TAB = "project-reading"
YES_NO = ((True, "yes"), (False, "no"))


def _is_yes(text: Any) -> bool:
    return text in (True, "True")


class DesignForm(forms.Form):
    """What is sent, as `designs.Rules`; the service judges it."""

    readers_per_case = forms.IntegerField()
    double_share = forms.IntegerField()
    blind = forms.TypedChoiceField(choices=YES_NO, coerce=_is_yes)
    review = forms.TypedChoiceField(choices=YES_NO, coerce=_is_yes)
    adjudication = forms.ChoiceField(choices=ReadingDesign.Adjudication.choices)
    dice_below = forms.FloatField(required=False)
    diameter_apart_mm = forms.FloatField(required=False)
    unmatched_lesion = forms.BooleanField(required=False)
    category_differs = forms.BooleanField(required=False)
    order = forms.ChoiceField(choices=ReadingDesign.Order.choices)
    proposals = forms.ChoiceField(choices=ReadingDesign.Proposals.choices)
    self_service = forms.BooleanField(required=False)
    lease_hours = forms.IntegerField()

    def rules(self) -> designs.Rules:
        return designs.Rules(**self.cleaned_data)


# By field: value, what stands beside the button, and what it means.
CHOICES: dict[str, tuple[tuple[str, Any, Any], ...]] = {
    "blind": (
        ("True", gettext_lazy("Blind"), gettext_lazy("Before adjudication nobody sees another's work.")),
        ("False", gettext_lazy("In the open"), gettext_lazy("Readers of a case see what others handed in.")),
    ),
    "review": (
        ("True", gettext_lazy("A reviewer accepts each read"), gettext_lazy("Or returns it with reasons.")),
        ("False", gettext_lazy("No review"), gettext_lazy("A read counts as soon as it is handed in.")),
    ),
    "adjudication": (
        ("on_disagreement", gettext_lazy("Where readers disagree"), gettext_lazy("By the rule below.")),
        ("always", gettext_lazy("Always"), gettext_lazy("Every case with several readers.")),
        ("never", gettext_lazy("Never"), gettext_lazy("Agreement is measured all the same.")),
    ),
    "order": (
        ("fixed", gettext_lazy("By number"), gettext_lazy("The same for all.")),
        ("random", gettext_lazy("At random"), gettext_lazy("Another order for each reader.")),
    ),
    "proposals": (
        ("before", gettext_lazy("From the start"), ""),
        ("after", gettext_lazy("After the own read"), gettext_lazy("The reader locks it first.")),
        ("never", gettext_lazy("Never"), ""),
    ),
}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def reading_design(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "manage_project")
    design = designs.design_of(opened.project)
    now = designs.rules_of(design)
    form = DesignForm(request.POST if request.method == "POST" else None, initial=asdict(now))
    if request.method == "POST" and form.is_valid():
        done = carried_out(
            form,
            lambda: designs.write_design(by=request.user, project=opened.project, rules=form.rules()),
        )
        if done is not None:
            messages.success(request, gettext("Saved. Cases are read like this from now on."))
            return redirect(TAB, slug)
    return show(
        request,
        opened,
        TAB,
        "projects/reading.html",
        status=400 if form.errors else 200,
        form=form,
        choices=CHOICES,
        design=design,
        purposes=_purposes(request, opened),
        **_said(opened, form if form.is_bound else None, now),
    )


@login_required
@require_POST
def reading_preview(request: SignedInRequest, slug: str) -> HttpResponse:
    """What is written in the form now, in words. Nothing is kept."""
    opened = open_project(request, slug, "manage_project")
    now = designs.rules_of(designs.design_of(opened.project))
    said = _said(opened, DesignForm(request.POST), now)
    return render(request, "projects/parts/reading_said.html", said)


def _said(opened: OpenProject, form: DesignForm | None, now: designs.Rules) -> dict[str, Any]:
    """The sentences of the form, or of what holds; and what a change means for reads that exist."""
    if form is None:
        return {"sentences": design_words.in_words(now)}
    problem = gettext("Something in the form needs a correction.")
    if not form.is_valid():
        return {"problem": problem}
    try:
        designs.check(form.rules())
    except ValidationError as refusal:
        return {"problem": " ".join(refusal.messages)}
    rules = form.rules()
    return {
        "sentences": design_words.in_words(rules),
        "warnings": design_words.warnings(opened.project, now, rules),
        "is_changed": rules != now,
    }


def _purposes(request: SignedInRequest, opened: OpenProject) -> list[tuple[str, str, int]]:
    """How many cases serve which purpose: purpose, its name, the count. The lead's own open reads aside."""
    counts = purposes.count_by_purpose(request.user, opened.project)
    return [(purpose.value, purpose.label, counts[purpose]) for purpose in Case.Purpose]
