"""Forms about datasets: they check shape, services check rights and rules."""

from django import forms

from accounts.models import Organisation
from atlas.archive.receivers import AE_TITLE_LENGTH_MAX
from atlas.dicom.deidentify import OPTIONS
from atlas.models import Dataset

DEIDENTIFICATION_EXPLAINED = (
    "Atlas can de-identify at the door: you choose on the next page what may stay, and nothing that "
    "identifies is stored. Or the images are de-identified before they arrive: then Atlas checks each "
    "and refuses what still identifies. Until this is decided the dataset takes no images."
)

_CHOICES = Dataset.Deidentification
IN_ORDER = [(c, c.label) for c in (_CHOICES.AT_THE_DOOR, _CHOICES.ALREADY_DONE, _CHOICES.UNDECLARED)]


class DatasetForm(forms.ModelForm):
    class Meta:
        model = Dataset
        fields = ("name", "organ", "description", "licence")
        widgets = {"description": forms.Textarea(attrs={"rows": 4})}
        labels = {"organ": "Place of the primary tumour"}
        help_texts = {
            "name": "What and how, for the catalogue: “Lung nodules under follow-up, CT”.",
            "description": "Whom it is about, how they were chosen and treated, how long they were followed.",
            "licence": "Under which terms it may be used, such as CC BY 4.0, or a contract.",
        }


class NewDatasetForm(DatasetForm):
    deidentification = forms.ChoiceField(
        label="De-identification",
        choices=IN_ORDER,
        initial=Dataset.Deidentification.AT_THE_DOOR,
        widget=forms.RadioSelect,
        help_text=DEIDENTIFICATION_EXPLAINED,
    )


class DeidentificationForm(forms.Form):
    deidentification = forms.ChoiceField(
        label="Who de-identifies", choices=IN_ORDER, widget=forms.RadioSelect
    )
    options = forms.MultipleChoiceField(
        label="What may stay",
        choices=[(option.key, option.title) for option in OPTIONS],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class ReceiverForm(forms.Form):
    called = forms.CharField(
        label="AE title of this dataset",
        max_length=AE_TITLE_LENGTH_MAX,
        help_text="What senders call: up to 16 letters, digits and signs, one of its kind on this node.",
    )
    calling = forms.CharField(
        label="AE titles of its senders",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One a line: who may send. Everyone else is refused.",
    )


class GrantForm(forms.Form):
    project = forms.CharField(
        label="Project",
        max_length=300,
        help_text="Its short name: the last part of its address. It may belong to another organisation.",
    )

    def __init__(self, *args, organisation: Organisation, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.suggestions = organisation.projects.values_list("slug", "name")
        self.fields["project"].widget.attrs["list"] = "projects-known"


class VaultForm(forms.Form):
    public_key = forms.CharField(
        label="Public key",
        max_length=64,
        help_text="44 letters, digits and signs, as <code>make_vault_key</code> printed them.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
