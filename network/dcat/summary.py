"""What is counted of a dataset, in words, for those who describe it: none of it can be typed."""

from django.utils.translation import gettext as _
from django_countries import countries

from atlas.models import Dataset
from network.dcat.counted import condition
from network.dcat.describing import Description

SHOWN_MAX = 6


def counted_lines(described: Description) -> list[tuple[str, str]]:
    """(what, how it stands in the catalogue), every field of the profile that a machine fills."""
    listing = described.listing
    few = _("fewer than may be told")
    organ = Dataset.Organ(listing.organ).label if listing.organ in Dataset.Organ.values else listing.organ
    facets = (
        (_("Birth sex"), "sex"),
        (_("Ages"), "age"),
        (_("Modalities"), "modality"),
        (_("Manufacturers"), "manufacturer"),
        (_("Body parts"), "body_part"),
        (_("Annotated with"), "label"),
    )
    return [
        (_("Unique individuals"), few if listing.subjects is None else f"{listing.subjects:,}"),
        (_("Imaging studies"), few if listing.studies is None else f"{listing.studies:,}"),
        *((title, _shortened(described.counted(facet))) for title, facet in facets),
        (_("Cancer condition"), condition(described).label),
        (_("Place of the tumour"), str(_(organ))),
        (_("Country"), countries.name(listing.country) or listing.country),
        (_("Version"), listing.version),
    ]


def _shortened(values: list[str]) -> str:
    if not values:
        return _("nothing that may be told")
    more = len(values) - SHOWN_MAX
    told = ", ".join(values[:SHOWN_MAX])
    return f"{told} {_('and %(n)d more') % {'n': more}}" if more > 0 else told
