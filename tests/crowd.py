"""A project as large as Atlas plans for: thousands of cases, dozens of readers, in all states of reading.

Rows are copied into the database as they would stand after months of work; nobody drew anything, so marks
have no voxels and comparisons hold drawn numbers. The same `seed` gives the same project.
"""

import datetime
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.management.color import no_style
from django.db import connection, models
from django.utils import timezone

from accounts import permissions
from accounts.models import Organisation, User
from annotations.models import (
    Annotation,
    Case,
    CaseStudy,
    Comparison,
    LabelFact,
    LabelSchema,
    MarkFact,
    Read,
    ReadingDesign,
    ReadTime,
    ReferenceStandard,
    Review,
    Submission,
)
from atlas.models import Dataset, DatasetGrant, Project, Series, Study, Subject

LABELS = ("lesion", "node")
DAYS = 200
DONE, RETURNED, SUBMITTED, IN_PROGRESS, ASSIGNED = 0.58, 0.61, 0.69, 0.78, 0.9
"""Where the shares of cases end, in the order of their numbers; the rest has no reader."""
S = Read.State

PAGES = {
    "lead": (
        "/projects/",
        "/projects/{slug}/",
        "/projects/{slug}/agreement/",
        "/projects/{slug}/figures.json",
        "/projects/{slug}/cases/",
        "/projects/{slug}/cases/?state=to_adjudicate",
        "/projects/{slug}/cases/?state=unassigned&page=3",
        "/projects/{slug}/cases/?text=42",
        "/projects/{slug}/cases/17/",
        "/projects/{slug}/cases/add/",
        "/projects/{slug}/members/",
        "/projects/{slug}/labels/",
        "/projects/{slug}/reading/",
        "/projects/{slug}/hanging/",
        "/projects/{slug}/releases/",
        "/projects/{slug}/releases/new/",
        "/projects/{slug}/audit/",
        "/worklist/",
        "/api/v1/reads/{of_reader}/",
    ),
    "reviewer": ("/projects/", "/projects/{slug}/", "/projects/{slug}/cases/", "/worklist/"),
    "reader": ("/projects/", "/projects/{slug}/", "/worklist/", "/api/v1/reads/{own}/"),
}
"""What is opened of a project, by whom. Files that hold all of it are no pages."""


@dataclass
class Crowd:
    project: Project
    dataset: Dataset
    lead: User
    reviewer: User
    readers: list[User]
    schema: LabelSchema


def addresses(crowd: "Crowd", who: str) -> list[str]:
    """PAGES with the names of this crowd's project and of reads in it."""
    reads = Read.objects.filter(case__project=crowd.project)
    names = {
        "slug": crowd.project.slug,
        "own": reads.filter(reader=crowd.readers[0], state=S.IN_PROGRESS).values_list("public_id", flat=True)[
            0
        ],
        "of_reader": reads.filter(state=S.SUBMITTED).values_list("public_id", flat=True)[0],
    }
    return [page.format(**names) for page in PAGES[who]]


@dataclass
class _Rows:
    """What is copied, by model; primary keys count from where each table stands."""

    next_pk: dict[type[models.Model], int] = field(default_factory=dict)
    rows: dict[type[models.Model], list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, model: type[models.Model], **values: Any) -> int:
        if model not in self.next_pk:
            self.next_pk[model] = (model._default_manager.aggregate(top=models.Max("pk"))["top"] or 0) + 1
            self.rows[model] = []
        pk = self.next_pk[model]
        self.next_pk[model] += 1
        self.rows[model].append({"id": pk} | values)
        return pk

    def copy(self) -> None:
        for model, rows in self.rows.items():
            _copy(model, rows)


def build(cases: int = 10_000, readers: int = 50, *, slug: str = "crowd", seed: int = 1) -> Crowd:
    """Two blind readers a case, one case in fifty with a third, one in fifty a hidden reference."""
    chance = random.Random(seed)
    crowd = _people(readers, slug)
    rows = _Rows()
    skills = [chance.uniform(0.75, 0.93) for _ in range(readers)]
    now = timezone.now()
    for number in range(1, cases + 1):
        place = (number - 0.5) / cases
        _case(crowd, rows, chance, skills, number, place, now)
    rows.copy()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return crowd


def _people(readers: int, slug: str) -> Crowd:
    organisation = Organisation.objects.create(name=f"Hospital of {slug}", slug=slug, country="SE")
    dataset = Dataset.objects.create(
        organisation=organisation,
        name=f"Images of {slug}",
        slug=slug,
        deidentification=Dataset.Deidentification.ALREADY_DONE,
    )
    lead, reviewer = _person(f"{slug}-lead", "Lena", "Holm"), _person(f"{slug}-reviewer", "Rolf", "Brenner")
    project = Project.objects.create(
        organisation=organisation, name=f"All of {slug}", slug=slug, created_by=lead
    )
    permissions.grant(user=lead, role="lead", scope=project)
    permissions.grant(user=reviewer, role="reviewer", scope=project)
    people = [_person(f"{slug}-{number}", "Ada", _surname(number)) for number in range(1, readers + 1)]
    for person in people:
        permissions.grant(user=person, role="reader", scope=project)
    DatasetGrant.objects.create(dataset=dataset, project=project, granted_by=lead)
    ReadingDesign.objects.create(project=project, readers_per_case=2)
    labels = [
        {
            "key": key,
            "name": key.title(),
            "color": "#f5a742",
            "kinds": ["segment"],
            "code": None,
            "required": True,
        }
        for key in LABELS
    ]
    schema = LabelSchema.objects.create(project=project, version=1, labels=labels, created_by=lead)
    return Crowd(project, dataset, lead, reviewer, people, schema)


def _person(username: str, first_name: str, last_name: str) -> User:
    return User.objects.create(
        username=username, email=f"{username}@example.org", first_name=first_name, last_name=last_name
    )


def _surname(number: int) -> str:
    """Another one for each number: Lindal, Lindbo, …, Vester."""
    begins, ends = (
        ("Lind", "Berg", "Sund", "Vest", "Nor", "Ek", "Holm", "Gran"),
        ("al", "bo", "er", "ing", "ov"),
    )
    round_, place = divmod(number - 1, len(begins) * len(ends))
    return f"{begins[place % 8]}{ends[place // 8]}{round_ + 1 if round_ else ''}"


def _case(
    crowd: Crowd,
    rows: _Rows,
    chance: random.Random,
    skills: list[float],
    number: int,
    place: float,
    now: datetime.datetime,
) -> None:
    organisation, project = crowd.project.organisation_id, crowd.project.pk
    subject = rows.add(Subject, organisation_id=organisation, pseudonym=f"{crowd.project.slug}-{number:05}")
    uid = f"1.2.826.0.1.3680043.8.499.{project}.{number}"
    study = rows.add(
        Study,
        organisation_id=organisation,
        dataset_id=crowd.dataset.pk,
        subject_id=subject,
        study_instance_uid=uid,
        date=(now - datetime.timedelta(days=400 + number % 300)).date(),
        description="CT chest",
    )
    series = rows.add(
        Series,
        organisation_id=organisation,
        study_id=study,
        series_instance_uid=f"{uid}.1",
        modality=chance.choice(("CT", "CT", "MR", "PT")),
        number=1,
        description="Axial",
        body_part=chance.choice(("CHEST", "ABDOMEN", "HEAD")),
        state=Series.State.READY,
        changed_at=now,
        generation=1,
        instance_count=120,
        frame_count=120,
    )
    is_reference = number % 50 == 7
    disagrees = place < DONE and not is_reference and chance.random() < 0.08
    adjudicated = disagrees and chance.random() < 0.5
    case = rows.add(
        Case,
        project_id=project,
        subject_id=subject,
        number=number,
        title="",
        purpose=Case.Purpose.HIDDEN_REFERENCE if is_reference else Case.Purpose.ORDINARY,
        compared_at=now if place < DONE else None,
        needs_adjudication=disagrees and not adjudicated,
        disagreements=["The least Dice of two readers is 0.61 (limit 0.80)."] if disagrees else [],
    )
    rows.add(CaseStudy, case_id=case, study_id=study, position=1)
    reads = _reads(crowd, rows, chance, case, number, place, now)
    done = [one for one in reads if one[1] is not None]
    reference = None
    if is_reference:
        reference = _adjudicated(crowd, rows, case, now - datetime.timedelta(days=DAYS + 5))
    elif adjudicated:
        reference = _adjudicated(crowd, rows, case, now - datetime.timedelta(days=1))
    elif place < DONE and not disagrees and done:
        rows.add(ReferenceStandard, case_id=case, submission_id=done[0][1], how="agreed", since=done[-1][2])
    pairs = [(a, b) for i, a in enumerate(done) for b in done[i + 1 :]]
    for a, b in pairs:
        _compared(rows, chance, case, a[1], b[1], (skills[a[0]] + skills[b[0]]) / 2, disagrees)
    if reference is not None:
        for reader, submission, _ in done:
            _compared(rows, chance, case, submission, reference, skills[reader], disagrees=False)
    handed_in = [submission for _, submission, _ in done] + [reference] * (reference is not None)
    for submission in handed_in:
        _facts(rows, random.Random(submission), submission, series)


def _reads(
    crowd: Crowd,
    rows: _Rows,
    chance: random.Random,
    case: int,
    number: int,
    place: float,
    now: datetime.datetime,
) -> list[tuple[int, int | None, datetime.datetime]]:
    """[reader's place, submission or None, when] of the case's reads."""
    if place >= ASSIGNED:
        return []
    found = []
    readers = chance.sample(range(len(crowd.readers)), min(2 + (number % 50 == 0), len(crowd.readers)))
    for which, reader in enumerate(readers):
        state = _state(place, which)
        ago = DAYS * (1 - place / SUBMITTED) if place < SUBMITTED else 0
        at = now - datetime.timedelta(days=max(ago, 0) + chance.random())
        was_submitted = state in (S.SUBMITTED, S.RETURNED, S.ACCEPTED)
        again = state == S.RETURNED or (state == S.ACCEPTED and chance.random() < 0.12)
        read = rows.add(
            Read,
            case_id=case,
            reader_id=crowd.readers[reader].pk,
            schema_id=crowd.schema.pk,
            state=state,
            round=2 if again else 1,
            last_edit_number=0 if state == S.ASSIGNED else 40,
            due=(at + datetime.timedelta(days=60)).date() if number % 3 == 0 else None,
            assigned_by_id=crowd.lead.pk,
            assigned_at=at - datetime.timedelta(days=20),
            opened_at=None if state == S.ASSIGNED else at - datetime.timedelta(days=1),
            changed_at=at,
        )
        if state != S.ASSIGNED:
            active_s = chance.uniform(300, 1800)
            rows.add(ReadTime, read_id=read, active_s=active_s, open_s=active_s * 1.3)
            _marks(rows, crowd, chance, read)
        submission = None
        if was_submitted:
            for round_ in range(1, 2 + (again and state == S.ACCEPTED)):
                submission = rows.add(
                    Submission,
                    read_id=read,
                    round=round_,
                    edit_number=20 * round_,
                    by_id=crowd.readers[reader].pk,
                    at=at,
                    facts_at=at,
                )
                last = round_ == (2 if again and state == S.ACCEPTED else 1)
                if state == S.RETURNED or not last or state == S.ACCEPTED:
                    verdict = "accept" if state == S.ACCEPTED and last else "return"
                    rows.add(
                        Review, submission_id=submission, verdict=verdict, by_id=crowd.reviewer.pk, at=at
                    )
        found.append((reader, submission, at))
    return found


def _facts(rows: _Rows, chance: random.Random, submission: int, series: int) -> None:
    """One to four marks, most of them lesions, and what was said of each label."""
    counts = dict.fromkeys(LABELS, 0)
    largest = dict.fromkeys(LABELS, 0.0)
    for at in range(chance.randint(1, 4)):
        label = LABELS[0] if chance.random() < 0.8 else LABELS[1]
        longest_mm = chance.lognormvariate(3, 0.4)
        counts[label] += 1
        largest[label] = max(largest[label], longest_mm)
        rows.add(
            MarkFact,
            submission_id=submission,
            annotation=UUID(int=submission * 10 + at),
            series_id=series,
            label=label,
            code="",
            kind="segment",
            state="present",
            longest_mm=longest_mm,
            shortest_mm=longest_mm * chance.uniform(0.4, 1),
            volume_ml=(longest_mm / 20) ** 3 * 4,
            origin=chance.choice(("reader", "reader", "proposal", "proposal_changed")),
        )
    for label in LABELS:
        rows.add(
            LabelFact,
            submission_id=submission,
            label=label,
            code="",
            state="present" if counts[label] else chance.choice(("absent", "not_assessed")),
            count=counts[label],
            longest_mm=largest[label] or None,
            volume_ml=(largest[label] / 20) ** 3 * 4 or None,
        )


def _state(place: float, which: int) -> str:
    if place < DONE:
        return S.ACCEPTED
    slowest = (
        S.RETURNED
        if place < RETURNED
        else S.SUBMITTED
        if place < SUBMITTED
        else S.IN_PROGRESS
        if place < IN_PROGRESS
        else S.ASSIGNED
    )
    return slowest if which == 0 else S.SUBMITTED if slowest == S.IN_PROGRESS else slowest


def _marks(rows: _Rows, crowd: Crowd, chance: random.Random, read: int) -> None:
    for _ in range(chance.randint(1, 3)):
        identity = UUID(int=chance.getrandbits(128), version=4)
        label = LABELS[0] if chance.random() < 0.8 else LABELS[1]
        rows.add(
            Annotation,
            read_id=read,
            annotation_id=identity,
            schema_id=crowd.schema.pk,
            version=1,
            value={"kind": "segment", "label": label},
        )


def _adjudicated(crowd: Crowd, rows: _Rows, case: int, at: datetime.datetime) -> int:
    read = rows.add(
        Read,
        case_id=case,
        reader_id=crowd.reviewer.pk,
        kind=Read.Kind.ADJUDICATION,
        schema_id=crowd.schema.pk,
        state=S.ACCEPTED,
        last_edit_number=12,
        assigned_by_id=crowd.lead.pk,
        assigned_at=at,
        opened_at=at,
        changed_at=at,
    )
    submission = rows.add(
        Submission, read_id=read, round=1, edit_number=12, by_id=crowd.reviewer.pk, at=at, facts_at=at
    )
    rows.add(ReferenceStandard, case_id=case, submission_id=submission, how="adjudicated", since=at)
    return submission


def _compared(
    rows: _Rows,
    chance: random.Random,
    case: int,
    first: int,
    second: int,
    skill: float,
    disagrees: bool,
) -> None:
    first, second = sorted((first, second))
    for label in LABELS:
        both_empty = label == "node" and chance.random() < 0.6
        dice = None if both_empty else chance.betavariate(30 * skill, 30 * (1 - skill))
        if dice is not None and disagrees:
            dice *= 0.8
        volume = chance.lognormvariate(8, 1)
        other = volume * chance.uniform(0.8, 1.2)
        rows.add(
            Comparison,
            case_id=case,
            first_id=first,
            second_id=second,
            label=label,
            dice=dice,
            surface_dice=None if dice is None else min(dice * 1.05, 1.0),
            hd95_mm=None if dice is None else (1 - dice) * 20,
            first_volume_mm3=0.0 if both_empty else volume,
            second_volume_mm3=0.0 if both_empty else other,
            matched=0 if both_empty else 1,
            unmatched=0 if both_empty else int(chance.random() < 0.1),
            both_empty=both_empty,
            disagrees=disagrees and label == "lesion",
            numbers={"lesions": [] if both_empty else [_lesion(chance, dice or 0.0)]},
        )


def _lesion(chance: random.Random, dice: float) -> dict[str, Any]:
    """One that both measured, or (one of ten) only one of them."""
    longest_mm = chance.lognormvariate(3, 0.4)
    first = {"longest_mm": longest_mm, "volume_mm3": None}
    second = {"longest_mm": longest_mm + chance.gauss(0.4, 12 * (1 - dice)), "volume_mm3": None}
    alone = chance.random()
    return {"first": None if alone < 0.05 else first, "second": None if alone > 0.95 else second}


# Copying ----------------------------------------------------------------------------------------


def _copy(model: type[models.Model], rows: list[dict[str, Any]]) -> None:
    fields = [one for one in model._meta.concrete_fields if not isinstance(one, models.GeneratedField)]
    columns = ", ".join(connection.ops.quote_name(one.column) for one in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    connection.ensure_connection()
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for values in _prepared(fields, rows):
            copy.write_row(values)
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [model]):
            cursor.execute(statement)


def _prepared(fields: Iterable[models.Field], rows: Iterable[dict[str, Any]]) -> Iterator[list[Any]]:
    now = timezone.now()
    for row in rows:
        values = []
        for one in fields:
            if one.attname in row:
                value = row[one.attname]
            elif getattr(one, "auto_now", False) or getattr(one, "auto_now_add", False):
                value = now
            else:
                value = one.get_default()
            values.append(one.get_db_prep_save(value, connection))
        yield values
