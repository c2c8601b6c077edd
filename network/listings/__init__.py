"""Listings: what the catalogue shows of datasets.

`publishing` counts own datasets anew, in versions: of those in which something changed (`looked_at`), where
enough differs (`differences`). `deciding` is what their managers choose; `taking_out` follows an erasure at
once; `exchange` is the list that the hub gets, and what it takes of other nodes;
`words` is what full text finds.
"""

from network.listings.deciding import set_terms
from network.listings.exchange import ListingError, document, store_remote
from network.listings.publishing import publish, publish_changed

__all__ = ["ListingError", "document", "publish", "publish_changed", "set_terms", "store_remote"]
