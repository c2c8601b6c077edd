"""What full text finds a listing by. Written in one statement, in words as they stand and in their stems."""

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

from django.conf import settings
from django.db import connection
from django.utils import translation
from django_countries import countries

from network.models import Listing, ListingFacet

CALLED = {
    "CT": "computed tomography",
    "MR": "MRI magnetic resonance",
    "PT": "PET positron emission tomography",
    "MG": "mammography",
    "US": "ultrasound",
}
"""What people write for DICOM's codes of modalities."""

# English stems for what people write, and the words as they stand, which names in any language have.
_WRITE = f"""
WITH called AS (SELECT * FROM unnest(%s::text[], %s::text[]) AS called(code, words)),
named AS (
    SELECT facet.listing_id, string_agg(facet.value || ' ' || coalesce(called.words, ''), ' ') AS words
    FROM {ListingFacet._meta.db_table} facet
    LEFT JOIN called ON facet.facet IN ('modality', 'country') AND called.code = facet.facet || facet.value
    WHERE facet.facet IN ('condition', 'modality', 'manufacturer', 'body_part', 'label', 'country')
    GROUP BY facet.listing_id
),
texts AS (
    SELECT listing.id, title, description, coalesce(named.words, '') AS told,
        organisation || ' ' || replace(organ, '_', ' ') || ' ' || licence AS whose
    FROM {Listing._meta.db_table} listing LEFT JOIN named ON named.listing_id = listing.id
    WHERE listing.id = ANY(%s)
)
UPDATE {Listing._meta.db_table} listing SET words =
    setweight(to_tsvector('simple', texts.title) || to_tsvector('english', texts.title), 'A')
    || setweight(to_tsvector('simple', texts.whose) || to_tsvector('english', texts.whose), 'B')
    || setweight(to_tsvector('simple', texts.told) || to_tsvector('english', texts.told), 'C')
    || setweight(to_tsvector('simple', texts.description) || to_tsvector('english', texts.description), 'D')
FROM texts WHERE texts.id = listing.id
"""  # noqa: S608  # names of tables, nothing that was sent


def write(listings: Iterable[int]) -> None:
    """Of these listings, by primary key."""
    called = {f"modality{code}": words for code, words in CALLED.items()}
    called |= {f"country{code}": " ".join(names) for code, names in _countries().items()}
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [list(called), list(called.values()), list(listings)])


@lru_cache(maxsize=1)
def _countries() -> dict[str, list[str]]:
    """By code: what they are called in each language of the pages."""
    found: dict[str, list[str]] = defaultdict(list)
    for language, _ in settings.LANGUAGES:
        with translation.override(language):
            for code, name in countries:
                if name not in found[code]:
                    found[code].append(name)
    return found
