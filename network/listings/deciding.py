"""What a dataset's organisation decides: is it listed, to whom it opens, which questions it answers."""

from typing import Any

from django.db import transaction

from accounts import audit, permissions
from accounts.models import User
from atlas.models import Dataset
from network.listings.publishing import say_anew
from network.models import Listing

audit.register("listing.decided")


@transaction.atomic
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
    """What isn't named stays. Raises Http404, PermissionDenied, or ValidationError for an unknown choice."""
    permissions.require(by, "manage_organisation", dataset.organisation)
    say_anew(dataset)  # there may be no listing yet
    listing = Listing.objects.select_for_update().get(dataset=dataset)
    chosen: dict[str, Any] = {
        "is_listed": is_listed,
        "access": access,
        "answers": answers,
        "shows_pictures": shows_pictures,
        "terms": terms,
    }
    for name, value in chosen.items():
        if value is not None:
            setattr(listing, name, value)
    unchecked = {field.name for field in Listing._meta.fields} - {"access", "answers"}
    listing.clean_fields(exclude=unchecked)  # a listing without counts is whole, too
    listing.save(update_fields=[name for name, value in chosen.items() if value is not None])
    audit.record(
        by,
        "listing.decided",
        dataset,
        is_listed=listing.is_listed,
        access=listing.access,
        answers=listing.answers,
        shows_pictures=listing.shows_pictures,
    )
    say_anew(dataset)
    return Listing.objects.get(pk=listing.pk)
