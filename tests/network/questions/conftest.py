"""A hub with datasets of its own, two members, and people who ask and decide."""

from dataclasses import dataclass, field

import pytest
from django.utils import timezone

from accounts import permissions
from accounts.models import Organisation, User
from annotations.cohort.language import parse_text
from atlas.models import Dataset
from network.facts import counting
from network.facts.counting import Answered, Counts
from network.models import Listing, ListingFacet, Node
from tests.cast import person

LARGE = Counts(40, 80, 160, 9000)
ASKS, ITSELF, NEVER = Listing.Answers.PERSON, Listing.Answers.ITSELF, Listing.Answers.NEVER
CT = parse_text("series.modality is CT")


def listing(
    slug: str, *, node=None, dataset=None, answers=ITSELF, subjects=100, country="SE", version="1.0.0"
):
    made = Listing.objects.create(
        node=node,
        dataset=dataset,
        is_listed=True,
        slug=f"{node.slug}--{slug}" if node else slug,
        answers=answers,
        title=f"Dataset {slug}",
        organisation="Karlsund",
        organisation_slug="karlsund",
        country=country,
        version=version,
        published_at=timezone.now(),
        subjects=subjects,
        studies=None if subjects is None else subjects * 2,
        series=None if subjects is None else subjects * 4,
        images=None if subjects is None else subjects * 400,
    )
    ListingFacet.objects.create(listing=made, facet="modality", value="CT", subjects=subjects)
    return made


def member(slug: str, number: int, *, seen=True) -> Node:
    return Node.objects.create(
        part=Node.Part.MEMBER,
        slug=slug,
        name=slug.title(),
        country="ES",
        public_key=f"{number:064x}",
        last_seen_at=timezone.now() if seen else None,
    )


@dataclass
class Facts:
    """Stands in for the columns of facts: what each own listing counts, whatever is asked."""

    counts: dict[str, Counts] = field(default_factory=dict)
    asked: int = 0

    def answer(self, expression, *, decided=False, organisations=None):
        self.asked += 1
        may = (ITSELF, ASKS) if decided else (ITSELF,)
        own = Listing.objects.filter(node=None, is_listed=True, answers__in=may).exclude(version="")
        if organisations is not None:
            own = own.filter(dataset__organisation__in=organisations)
        return [
            Answered(one, one.version, self.counts.get(one.slug, LARGE))
            for one in own.select_related("dataset").order_by("slug")
        ]


@pytest.fixture
def facts(monkeypatch) -> Facts:
    made = Facts()
    monkeypatch.setattr(counting, "answer", made.answer)
    return made


@pytest.fixture
def karlsund(db) -> Organisation:
    return Organisation.objects.create(name="Karlsund University Hospital", slug="karlsund", country="SE")


@pytest.fixture
def lung(karlsund) -> Dataset:
    return Dataset.objects.create(organisation=karlsund, name="Lung", slug="lung")


@pytest.fixture
def asker(db) -> User:
    return person("ana", "Ana", "Lopes")


@pytest.fixture
def committee(karlsund) -> User:
    user = person("knut", "Knut", "Dahl")
    permissions.grant(user=user, role="access_committee", scope=karlsund)
    return user


@pytest.fixture
def ribera(db) -> Node:
    node = member("ribera", 1)
    listing("breast", node=node)
    listing("liver", node=node, answers=ASKS)
    return node


@pytest.fixture
def hub(db) -> Node:
    """For the side that answers: this node has joined it."""
    return Node.objects.create(part=Node.Part.HUB, slug="hub", name="The hub", public_key="f" * 64)


def row(dataset="breast", version="1.0.0", subjects=40, studies=80, series=160, images=9000) -> dict:
    return {
        "dataset": dataset,
        "version": version,
        "subjects": subjects,
        "studies": studies,
        "series": series,
        "images": images,
    }


def answer(question, *rows, state="answered", reason="") -> dict:
    return {"question": question.public_id, "state": state, "reason": reason, "answers": list(rows)}


@pytest.fixture(autouse=True)
def nothing_counted_yet():
    """The catalogue's own counts play no part here."""
