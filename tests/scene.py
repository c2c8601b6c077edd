"""A small node for tests: one organisation, a dataset, a project with its people, cases and reads.

case 1  read by the reader (assigned, never opened) and by the other reader (in progress)
case 2  submitted by the reader
case 3  nobody's yet
case 4  read by the other reader, accepted, in release 1
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils import timezone

from accounts import permissions
from accounts.models import Organisation, User
from annotations.models import (
    Case,
    CaseStudy,
    LabelSchema,
    Read,
    Release,
    ReleaseCase,
    ReleaseRead,
    Review,
    Submission,
)
from atlas.models import Dataset, DatasetGrant, Project, Series, Study, Subject

LABELS = [
    {
        "key": "lesion",
        "name": "Lesion",
        "color": "#f5a742",
        "kinds": ["segment", "bidirectional"],
        "code": {"value": "4147007", "scheme": "SCT", "meaning": "Mass"},
        "required": True,
    },
    {
        "key": "node",
        "name": "Lymph node",
        "color": "#f27cc0",
        "kinds": ["segment"],
        "code": None,
        "required": False,
    },
]

PEOPLE = {
    "administrator": ("Maren", "Voss"),
    "manager": ("Tomas", "Brandt"),
    "data_manager": ("Ines", "Carvalho"),
    "lead": ("Mara", "Lindqvist"),
    "reviewer": ("Nina", "Berg"),
    "reader": ("Ada", "Okafor"),
    "other_reader": ("Claire", "Moreau"),
    "scientist": ("Noor", "Aydin"),
    "stranger": ("Piotr", "Zielinski"),
}


@dataclass
class Scene:
    organisation: Organisation
    dataset: Dataset
    project: Project
    people: dict[str, User]
    schema: LabelSchema
    cases: list[Case] = field(default_factory=list)
    reads: dict[str, Read] = field(default_factory=dict)
    release: Release | None = None


def person(name: str) -> User:
    first, last = PEOPLE[name]
    return User.objects.create_user(
        username=name,
        email=f"{name}@hospital.example",
        password="correct horse",
        first_name=first,
        last_name=last,
    )


def subject_with_studies(
    dataset: Dataset, pseudonym: str, days: Iterable[int], modality: str = "CT", description: str = "CT chest"
) -> list[Study]:
    """A subject with one study for each of these days after 14 January 2026, each of one readable series."""
    organisation = dataset.organisation
    subject = Subject.objects.create(organisation=organisation, pseudonym=pseudonym, sex="F")
    studies = []
    for day in days:
        uid = f"1.2.826.0.1.3680043.8.498.{subject.pk}.{day}"
        study = Study.objects.create(
            organisation=organisation,
            dataset=dataset,
            subject=subject,
            study_instance_uid=uid,
            date=datetime.date(2026, 1, 14) + datetime.timedelta(days=day),
            description=description,
            age_years=61,
        )
        Series.objects.create(
            organisation=organisation,
            study=study,
            series_instance_uid=f"{uid}.1",
            modality=modality,
            number=1,
            description="Axial",
            body_part="CHEST",
            state=Series.State.READY,
            changed_at=timezone.now(),
            generation=1,
            instance_count=120,
            frame_count=120,
        )
        studies.append(study)
    return studies


def case_of(project: Project, number: int, studies: list[Study]) -> Case:
    case = Case.objects.create(
        project=project, subject=studies[0].subject, number=number, title=studies[0].description
    )
    for position, study in enumerate(studies, start=1):
        CaseStudy.objects.create(case=case, study=study, position=position)
    return case


def submitted(read: Read, *, edit_number: int = 3) -> Submission:
    read.state, read.last_edit_number, read.opened_at = Read.State.SUBMITTED, edit_number, timezone.now()
    read.save()
    return Submission.objects.create(read=read, round=read.round, edit_number=edit_number, by=read.reader)


def accepted(read: Read, by: User) -> Submission:
    submission = submitted(read)
    Review.objects.create(submission=submission, verdict=Review.Verdict.ACCEPT, by=by)
    read.state = Read.State.ACCEPTED
    read.save()
    return submission


def build() -> Scene:
    people = {name: person(name) for name in PEOPLE}
    organisation = Organisation.objects.create(
        name="Nordhain University Hospital", slug="nordhain", country="DE"
    )
    dataset = Dataset.objects.create(
        organisation=organisation,
        name="Chest CT before and after treatment",
        slug="chest-ct",
        deidentification=Dataset.Deidentification.ALREADY_DONE,
    )
    project = Project.objects.create(
        organisation=organisation,
        name="RESPOND, treatment response in solid tumours",
        slug="respond",
        created_by=people["lead"],
    )
    permissions.grant(user=people["administrator"], role="administrator", scope=None)
    permissions.grant(user=people["manager"], role="manager", scope=organisation)
    permissions.grant(user=people["data_manager"], role="data_manager", scope=dataset)
    for name in ("lead", "reviewer", "reader", "scientist"):
        permissions.grant(user=people[name], role=name, scope=project)
    permissions.grant(user=people["other_reader"], role="reader", scope=project)
    DatasetGrant.objects.create(dataset=dataset, project=project, granted_by=people["manager"])
    schema = LabelSchema.objects.create(project=project, version=1, labels=LABELS, created_by=people["lead"])
    scene = Scene(organisation, dataset, project, people, schema)
    for number in range(1, 5):
        studies = subject_with_studies(dataset, f"NH-{20930 + number}", (0, 91, 182))
        scene.cases.append(case_of(project, number, studies))
    _add_reads(scene)
    return scene


def _add_reads(scene: Scene) -> None:
    people, cases = scene.people, scene.cases

    def read(name: str, case: Case, state: str = Read.State.ASSIGNED) -> Read:
        return Read.objects.create(
            case=case, reader=people[name], schema=scene.schema, state=state, assigned_by=people["lead"]
        )

    scene.reads["assigned"] = read("reader", cases[0])
    scene.reads["others"] = read("other_reader", cases[0], Read.State.IN_PROGRESS)
    scene.reads["submitted"] = read("reader", cases[1])
    submitted(scene.reads["submitted"])
    scene.reads["accepted"] = read("other_reader", cases[3])
    submission = accepted(scene.reads["accepted"], people["reviewer"])
    release = Release.objects.create(
        project=scene.project,
        number=1,
        title="First look",
        licence="CC BY 4.0",
        state=Release.State.READY,
        cases_total=1,
        cases_done=1,
        frozen_by=people["lead"],
        ready_at=timezone.now(),
    )
    release_case = ReleaseCase.objects.create(
        release=release, case=cases[3], number=cases[3].number, written_at=timezone.now()
    )
    ReleaseRead.objects.create(release_case=release_case, submission=submission, is_reference=True)
    scene.release = release
