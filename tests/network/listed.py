"""Listings for tests of the catalogue: rows as publishing writes them, without images behind them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from network.listings import words
from network.models import Listing, ListingFacet, ListingVersion, Node

BEGAN = datetime(2026, 11, 1, 12, tzinfo=UTC)


def listing(slug: str, facets: dict[str, dict[str, int | None]] | None = None, **more: Any) -> Listing:
    """`facets`: facet -> value -> subjects. What a whole dataset has is told of all of its subjects."""
    number = Listing.objects.count()
    values: dict[str, Any] = {
        "slug": slug,
        "title": slug.replace("-", " ").capitalize(),
        "organ": "lung",
        "organisation": "Karlsund University Hospital",
        "organisation_slug": "karlsund",
        "country": "SE",
        "version": "1.0.0",
        "published_at": BEGAN + timedelta(days=number),
        "subjects": 100,
        "studies": 200,
        "series": 400,
        "images": 40_000,
        "is_listed": True,
        **more,
    }
    made = Listing.objects.create(**values)
    ListingVersion.objects.create(listing=made, version=made.version, figures=made.figures, note="First.")
    whole = {name: {str(values[name]): values["subjects"]} for name in ("organ", "country")} | {
        "organisation": {made.organisation_slug: made.subjects},
        "access": {made.access: made.subjects},
    }
    ListingFacet.objects.bulk_create(
        ListingFacet(listing=made, facet=facet, value=value, subjects=subjects)
        for facet, told in (whole | (facets or {})).items()
        for value, subjects in told.items()
    )
    words.write([made.pk])
    return made


def node(slug: str = "valmont", **more: Any) -> Node:
    key = f"{Node.objects.count():064x}"
    return Node.objects.create(
        **{"part": "member", "slug": slug, "name": "CHU Valmont", "country": "FR", "public_key": key} | more
    )


def several() -> list[Listing]:
    """Three datasets of two hospitals, and one of another node."""
    return [
        listing(
            "lung-nodules",
            {
                "modality": {"CT": 100, "PT": None},
                "manufacturer": {"SIEMENS": 60},
                "sex": {"F": 40, "M": 60},
                "time_points": {"1": 40, "2": 60},
                "label": {"Nodule": 80},
            },
            figures={
                "followed": 60,
                "median_interval_days": 94,
                "labels": {"two_readers": 80, "one_reader": None, "measurements": 0, "none": 20},
                "agreement": {"dice": {"median": 0.871, "n": 80}, "hd95_mm": {"median": None, "n": None}},
                "quality": {"missing_slices": 12},
                "growth": [["2026-09", 40], ["2026-11", 60]],
            },
            description="Low-dose CT under follow-up",
        ),
        listing(
            "breast-dce",
            {"modality": {"MR": 50, "MG": 30}, "sex": {"F": 50}},
            organ="breast",
            organisation="Hospital Ribera Alta",
            organisation_slug="ribera",
            country="ES",
            subjects=50,
            studies=170,
            access="registered",
        ),
        listing("few-glioma", {}, organ="brain", subjects=None, studies=None, series=None, images=None),
        listing(
            "valmont--sarcoma",
            {"modality": {"PT": 30, "CT": 30, "MR": 20}},
            node=node(),
            organ="soft_tissue",
            organisation="CHU Valmont",
            organisation_slug="valmont",
            country="FR",
            subjects=30,
            studies=90,
            access="counts",
        ),
    ]
