"""A researcher, two hospitals with committees, and what they list."""

import datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts import permissions
from accounts.models import Organisation, User
from atlas.models import Dataset
from network.access import asking, cart, deciding, states
from network.access.deciding import AGREEMENT, Choice
from network.models import AccessPart, AccessRequest, Listing
from tests.cast import person

PURPOSE = "We train a model that finds small nodules, and test it on data of hospitals it has never seen."
PDF = b"%PDF-1.7\nThe committee votes yes.\n%%EOF\n"
NEXT_YEAR = timezone.localdate() + datetime.timedelta(days=300)


def listed(dataset: Dataset, **facts) -> Listing:
    organisation = dataset.organisation
    return Listing.objects.create(
        dataset=dataset,
        slug=dataset.slug,
        title=dataset.name,
        organisation=organisation.name,
        organisation_slug=organisation.slug,
        country=organisation.country,
        **({"is_listed": True} | facts),
    )


def pdf(name: str = "vote.pdf", content: bytes = PDF) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def member(organisation: Organisation, name: str) -> User:
    user = person(name, name.title(), "Rossi")
    permissions.grant(user=user, role="access_committee", scope=organisation)
    return user


def filled(researcher: User, *wanted: tuple[Listing, str]) -> AccessRequest:
    """A cart that lacks nothing."""
    for listing, mode in wanted:
        request = cart.add(by=researcher, listing=listing, mode=mode)
    return cart.describe(
        by=researcher,
        request=request,
        title="Small nodules",
        affiliation="University of Lund, radiology",
        purpose=PURPOSE,
        use_terms=["DUO:0000037", "DUO:0000031"],
    )


def sent(researcher: User, *wanted: tuple[Listing, str]) -> AccessRequest:
    return asking.send(by=researcher, request=filled(researcher, *wanted))


def approved(part: AccessPart, by: User, mode: str = "", ends_on: datetime.date = NEXT_YEAR) -> AccessPart:
    choices = {item.pk: Choice(mode or item.mode, ends_on) for item in part.items.all()}
    return deciding.approve(by=by, part=part, choices=choices, agreement=AGREEMENT)


def agreed(part: AccessPart) -> AccessPart:
    part.refresh_from_db()
    return asking.agree(by=part.request.by, part=part, sha256=states.terms_sha256(part))


def opened(researcher: User, by: User, listing: Listing, mode: str, **when) -> AccessPart:
    """From the cart to open access."""
    part = sent(researcher, (listing, mode)).parts.get()
    return agreed(approved(part, by, **when))


@pytest.fixture
def researcher(db) -> User:
    return person("mira", "Mira", "Holm")


@pytest.fixture
def judge(karlsund) -> User:
    return member(karlsund, "anna")


@pytest.fixture
def colleague(karlsund) -> User:
    return member(karlsund, "bruno")


@pytest.fixture
def other_judge(ribera) -> User:
    return member(ribera, "carmen")


@pytest.fixture
def lung_listing(lung) -> Listing:
    return listed(lung)


@pytest.fixture
def breast_listing(breast) -> Listing:
    return listed(breast)


@pytest.fixture(autouse=True)
def nothing_counted_yet() -> None:
    """Nothing here looks at counts."""
