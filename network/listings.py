"""Listings: what the catalogue shows of a dataset, published in versions, and what other nodes publish."""

from typing import Any

from accounts.models import User
from atlas.models import Dataset
from network.models import Listing, ListingVersion, Node


class ListingError(ValueError):
    """What is wrong, as a sentence for whoever sent it."""


def publish(dataset: Dataset, note: str = "") -> ListingVersion | None:
    """Count a dataset anew. None: nothing changed, or too little to be told apart from the last version."""
    raise NotImplementedError


def publish_changed() -> list[ListingVersion]:
    """Publish every own dataset that has changed."""
    raise NotImplementedError


def set_terms(
    by: User,
    dataset: Dataset,
    *,
    is_listed: bool | None = None,
    access: str | None = None,
    answers: str | None = None,
    shows_pictures: bool | None = None,
    terms: dict[str, Any] | None = None,
) -> Listing:
    """What a manager decides of a dataset; what isn't named stays. Raises PermissionDenied, ListingError."""
    raise NotImplementedError


def store_remote(node: Node, document: list[dict[str, Any]]) -> int:
    """Replace the listings of another node by what it sent; returns how many. Raises ListingError for a
    document that isn't whole and right: then nothing changes."""
    raise NotImplementedError


def document() -> list[dict[str, Any]]:
    """The own listed listings, for the hub: what `store_remote` reads there."""
    raise NotImplementedError
