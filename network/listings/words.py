"""What full text finds a listing by. Written in one statement, in words as they stand and in their stems."""

from collections.abc import Iterable

from django.db import connection

from network.models import Listing, ListingFacet

# English stems for what people write, and the words as they stand, which names in any language have.
_WRITE = f"""
UPDATE {Listing._meta.db_table} listing SET words =
    setweight(to_tsvector('simple', title) || to_tsvector('english', title), 'A')
    || setweight(to_tsvector('simple', organisation || ' ' || replace(organ, '_', ' ') || ' ' || licence), 'B')
    || setweight(to_tsvector('simple', coalesce(facets.words, '')) || to_tsvector('english', coalesce(facets.words, '')), 'C')
    || setweight(to_tsvector('simple', description) || to_tsvector('english', description), 'D')
FROM {Listing._meta.db_table} each LEFT JOIN (
    SELECT listing_id, string_agg(value, ' ') AS words FROM {ListingFacet._meta.db_table}
    WHERE facet IN ('condition', 'modality', 'manufacturer', 'body_part', 'label') GROUP BY listing_id
) facets ON facets.listing_id = each.id
WHERE each.id = listing.id AND listing.id = ANY(%s)
"""  # noqa: E501, S608  # names of tables, nothing that was sent


def write(listings: Iterable[int]) -> None:
    """Of these listings, by primary key."""
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [list(listings)])
