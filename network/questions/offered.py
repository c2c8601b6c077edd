"""What may be asked across nodes, with the values that the catalogue names."""

from typing import Any

from django.utils.translation import gettext

from annotations.cohort.language.errors import unknown
from annotations.cohort.language.expression import Expression, conditions
from annotations.cohort.language.fields import FIELDS, Field
from annotations.cohort.language.known import Values
from annotations.cohort.language.offered import offered
from annotations.cohort.language.shared import CONDITIONS_MAX, SHARED, SHARED_OF, STEPS
from network.facets import FACETS, Of
from network.models import Listing, ListingFacet

FACET_OF = {
    "subject.site": "organisation",
    "series.modality": "modality",
    "mark.modality": "modality",
    "series.body_part": "body_part",
    "series.manufacturer": "manufacturer",
    "clinical.condition": "condition",
}
"""The facet that names the values of a field. Fields without one take any value of their kind."""


def fields() -> dict[str, Any]:
    """As `annotations.cohort.language.offered` tells it, and the steps that numbers stand on."""
    named = _values()
    told = offered(
        (field for key, field in FIELDS.items() if key in SHARED),
        lambda field: named.get(field.key),
    )
    told["of"] = [one for one in told["of"] if one["value"] in SHARED_OF]
    for field in told["fields"]:
        field["step"] = STEPS.get(field["key"])
        if field["values"] is None:  # nothing to choose from, so one is written
            field["operators"] = [one for one in field["operators"] if one["key"] != "in"]
        if field["step"]:
            step = " ".join([f"{field['step']:g}", *field["units"][:1]])
            stands = gettext("In steps of %(step)s.") % {"step": step}
            field["help"] = f"{field['help']} {stands}".strip()
            field["operators"] = [one for one in field["operators"] if one["key"] not in ("is", "is_not")]
    return {**told, "conditions_max": CONDITIONS_MAX}


def require_known(expression: Expression) -> None:
    """Raises CohortError for a value that nobody in the catalogue has: mostly a slip of the pen, which would
    find nothing without a word."""
    asked = [one for one in conditions(expression) if _is_named_whole(one.about)]
    named = _values() if asked else {}
    for condition in asked:
        for value in condition.values:
            if value not in (values := named.get(condition.field, {})):
                raise unknown(f"{condition.field} in the catalogue", value, values, condition.place)


def _is_named_whole(field: Field) -> bool:
    """Whether the catalogue names every value: not of a person's, which it withholds where few have them."""
    facet = FACETS.get(FACET_OF.get(field.key, ""))
    return facet is not None and (facet.names_few or facet.of == Of.DATASET)


def _values() -> dict[str, Values]:
    """By field, the values of its facet with their words. Two queries."""
    rows = ListingFacet.objects.filter(facet__in=set(FACET_OF.values()), listing__is_listed=True)
    by_facet: dict[str, Values] = {}
    for facet, value in rows.order_by("facet", "value").values_list("facet", "value").distinct():
        by_facet.setdefault(facet, {})[value] = value
    listed = Listing.objects.filter(is_listed=True).order_by("organisation")
    names = dict(listed.values_list("organisation_slug", "organisation").distinct())
    if "organisation" in by_facet:
        by_facet["organisation"] = {slug: names.get(slug, slug) for slug in by_facet["organisation"]}
    return {field: by_facet[facet] for field, facet in FACET_OF.items() if facet in by_facet}
