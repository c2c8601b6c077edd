"""Seeds the catalogue of the demo; what is there already is left alone."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from django.conf import settings
from django.core.management.base import CommandError
from django.db import transaction

from accounts import permissions
from accounts.models import Organisation, User
from accounts.services.organisations import free_slug
from annotations.demo.people import hospital
from atlas import datasets
from atlas.models import Dataset, Study
from network import listings
from network.demo.phantoms import Body, DrawnSubject
from network.demo.taking_in import take_facts_in, take_in
from network.models import Listing

SUBJECTS = 28
ORIGIN = (
    "Drawn by Atlas from ellipses, for trying the catalogue: there is no patient behind it. A lesion grows "
    "from one time point to the next."
)
LICENCE = "CC0 1.0"

type Say = Callable[[str], None]


@dataclass(frozen=True)
class DrawnDataset:
    name: str
    organ: str
    organisation: str
    country: str
    kind: str
    modalities: tuple[str, ...]
    sexes: str
    interval_days: int
    access: str
    answers: str

    def subjects(self) -> Iterator[DrawnSubject]:
        random = np.random.default_rng(len(self.name))
        for number in range(SUBJECTS):
            points = 1 + number % 2
            jitter = [int(random.integers(-9, 10)) for _ in range(points)]
            yield DrawnSubject(
                name=f"drawn-{self.kind}-{number + 1:02}",
                body=Body(self.kind, number),
                modalities=self.modalities,
                sex=self.sexes[number % len(self.sexes)],
                age=50 + int(random.integers(0, 20)),
                began=date(2024, 1, 8) + timedelta(days=11 * number),
                days=tuple(max(0, self.interval_days * at + jitter[at] * (at > 0)) for at in range(points)),
            )


DRAWN = (
    DrawnDataset(
        "Lung nodules under follow-up, drawn CT", "lung", "", "", "chest", ("CT",), "FM", 182,
        Listing.Access.OPEN, Listing.Answers.ITSELF,
    ),
    DrawnDataset(
        "Breast before and after therapy, drawn MR", "breast", "Hospital Ribera Alta (demo)", "ES", "breast",
        ("MR",), "F", 120, Listing.Access.REQUEST, Listing.Answers.ITSELF,
    ),
    DrawnDataset(
        "Soft-tissue sarcoma, drawn PET/CT", "soft_tissue", "CHU Valmont (demo)", "FR", "leg", ("CT", "PT"),
        "MF", 91, Listing.Access.REQUEST, Listing.Answers.PERSON,
    ),
)  # fmt: skip


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def seed_catalogue(say: Say = _print) -> None:
    """Datasets that are large enough to be counted in public, and everything of this node published. Raises
    CommandError outside a demo node."""
    if not settings.DEMO:
        raise CommandError("Drawn images are for demo nodes: set ATLAS_DEMO=1, on this machine only.")
    demo = hospital()
    manager = demo.people["manager"]
    for drawn in DRAWN:
        organisation = _organisation(drawn, manager) if drawn.organisation else demo.organisation
        dataset = _dataset(drawn, organisation, manager)
        if not Study.objects.filter(dataset=dataset).exists():
            say(f"  {drawn.name}: {SUBJECTS} subjects …")
            take_in(dataset, drawn.subjects())
        take_facts_in(dataset, drawn.subjects(), by=manager)
        if not Listing.objects.filter(dataset=dataset).exists():
            listings.set_terms(
                manager,
                dataset,
                is_listed=True,
                access=drawn.access,
                answers=drawn.answers,
                shows_pictures=True,
                terms={"provenance": ORIGIN, "tier": "2"},
            )
    for dataset in Dataset.objects.filter(organisation=demo.organisation, listing=None):
        listings.set_terms(manager, dataset, is_listed=True, answers=Listing.Answers.ITSELF)
    listings.publish_changed()


@transaction.atomic
def _organisation(drawn: DrawnDataset, manager: User) -> Organisation:
    known = Organisation.objects.filter(name=drawn.organisation).first()
    if known is None:
        slug = free_slug(drawn.organisation.removesuffix(" (demo)"))
        known = Organisation.objects.create(name=drawn.organisation, slug=slug, country=drawn.country)
        permissions.grant(user=manager, role="manager", scope=known)
    return known


def _dataset(drawn: DrawnDataset, organisation: Organisation, manager: User) -> Dataset:
    known = Dataset.objects.filter(organisation=organisation, name=drawn.name).first()
    if known is not None:
        return known
    return datasets.create_dataset(
        by=manager,
        organisation=organisation,
        name=drawn.name,
        organ=drawn.organ,
        description=ORIGIN,
        licence=LICENCE,
        deidentification=Dataset.Deidentification.ALREADY_DONE,
    )
