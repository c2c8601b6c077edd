"""The facets that the catalogue is narrowed by: the only such list. `network.figures` counts their values."""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_noop as _


class Of(StrEnum):
    """What a value of a facet is true of."""

    SUBJECTS = "subjects"
    """Some of the subjects: it is counted."""
    DATASET = "dataset"
    """The whole dataset: counted as all of its subjects."""


@dataclass(frozen=True, slots=True)
class Facet:
    """`names_few`: whether a value is named though fewer subjects have it than may be told (with no number),
    where the dataset's own number is told: so of scanners; never of what is a person's, as findings are."""

    key: str
    words: str
    of: Of = Of.SUBJECTS
    names_few: bool = False


FACETS: dict[str, Facet] = {
    facet.key: facet
    for facet in (
        Facet("organ", _("Organ"), Of.DATASET),
        Facet("condition", _("Diagnosis")),
        Facet("modality", _("Modality"), names_few=True),
        Facet("manufacturer", _("Manufacturer"), names_few=True),
        Facet("body_part", _("Body part"), names_few=True),
        Facet("sex", _("Sex")),
        Facet("age", _("Age")),
        Facet("country", _("Country"), Of.DATASET),
        Facet("organisation", _("Organisation"), Of.DATASET),
        Facet("label", _("Annotated with")),
        Facet("time_points", _("Time points")),
        Facet("access", _("Access"), Of.DATASET),
        Facet("licence", _("Licence"), Of.DATASET),
    )
}
"""In the order that pages show them. Values: keys of Dataset.Organ, scheme:value of a condition, DICOM's
code of a modality, a manufacturer in its own words, DICOM's body part, F or M, decades such as "60-69", ISO
codes of countries, slugs of organisations, a label's words, "1" to "4" and "5+" time points, keys of
Listing.Access, a licence as it was written."""

VALUE_LENGTH_MAX = 120

AGES = (*(f"{decade}-{decade + 9}" for decade in range(0, 90, 10)), "90+")
TIME_POINTS = ("1", "2", "3", "4", "5+")


def age_group(years: int) -> str:
    return AGES[min(years // 10, len(AGES) - 1)]
