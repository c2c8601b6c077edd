"""Forms about datasets: they check shape, services check rights and rules."""

from django import forms

from accounts.models import Organisation
from atlas.models import Dataset

DEIDENTIFICATION_EXPLAINED = (
    "Atlas stores images as they come. Declare this only if names, numbers, dates of birth and private text "
    "were removed or replaced before the files reach this node, in headers and in the picture itself. Until "
    "it is declared the dataset takes no images."
)


class DatasetForm(forms.ModelForm):
    class Meta:
        model = Dataset
        fields = ("name", "organ", "description", "licence", "deidentification")
        widgets = {"description": forms.Textarea(attrs={"rows": 4}), "deidentification": forms.RadioSelect}
        labels = {"organ": "Place of the primary tumour", "deidentification": "De-identification"}
        help_texts = {
            "name": "What and how, for the catalogue: “Lung nodules under follow-up, CT”.",
            "description": "Whom it is about, how they were chosen and treated, how long they were followed.",
            "licence": "Under which terms it may be used, such as CC BY 4.0, or a contract.",
            "deidentification": DEIDENTIFICATION_EXPLAINED,
        }


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
