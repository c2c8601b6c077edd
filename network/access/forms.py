"""Forms about access: they check shape, services check rights and rules."""

import datetime

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from network.access import asking, cart, documents, terms
from network.models.access import Mode

MODE_WORDS = {
    Mode.DOWNLOAD: _("Download the images"),
    Mode.VIEW: _("View on the node"),
    Mode.COUNT: _("Counts only"),
}


class RequestForm(forms.Form):
    """What a researcher says about a request."""

    title = forms.CharField(
        label=_("Name of the study"), max_length=cart.TITLE_LENGTH_MAX, required=False,
        help_text=_("A few words by which committees can speak of it."),
    )  # fmt: skip
    affiliation = forms.CharField(
        label=_("Where you work"), max_length=200, required=False,
        help_text=_("Institution and department. The committees see it with your name and e-mail address."),
    )  # fmt: skip
    purpose = forms.CharField(
        label=_("Purpose"), required=False, max_length=cart.PURPOSE_LENGTH_MAX,
        widget=forms.Textarea(attrs={"rows": 7}),
        help_text=_("The question, why these data answer it, who works with them, and how they are kept."),
    )  # fmt: skip

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.setdefault("autocomplete", "off")
            # Kept unfinished, too; but nothing of it is optional.
            field.required = not self.is_bound

    def clean(self) -> dict:
        for field in self.fields.values():
            field.required = True
        return super().clean() or {}


class DocumentForm(forms.Form):
    file = forms.FileField(
        label=_("Document"),
        help_text=_("An ethics vote, a protocol: PDF, text, picture, up to 5 MB."),
        widget=forms.FileInput(attrs={"accept": ",".join(sorted(documents.KINDS))}),
    )


class TextForm(forms.Form):
    text = forms.CharField(
        label=_("Text"), max_length=asking.TEXT_LENGTH_MAX, widget=forms.Textarea(attrs={"rows": 4})
    )


class ApprovalForm(forms.Form):
    """One mode and last day a dataset, then the terms of all."""

    conditions = forms.CharField(
        label=_("Conditions"), required=False, max_length=asking.TEXT_LENGTH_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What holds for this request besides the agreement."),
    )  # fmt: skip
    agreement = forms.CharField(
        label=_("Agreement"), max_length=asking.TEXT_LENGTH_MAX, widget=forms.Textarea(attrs={"rows": 9}),
        help_text=_("The researcher accepts exactly this text, on record, before access opens."),
    )  # fmt: skip

    def __init__(self, *args, items, until: datetime.date, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.items = list(items)
        for item in self.items:
            order = [Mode.DOWNLOAD, Mode.VIEW, Mode.COUNT]
            modes = order[order.index(Mode(item.mode)) :]
            self.fields[f"mode-{item.pk}"] = forms.ChoiceField(
                choices=[*((mode.value, MODE_WORDS[mode]) for mode in modes), ("", _("Nothing"))],
                required=False,
                initial=item.granted_mode or (item.mode if not item.part.decided_at else ""),
            )
            self.fields[f"end-{item.pk}"] = forms.DateField(
                required=False,
                initial=item.ends_on or until,
                widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            )

    def rows(self):
        """(item, field of its mode, field of its last day)"""
        return [(item, self[f"mode-{item.pk}"], self[f"end-{item.pk}"]) for item in self.items]

    def clean(self) -> dict:
        sent = super().clean() or {}
        for item in self.items:
            if sent.get(f"mode-{item.pk}") and not sent.get(f"end-{item.pk}"):
                self.add_error(f"end-{item.pk}", gettext("Say until when."))
        return sent

    def choices(self) -> dict[int, tuple[str, datetime.date | None]]:
        """By the primary key of the item. Call once it is valid."""
        sent = self.cleaned_data
        return {item.pk: (sent[f"mode-{item.pk}"], sent[f"end-{item.pk}"]) for item in self.items}


def use_terms_of(posted) -> list[str]:
    """The terms that a form has ticked; unknown ones are left out."""
    return [key for key in posted.getlist("use_terms") if key in terms.BY_KEY]
