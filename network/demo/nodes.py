"""The three nodes of the demo: names, people, and what each holds."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from network.demo.phantoms import Body, DrawnSubject

BODIES = {"lung": "chest", "liver": "abdomen", "breast": "breast"}
FIRST_DAY = date(2024, 1, 8)
INTERVAL_DAYS = 91

PASSWORD = "atlas-demo"  # noqa: S105 public; such nodes listen on loopback only


@dataclass(frozen=True)
class DemoPerson:
    username: str
    first_name: str
    last_name: str
    role: str
    """On the node ("administrator"), its organisation, or "" for none."""
    does: str


@dataclass(frozen=True)
class DemoDataset:
    """`subjects` of them, each with `time_points` studies; one series a study."""

    name: str
    organ: str
    modality: str
    subjects: int
    time_points: int
    description: str
    makers: tuple[tuple[str, str], ...]
    """Manufacturer and model of the scanners; subjects take turns."""
    answers: str = "itself"
    access: str = "request"
    shows_pictures: bool = True

    def drawn(self, node: "DemoNode") -> Iterator[DrawnSubject]:
        """Its subjects, each a little different; lesions shrink under treatment."""
        kind = BODIES[self.organ]
        for number in range(self.subjects):
            chance = random.Random(f"{node.key} {self.name} {number}")  # noqa: S311 drawings hold no secret
            yield DrawnSubject(
                name=f"{node.country}-{self.organ[:2].upper()}{number + 1:03}",
                body=Body(kind, number),
                modalities=(self.modality,),
                sex="F" if kind == "breast" else chance.choice("FM"),
                age=chance.randrange(38, 84),
                began=FIRST_DAY + timedelta(days=chance.randrange(500)),
                days=tuple(INTERVAL_DAYS * at for at in range(self.time_points)),
                growth=-0.3,
                scanners=self.makers,
            )


@dataclass(frozen=True)
class DemoNode:
    key: str
    name: str
    people: tuple[DemoPerson, ...]
    organisation: str = ""
    country: str = ""
    datasets: tuple[DemoDataset, ...] = field(default=())

    @property
    def is_hub(self) -> bool:
        return self.key == "hub"


_MADE_UP = "Computed shapes, no patient's images: made for trying a network of nodes."
_CT = (("SIEMENS", "SOMATOM Force"), ("GE MEDICAL SYSTEMS", "Revolution CT"))
_MR = (("Philips Medical Systems", "Ingenia"), ("SIEMENS", "MAGNETOM Vida"))

NODES: tuple[DemoNode, ...] = (
    DemoNode(
        key="hub",
        name="Network hub (demo)",
        people=(
            DemoPerson("admin", "Ada", "Lindqvist", "administrator", "runs the hub: nodes, invitations"),
            DemoPerson("researcher", "Mei-Ling", "Chen", "", "asks questions and requests access"),
            DemoPerson("reader", "Ingrid", "Solberg", "", "a radiologist with whom a project can be shared"),
        ),
    ),
    DemoNode(
        key="north",
        name="Karlsund University Hospital (demo)",
        organisation="Karlsund University Hospital (demo)",
        country="SE",
        people=(
            DemoPerson("admin", "Olof", "Nyström", "administrator", "runs the node"),
            DemoPerson(
                "manager", "Nina", "Berg", "manager", "the hospital's datasets, and what is published"
            ),
            DemoPerson("committee", "Sven", "Dahl", "access_committee", "answers requests for access"),
            DemoPerson("lead", "Noor", "Aydin", "project_creator", "runs a project, and may share it"),
        ),
        datasets=(
            DemoDataset("Chest CT", "lung", "CT", 24, 1, f"Chest CT at diagnosis. {_MADE_UP}", _CT),
            DemoDataset(
                "Liver CT follow-up", "liver", "CT", 16, 2, f"Liver, two time points. {_MADE_UP}", _CT[:1]
            ),
        ),
    ),
    DemoNode(
        key="south",
        name="Hospital de Belvale (demo)",
        organisation="Hospital de Belvale (demo)",
        country="PT",
        people=(
            DemoPerson("admin", "Rui", "Matos", "administrator", "runs the node"),
            DemoPerson(
                "manager", "Luís", "Ferreira", "manager", "the hospital's datasets, and what is published"
            ),
            DemoPerson("committee", "Inês", "Tavares", "access_committee", "answers requests for access"),
        ),
        datasets=(
            DemoDataset("Lung screening CT", "lung", "CT", 24, 1, f"Low-dose CT. {_MADE_UP}", _CT[1:]),
            DemoDataset(
                "Breast MR",
                "breast",
                "MR",
                24,
                1,
                f"Breast MR. {_MADE_UP}",
                _MR,
                answers="person",
                shows_pictures=False,
            ),
        ),
    ),
)
