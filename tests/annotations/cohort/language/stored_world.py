"""A world as rows of the database."""

from collections.abc import Callable
from functools import cache
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import Organisation, User
from annotations.models import (
    Case,
    CaseStudy,
    Comparison,
    LabelFact,
    LabelSchema,
    MarkFact,
    Read,
    Recall,
    ReferenceStandard,
    Release,
    ReleaseCase,
    Submission,
)
from atlas.clinical.codes import stage_code
from atlas.models import ClinicalFact, Dataset, Project, Series, Study, Subject
from tests.annotations.cohort.language.world import AnyCase, Handed, World

LABELS = [
    {"key": "tumour", "name": "Tumour", "kinds": ["segment"], "code": {"scheme": "SCT", "value": "1"}},
    {"key": "node", "name": "Node", "kinds": ["segment"], "code": {"scheme": "99X", "value": "a b"}},
]


def stored(world: World, slug: str, people: list[User], name_of: Callable[[Project, User], str]) -> Project:
    """A project that holds the world; the people are shared with other worlds."""
    sites = {name: _organisation(name) for name in ("north", "south")}
    datasets = {name: _dataset(sites["north"], name) for name in ("ct", "mr-2", "of nobody")}
    project = Project.objects.create(organisation=sites["north"], name=slug, slug=slug, created_by=people[0])
    schema = LabelSchema.objects.create(project=project, version=1, labels=LABELS, created_by=people[0])
    world.names = {at: name_of(project, person) for at, person in enumerate(people)}
    releases = [Release.objects.create(project=project, number=n, frozen_by=people[0]) for n in (1, 2)]

    @cache
    def subject(at: int) -> Subject:
        told = next(one.subject for one in world.cases if one.number % 8 == at)
        made = Subject.objects.create(
            organisation=sites[told["site"]], pseudonym=f"{slug}-{at}", sex=told["sex"]
        )
        _store_clinical(told["facts"], made, datasets)
        return made

    for told in world.cases:
        case = Case.objects.create(
            project=project,
            subject=subject(told.number % 8),
            number=told.number,
            purpose=told.purpose,
            needs_adjudication=told.waits,
        )
        if told.recalled:
            Recall.objects.create(project=project, case=case, case_number=case.number, reason="Consent.")
        drawn_on = _store_studies(told, case, datasets)
        _store_reads(told, case, schema, people, drawn_on)
        for number, withdrawn in told.releases:
            ReleaseCase.objects.create(
                release=releases[number - 1],
                case=case,
                number=case.number,
                withdrawn_at=timezone.now() if withdrawn else None,
            )
    return project


def _store_clinical(facts: list[dict[str, Any]], subject: Subject, datasets: dict[str, Dataset]) -> None:
    ClinicalFact.objects.bulk_create(
        ClinicalFact(
            subject=subject,
            dataset=datasets[fact["dataset"]],
            kind=fact["kind"],
            name=fact["name"],
            code=stage_code(fact["value"]) if fact["kind"] == "stage" else fact["value"],
            starts_on=fact["on"],
            digest=str(at),
        )
        for at, fact in enumerate(facts)
    )


def _organisation(slug: str) -> Organisation:
    return Organisation.objects.get_or_create(slug=slug, defaults={"name": slug, "country": "SE"})[0]


def _dataset(organisation: Organisation, slug: str) -> Dataset:
    return Dataset.objects.get_or_create(slug=slug, defaults={"name": slug, "organisation": organisation})[0]


def _store_studies(told: AnyCase, case: Case, datasets: dict[str, Dataset]) -> dict[str, Series]:
    """What marks are drawn on, by modality: series of a study that no case has."""
    organisation = case.subject.organisation
    uid = f"1.2.{case.pk}"

    def study(one: dict[str, Any], its_uid: str) -> Study:
        return Study.objects.create(
            organisation=organisation,
            dataset=datasets[one["dataset"]],
            subject=case.subject,
            study_instance_uid=its_uid,
            date=one["date"],
            description=one["description"],
            age_years=one["age"],
        )

    def series(of: Study, at: int, one: dict[str, Any]) -> Series:
        phases = [[n * 5, 5] for n in range(one["phases"] or 0)]
        return Series.objects.create(
            organisation=organisation,
            study=of,
            series_instance_uid=f"{of.study_instance_uid}.{at}",
            modality=one["modality"],
            body_part=one["body_part"],
            description=one["description"],
            instance_count=one["images"],
            frame_count=one["frames"],
            changed_at=timezone.now(),
            manufacturer=one.get("manufacturer", ""),
            model_name=one.get("model", ""),
            slice_thickness_mm=one.get("slice_thickness_mm"),
            pixel_spacing_mm=one.get("pixel_spacing_mm"),
            findings=[{"code": code, "sentence": code, "spoils": []} for code in one["finding"]],
            summary=None
            if one["plane"] is None
            else {"plane": one["plane"], "sides": [], "phases": phases if len(phases) > 1 else []},
        )

    for one in told.studies:
        made = study(one, f"{uid}.{one['position']}")
        CaseStudy.objects.create(case=case, study=made, position=one["position"])
        for at, each in enumerate(one["series"]):
            series(made, at, each)
    plain = {"dataset": "ct", "date": None, "description": "", "age": None}
    aside = study(plain, f"{uid}.99")
    told_of = {"body_part": "", "description": "", "images": 1, "frames": 0, "finding": [], "phases": 1}
    return {
        modality: series(aside, at, {**told_of, "plane": "", "modality": modality})
        for at, modality in enumerate(("CT", "MR", "PT"))
    }


def _store_reads(
    told: AnyCase, case: Case, schema: LabelSchema, people: list[User], drawn_on: dict[str, Series]
) -> None:
    for one in told.reads:
        one.row = Read.objects.create(
            case=case,
            reader=people[one.reader],
            schema=schema,
            kind=one.kind,
            state=one.state,
            round=one.round,
        )
        for handed in one.handed:
            handed.row = Submission.objects.create(
                read=one.row,
                round=handed.round,
                edit_number=1,
                by=people[one.reader],
                facts_at=timezone.now(),
            )
            _store_facts(handed, drawn_on)
    if told.reference:
        ReferenceStandard.objects.create(case=case, how=told.reference[0], submission=told.reference[1].row)
    for one in told.comparisons:
        first, second = sorted((each.row for each in one["submissions"]), key=lambda row: row.pk)
        numbers = {
            key: one[key] for key in ("label", "dice", "surface_dice", "hd95_mm", "unmatched", "disagrees")
        }
        Comparison.objects.create(case=case, first=first, second=second, **numbers)


def _store_facts(handed: Handed, drawn_on: dict[str, Series]) -> None:
    MarkFact.objects.bulk_create(
        MarkFact(
            submission=handed.row,
            annotation=UUID(int=at),
            series=drawn_on[mark["modality"]],
            **{key: value for key, value in mark.items() if key != "modality"},
        )
        for at, mark in enumerate(handed.marks)
    )
    LabelFact.objects.bulk_create(
        LabelFact(
            submission=handed.row,
            count=label["lesions"],
            **{key: value for key, value in label.items() if key != "lesions"},
        )
        for label in handed.labels
    )
