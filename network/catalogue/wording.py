"""Values of facets in words: what a row keeps as a code, people read as a name."""

from collections.abc import Mapping

from django.utils.translation import gettext, gettext_lazy, pgettext
from django.utils.translation import gettext_noop as _

from atlas.clinical.terminology import meaning_of
from atlas.models import Dataset
from network.models import Listing
from network.templatetags.house import country

MODALITIES = {"PT": "PET", "DX": "X-ray", "CR": "X-ray (CR)", "SM": "Microscopy", "NM": "Nuclear medicine"}
"""DICOM's codes that people call otherwise; the rest stand as they are: CT, MR, MG, US."""

SEXES = {"F": _("Female"), "M": _("Male"), "O": _("Other")}

CONDITIONS = {
    "SCT:254837009": _("Malignant neoplasm of breast"),
    "SCT:363358000": _("Malignant neoplasm of lung"),
    "SCT:363406005": _("Malignant neoplasm of colon"),
    "SCT:399068003": _("Malignant neoplasm of prostate"),
    "SCT:254637007": _("Non-small cell lung cancer"),
}
"""SNOMED CT's concepts that are certain. Codes of ICD-10 and ICD-O-3 are told by what they begin with, others
by themselves."""

ACCESS_ICONS = {"open": "circle", "registered": "user", "request": "lock", "counts": "eye-off"}

TELLS = {
    "open": gettext_lazy("Whoever has an account may look at it and download it."),
    "registered": gettext_lazy("Whoever is registered at the node may ask for it by a form."),
    "request": gettext_lazy("Its organisation's committee decides on each request."),
    "counts": gettext_lazy("Its images leave to nobody: it answers questions with counts."),
}


def value_words(facet: str, value: str, names: Mapping[str, str] | None = None) -> str:
    """`names`: organisations by their slug."""
    match facet:
        case "organ":
            return gettext(dict(Dataset.Organ.choices).get(value, value))
        case "modality":
            return gettext(MODALITIES.get(value, value)) if value else value
        case "sex":
            return gettext(SEXES.get(value, value)) if value else value
        case "country":
            return country(value)
        case "access":
            if value == Listing.Access.OPEN:  # elsewhere it is what one does
                return pgettext("access", "Open")
            return gettext(dict(Listing.Access.choices).get(value, value))
        case "organisation":
            return (names or {}).get(value, value)
        case "time_points":
            return gettext("5 or more") if value == "5+" else value
        case "condition":
            return _condition(value)
        case "age":
            return value.replace("-", "–")
        case "body_part":
            return value.capitalize()
        case _:
            return value


def _condition(code: str) -> str:
    if said := CONDITIONS.get(code):
        return gettext(said)
    said = meaning_of(code)
    return f"{gettext(said)} ({code.partition(':')[2]})" if said else code
