"""The hospital of the demo, its people and its project. All of them are made up."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from accounts import permissions
from accounts.models import Organisation, User
from accounts.services.organisations import free_slug
from accounts.services.people import create_account
from annotations.reading import projects, schemas
from atlas.models import Project

PASSWORD = "atlas-demo"  # noqa: S105 public; such a node listens on loopback only
ORGANISATION = "Nordhain University Hospital (demo)"
COUNTRY = "DE"
PROJECT = "Tumours of brain, breast and lung"

PEOPLE = {
    "lead": ("Noor", "Aydin"),
    "reader1": ("Ingrid", "Solberg"),
    "reader2": ("Tomasz", "Zieliński"),
    "reviewer": ("Amara", "Okafor"),
    "scientist": ("Mei-Ling", "Chen"),
    "manager": ("Luís", "Ferreira"),
}
ROLES_IN_PROJECT = {
    "reader1": "reader",
    "reader2": "reader",
    "reviewer": "reviewer",
    "scientist": "scientist",
}


def _label(name: str, color: str, kinds: str, code: tuple[str, str, str] | None = None) -> dict[str, Any]:
    value, scheme, meaning = code or ("", "", "")
    return {
        "key": "",
        "name": name,
        "color": color,
        "kinds": kinds.split(),
        "code": {"value": value, "scheme": scheme, "meaning": meaning},
        "required": False,
    }


REGIONS = "ellipse circle rectangle polygon freehand spline livewire box"
LABELS = [
    _label("Tumour", "#f5a742", "segment", ("108369006", "SCT", "Neoplasm")),
    _label("Longest diameter", "#f27cc0", "length bidirectional", ("103339001", "SCT", "Long axis")),
    _label("Region of interest", "#3fd0bb", REGIONS, ("111030", "DCM", "Image Region")),
    _label("Point of interest", "#b9a8ff", "point"),
    _label("Remark", "#6fb7ff", "arrow angle cobb"),
]


def _question(text: str, of: str, answers: str = "", **more: Any) -> dict[str, Any]:
    options = [{"name": name} for name in answers.split(", ") if name]
    return {"key": "", "text": text, "of": of, "type": "choice", "options": options} | more


QUESTIONS = [
    _question("Image quality", "series", "Good, Limited, Poor"),
    _question("Margin", "annotation", "Smooth, Lobulated, Spiculated", only=["tumour"]),
    _question(
        "Internal features",
        "annotation",
        "Necrosis, Calcification, Haemorrhage",
        only=["tumour"],
        type="choices",
    ),
    _question("Days since the last treatment", "study", type="number", unit="d", least=0, most=3650),
    _question("Confidence", "case", "1, 2, 3, 4, 5"),
    _question("What else the next reader should know", "case", type="text"),
]
TUMOUR, DIAMETER = "tumour", "longest_diameter"


@dataclass(frozen=True)
class Hospital:
    """Who and where; `people` by account name."""

    organisation: Organisation
    people: dict[str, User]


def hospital() -> Hospital:
    """The organisation with its manager, and an account for everyone."""
    people = {name: _account(name, *full_name) for name, full_name in PEOPLE.items()}
    with transaction.atomic():
        organisation = Organisation.objects.filter(name=ORGANISATION).first()
        if organisation is None:  # as the node's own command line makes its first administrator
            organisation = Organisation.objects.create(
                name=ORGANISATION, slug=free_slug("Nordhain University Hospital"), country=COUNTRY
            )
            permissions.grant(user=people["manager"], role="manager", scope=organisation)
            permissions.grant(user=people["lead"], role="project_creator", scope=organisation)
    return Hospital(organisation, people)


def _account(username: str, first_name: str, last_name: str) -> User:
    known = User.objects.filter(username=username).first()
    return known or create_account(
        username=username,
        email=f"{username}@nordhain.example",
        password=PASSWORD,
        first_name=first_name,
        last_name=last_name,
    )


@transaction.atomic
def project(hospital: Hospital) -> Project:
    """The project, with labels and members."""
    lead = hospital.people["lead"]
    known = Project.objects.filter(organisation=hospital.organisation, name=PROJECT).first()
    if known is not None:
        return known
    made = projects.create_project(
        by=lead,
        organisation=hospital.organisation,
        name=PROJECT,
        description="Outline each tumour, and measure it where it is longest.",
    )
    schemas.write_schema(by=lead, project=made, labels=LABELS, seen_version=0, questions=QUESTIONS)
    for username, role in ROLES_IN_PROJECT.items():
        projects.add_member(by=lead, project=made, user=hospital.people[username], role=role)
    return made
