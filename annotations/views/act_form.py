"""The form beside the cases: what to do with those that are chosen, and what became of it in words."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.humanize.templatetags.humanize import intcomma as number
from django.utils.translation import gettext, gettext_lazy, ngettext

from accounts.models import User
from annotations.models import BulkAction, Case
from annotations.reading.assignment.bulk import BACK

ACTS = (
    ("assign", gettext_lazy("Assign")),
    ("adjudicators", gettext_lazy("Name adjudicators")),
    ("unassign", gettext_lazy("Take back")),
    ("reassign", gettext_lazy("Hand over")),
    ("due", gettext_lazy("Set the due date")),
    ("priority", gettext_lazy("Set the priority")),
    ("purpose", gettext_lazy("Set what they are for")),
)
WAYS = (
    ("each", gettext_lazy("Each of them reads each case")),
    ("design", gettext_lazy("Shared out evenly, as the project reads")),
    ("share", gettext_lazy("Shared out evenly,")),
    ("specialty", gettext_lazy("By specialty, evenly")),
)
PRIORITIES = (
    (2, gettext_lazy("Urgent")),
    (1, gettext_lazy("Sooner")),
    (0, gettext_lazy("Ordinary")),
    (-1, gettext_lazy("Later")),
)
TITLES = dict(ACTS) | {BACK: gettext_lazy("Taken back")}


class ActForm(forms.Form):
    """What is sent; the service judges it, and says by field what is wrong."""

    act = forms.ChoiceField(choices=ACTS, initial="assign", required=False)
    readers = forms.MultipleChoiceField(required=False)
    way = forms.ChoiceField(choices=WAYS, initial="each", required=False)
    readers_per_case = forms.IntegerField(required=False, min_value=1, initial=2)
    due = forms.DateField(required=False)
    priority = forms.TypedChoiceField(choices=PRIORITIES, coerce=int, required=False, initial=1)
    purpose = forms.ChoiceField(choices=Case.Purpose.choices, required=False)
    to = forms.ChoiceField(required=False)
    adjudicators = forms.MultipleChoiceField(required=False)

    def __init__(
        self, *args: Any, readers: Sequence[User], adjudicators: Sequence[User], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        people = [(one.public_id, one.display_name) for one in readers]
        self.fields["from"] = forms.ChoiceField(choices=[("", "–"), *people], required=False)
        self.fields["readers"].choices = people  # type: ignore[attr-defined]
        self.fields["to"].choices = [("", "–"), *people]  # type: ignore[attr-defined]
        judges = [(one.public_id, one.display_name) for one in adjudicators]
        self.fields["adjudicators"].choices = judges  # type: ignore[attr-defined]

    @property
    def chosen_act(self) -> str:
        return str(self["act"].value() or "assign")

    def params(self) -> dict[str, Any]:
        sent = self.cleaned_data
        names = {
            "assign": ("way", "readers", "readers_per_case", "due"),
            "adjudicators": ("adjudicators",),
            "unassign": ("readers",),
            "reassign": ("from", "to"),
            "due": ("due",),
            "priority": ("priority",),
            "purpose": ("purpose",),
        }[sent["act"] or "assign"]
        found = {name: sent[name] for name in names}
        if "way" in found:
            found["way"] = found["way"] or "each"
        if found.get("priority") == "":
            found["priority"] = None
        return found


def told(action: BulkAction) -> str:
    """What an act did, as far as it has come."""
    facts, left_out = action.params.get("facts", {}), action.params.get("facts", {}).get("left_out", 0)
    parts = []
    if action.kind == "assign":
        n = facts.get("made", 0)
        parts.append(ngettext("%(n)s read assigned.", "%(n)s reads assigned.", n) % {"n": number(n)})
        parts += _about_assigning(facts)
    elif action.kind == "adjudicators":
        n = facts.get("made", 0)
        said = ngettext("%(n)s case has an adjudicator now.", "%(n)s cases have an adjudicator now.", n)
        parts.append(said % {"n": number(n)})
        parts += _left_out(left_out)
    elif action.kind == "unassign":
        n = facts.get("taken_back", 0)
        parts.append(ngettext("%(n)s read taken back.", "%(n)s reads taken back.", n) % {"n": number(n)})
        parts += _left_out(left_out)
    elif action.kind == "reassign":
        n = facts.get("handed_over", 0)
        parts.append(ngettext("%(n)s read handed over.", "%(n)s reads handed over.", n) % {"n": number(n)})
        parts += _left_out(left_out)
    elif action.kind == BACK:
        n = action.done - left_out
        parts.append(ngettext("%(n)s change undone.", "%(n)s changes undone.", n) % {"n": number(n)})
        parts += _left_out(left_out)
    else:
        n = facts.get("changed", 0)
        parts.append(ngettext("%(n)s changed.", "%(n)s changed.", n) % {"n": number(n)})
        parts += _left_out(left_out)
    return " ".join(parts)


def _about_assigning(facts: dict[str, int]) -> list[str]:
    parts = []
    if n := facts.get("there", 0):
        parts.append(ngettext("%(n)s was there before.", "%(n)s were there before.", n) % {"n": number(n)})
    if n := facts.get("not_blind", 0):
        sentence = gettext("%(n)s left out: the reader has judged the case, or seen another's marks on it.")
        parts.append(sentence % {"n": number(n)})
    if n := facts.get("own", 0):
        parts.append(gettext("%(n)s left out: you read these cases yourself.") % {"n": number(n)})
    if n := facts.get("short", 0):
        sentence = ngettext("%(n)s case found too few readers.", "%(n)s cases found too few readers.", n)
        parts.append(sentence % {"n": number(n)})
    return parts


def _left_out(n: int) -> list[str]:
    return [gettext("%(n)s left out.") % {"n": number(n)}] if n else []
