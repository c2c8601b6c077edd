"""The form about a dataset's place in the catalogue: who gets access, which questions are answered, and what
only a person can say. Fields of the second part come from `network.dcat.terms`, which checks them, too."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_noop as _

from network.dcat import terms
from network.models import Listing

ACCESS = (
    (Listing.Access.OPEN, _("Open: anyone may see and download it")),
    (Listing.Access.REGISTERED, _("Registered: anyone with an account who states a purpose")),
    (Listing.Access.REQUEST, _("On request: your access committee decides")),
    (Listing.Access.COUNTS, _("Counts only: nobody outside sees the images")),
)
ANSWERS = (
    (Listing.Answers.ITSELF, _("By itself, at once")),
    (Listing.Answers.PERSON, _("After a person of your organisation says yes")),
    (Listing.Answers.NEVER, _("Not at all")),
)


def _said(choices: Any) -> list[tuple[str, Any]]:
    return [(str(key), gettext_lazy(title)) for key, title in choices]


class ListingForm(forms.Form):
    is_listed = forms.BooleanField(
        label=_("Show it in the catalogue"),
        required=False,
        help_text=_(
            "Anyone may read it there: its name, its description and its counts. Counts of fewer than ten "
            "subjects are not told. Harvesters may copy what is shown (CC0)."
        ),
    )
    shows_pictures = forms.BooleanField(
        label=_("Show sample pictures"),
        required=False,
        help_text=_("Small pictures of a few series, to anyone. Leave it out if faces could be seen."),
    )
    access = forms.ChoiceField(
        label=_("Who gets access to the images"), choices=_said(ACCESS), widget=forms.RadioSelect
    )
    answers = forms.ChoiceField(
        label=_("Questions of other nodes, answered with counts"),
        choices=_said(ANSWERS),
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in terms.FIELDS.values():
            self.fields[field.key] = _form_field(field)

    def groups(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        for group in terms.GROUPS:
            yield group.title, [self[field.key] for field in group.fields]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        said = {key: cleaned[key] for key in terms.FIELDS if cleaned.get(key)}
        try:
            cleaned["terms"] = terms.clean(said)
        except ValidationError as error:
            for key, sentences in error.message_dict.items():
                self.add_error(key if key in self.fields else None, sentences)
        return cleaned


def initial(listing: Listing | None) -> dict[str, Any]:
    """What the form shows at first; lists one entry a line."""
    if listing is None:
        listing = Listing()
    said = terms.kept_of(listing.terms)
    shown = {
        key: "\n".join(value) if isinstance(value, list) and terms.FIELDS[key].kind != "choices" else value
        for key, value in said.items()
    }
    return {
        "is_listed": listing.is_listed,
        "shows_pictures": listing.shows_pictures,
        "access": listing.access,
        "answers": listing.answers,
        "language": "en",
        **shown,
    }


def _form_field(field: terms.Field) -> forms.Field:
    how: dict[str, Any] = {"label": field.title, "help_text": field.help, "required": False}
    choices = [(choice.key, gettext_lazy(choice.title)) for choice in field.choices]
    if field.kind == "choices":
        return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **how)
    if field.kind == "choice":
        return forms.ChoiceField(choices=[("", "–"), *choices], **how)
    if field.kind in ("lines", "words", "addresses"):
        rows = 4 if field.length_max > 2000 else 3
        return forms.CharField(widget=forms.Textarea(attrs={"rows": rows}), **how)
    kind = {"mail": "email", "address": "url", "date": "date"}.get(field.kind, "text")
    attributes = {"type": kind, "maxlength": field.length_max} if kind == "text" else {"type": kind}
    return forms.CharField(widget=forms.TextInput(attrs=attributes), **how)
