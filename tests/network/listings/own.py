"""An own dataset that grows, and is published."""

from atlas.models import Dataset, Subject
from network import listings
from network.models import Listing, ListingVersion
from tests.cast import study_of


def grow(dataset: Dataset, subjects: int, modalities: str = "CT") -> None:
    there = Subject.objects.filter(pseudonym__startswith=f"{dataset.slug}-").count()
    for at in range(there, there + subjects):
        study_of(dataset, f"{dataset.slug}-{at}", "2024-05-01", modalities)


def published(dataset: Dataset) -> ListingVersion:
    version = listings.publish(dataset)
    assert version is not None
    Listing.objects.filter(dataset=dataset).update(is_listed=True)
    return version
