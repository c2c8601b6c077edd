"""Listings made by hand, as a version of a dataset would leave them: counts are not what is tested here."""

from datetime import UTC, datetime

from accounts.models import Organisation
from atlas.models import Dataset
from network.models import Listing, ListingFacet, Node

SAID = {
    "tier": "2",
    "health_categories": ["EHRS"],
    "collection_methods": ["longitudinal"],
    "provenance": "Consecutive patients of the lung clinic, followed up every three months.",
    "contact_mail": "data@karlsund.example",
    "contact_page": "https://karlsund.example/data",
    "keywords": ["follow-up"],
    "legal_basis": ["PublicInterest"],
    "purpose": "To see how nodules grow.",
    "retention_start": "2026-01-01",
    "retention_end": "2036-12-31",
    "population": "Adults with lung nodules seen in Karlsund between 2019 and 2025.",
    "access_body": "Health Data Sweden",
    "access_body_page": "https://access.example/",
}

FACETS: dict[str, dict[str, int | None]] = {
    "modality": {"CT": 118, "PT": 40, "XA": None},
    "manufacturer": {"SIEMENS": 80, "Canon Medical Systems": 38, "GE MEDICAL SYSTEMS": None},
    "body_part": {"CHEST": 118, "LUNG": 30, "WRIST": None},
    "sex": {"F": 61, "M": 57, "O": None},
    "age": {"50-59": 40, "60-69": 60, "20-29": None},
    "condition": {"SCT:363358000": 100, "SCT:254637007": 15},
    "label": {"Lesion": 100, "Ground glass": 20},
    "time_points": {"1": 18, "2": 100},
}


def listing(
    slug: str = "lung-nodules",
    *,
    of: Organisation | None = None,
    node: Node | None = None,
    facets: dict[str, dict[str, int | None]] | None = None,
    **changed: object,
) -> Listing:
    """Published, with everything that the imaging profile asks for; `changed` replaces its fields."""
    facets = FACETS if facets is None else facets
    dataset = None
    if of is not None:
        dataset = Dataset.objects.create(
            organisation=of,
            name="Lung nodules under follow-up",
            slug=slug,
            organ="lung",
            deidentification=Dataset.Deidentification.AT_THE_DOOR,
        )
    fields: dict[str, object] = {
        "title": "Lung nodules under follow-up",
        "description": "Nodules of 6 mm and more, followed by CT until they were treated or gone.",
        "organ": "lung",
        "licence": "CC BY 4.0",
        "organisation": "Karlsund University Hospital",
        "organisation_slug": "karlsund",
        "country": "SE",
        "access": Listing.Access.REQUEST,
        "terms": SAID,
        "version": "1.2.0",
        "published_at": datetime(2026, 11, 2, 9, 30, tzinfo=UTC),
        "subjects": 118,
        "studies": 251,
        "series": 1004,
        "images": 120480,
        "figures": {"facets": facets},
    }
    made = Listing.objects.create(
        slug=slug, dataset=dataset, node=node, **({"is_listed": True} | fields | changed)
    )
    ListingFacet.objects.bulk_create(
        ListingFacet(listing=made, facet=facet, value=value, subjects=n)
        for facet, values in facets.items()
        for value, n in values.items()
    )
    return made
