"""A researcher, two hospitals with committees, and what they list. For what crosses nodes a hub and a member:
both sides stand in this database, and their messages are carried by hand."""

import datetime
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils import timezone

from accounts import permissions
from accounts.models import Organisation, User
from atlas.models import Dataset
from network.access import asking, cart, deciding, documents, receiving, states
from network.access.deciding import AGREEMENT, Choice
from network.federation import messages
from network.models import AccessPart, AccessRequest, Listing, Message, Node
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


@pytest.fixture(name="member")
def member_node(db) -> Node:
    """The node that decides, as the hub knows it."""
    return Node.objects.create(
        part="member", slug="north", name="Node North", address="https://north.example", public_key="a" * 64
    )


@pytest.fixture
def hub(db) -> Node:
    """The hub, as that node knows it."""
    return Node.objects.create(
        part="hub", slug="hub", name="The hub", address="https://hub.example", public_key="b" * 64
    )


@pytest.fixture
def remote(member, lung_listing) -> Listing:
    """The same dataset as the hub lists it."""
    return Listing.objects.create(
        node=member, slug="north--lung", title="Lung nodules", organisation="Karlsund University Hospital",
        organisation_slug="karlsund", country="SE", is_listed=True,
    )  # fmt: skip


@pytest.fixture
def carry(hub, member):
    """Bring what waits to the other side, each message twice, until nothing waits; confirm it to its sender.
    Returns the kinds of what was taken, and the sentences of what was refused, if that `is_expected`."""

    def carry(*, is_expected: bool = False) -> list[str]:
        told = []
        while waiting := list(Message.objects.filter(confirmed_at=None).order_by("pk")):
            for message in waiting:
                sender = hub if message.node == member else member
                refusal = _taken(message, sender)
                assert is_expected or not refusal, refusal
                told.append(refusal or message.kind)
                messages.confirm(message.node, {message.public_id: refusal})
        return told

    return carry


def _taken(message: Message, sender: Node) -> str:
    """The sentence of refusal, or nothing."""
    body = json.loads(json.dumps(message.body))
    try:
        for _ in range(2):
            with transaction.atomic():
                receiving.KINDS[message.kind](sender, body)
    except messages.Refused as refusal:
        return str(refusal)
    return ""


@pytest.fixture
def prepared(researcher, judge, remote) -> AccessRequest:
    """A cart at the hub with the other node's dataset, and a document."""
    request = filled(researcher, (remote, "download"))
    documents.attach(by=researcher, request=request, file=pdf())
    return request


@pytest.fixture
def asked(researcher, prepared, carry) -> AccessPart:
    """The part at the hub, after its request arrived at the node."""
    asking.send(by=researcher, request=prepared)
    assert carry() == ["access.request", "access.document"]
    return prepared.parts.get()


def there() -> AccessPart:
    """The part at the node."""
    return AccessPart.objects.get(request__hub__isnull=False)


@pytest.fixture(autouse=True)
def nothing_counted_yet() -> None:
    """Nothing here looks at counts."""
