"""Fills one node of the demo's network through the services that people use; again: adds what is missing."""

from collections.abc import Callable

from django.conf import settings
from django.core.management.base import CommandError
from django.db import transaction

from accounts import permissions
from accounts.models import Organisation, User
from accounts.services.organisations import free_slug
from accounts.services.people import create_account
from annotations.reading import projects, schemas
from atlas import datasets
from atlas.models import Dataset, Project, Study
from network import listings
from network.demo.nodes import PASSWORD, DemoDataset, DemoNode, DemoPerson
from network.demo.taking_in import take_facts_in, take_in

LICENCE = "CC0-1.0"
PROJECT = "Lung lesions across hospitals"
LABELS = [
    {
        "key": "",
        "name": "Tumour",
        "color": "#f5a742",
        "kinds": ["segment"],
        "code": {"value": "108369006", "scheme": "SCT", "meaning": "Neoplasm"},
        "required": False,
    }
]

type Say = Callable[[str], None]


def seed(node: DemoNode, say: Say) -> None:
    """People, images, a project and the catalogue. Raises CommandError outside a demo node."""
    if not settings.DEMO:
        raise CommandError("Demo accounts have a public password: set ATLAS_DEMO=1, on this machine only.")
    people = {one.username: _account(node, one) for one in node.people}
    if not node.organisation:
        _give_roles(node, people, None)
        return
    organisation = _organisation(node)
    _give_roles(node, people, organisation)
    for one in node.datasets:
        _dataset(node, one, organisation, people["manager"], say)
    if "lead" in people:
        _project(organisation, people)
    say("publishing the catalogue …")
    listings.publish_changed()


def _account(node: DemoNode, one: DemoPerson) -> User:
    known = User.objects.filter(username=one.username).first()
    return known or create_account(
        username=one.username,
        email=f"{one.username}@{node.key}.example",
        password=PASSWORD,
        first_name=one.first_name,
        last_name=one.last_name,
    )


@transaction.atomic
def _organisation(node: DemoNode) -> Organisation:
    known = Organisation.objects.filter(name=node.organisation).first()
    return known or Organisation.objects.create(
        name=node.organisation, slug=free_slug(node.organisation), country=node.country
    )


def _give_roles(node: DemoNode, people: dict[str, User], organisation: Organisation | None) -> None:
    """As the node's own command line makes its first people."""
    for one in node.people:
        scope = None if one.role == "administrator" else organisation
        if one.role and not permissions.roles_of(people[one.username], scope):
            permissions.grant(user=people[one.username], role=one.role, scope=scope)


def _dataset(
    node: DemoNode, one: DemoDataset, organisation: Organisation, manager: User, say: Say
) -> Dataset:
    dataset = Dataset.objects.filter(organisation=organisation, name=one.name).first()
    dataset = dataset or datasets.create_dataset(
        by=manager,
        organisation=organisation,
        name=one.name,
        organ=one.organ,
        description=one.description,
        licence=LICENCE,
        deidentification=Dataset.Deidentification.ALREADY_DONE,
    )
    if Study.objects.filter(dataset=dataset).count() < one.subjects * one.time_points:
        say(f"{one.name}: images of {one.subjects} subjects …")
        take_in(dataset, one.drawn(node))
        take_facts_in(dataset, one.drawn(node), by=manager)
        listings.set_terms(
            manager,
            dataset,
            is_listed=True,
            access=one.access,
            answers=one.answers,
            shows_pictures=one.shows_pictures,
        )
    return dataset


@transaction.atomic
def _project(organisation: Organisation, people: dict[str, User]) -> None:
    """A project that its lead may share with a reader of another node."""
    if Project.objects.filter(organisation=organisation, name=PROJECT).exists():
        return
    project = projects.create_project(
        by=people["lead"],
        organisation=organisation,
        name=PROJECT,
        description="Outline each lesion. Readers of other hospitals sign in with the hub.",
    )
    schemas.write_schema(by=people["lead"], project=project, labels=LABELS, seen_version=0, questions=[])
    for dataset in Dataset.objects.filter(organisation=organisation, organ="lung"):
        datasets.grant_dataset(by=people["manager"], dataset=dataset, project_slug=project.slug)
