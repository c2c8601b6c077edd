"""Each hour, only datasets in which something can have changed are read."""

import random
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations.models import Case, Comparison, Read, Recall, ReferenceStandard, Submission
from atlas.models import ClinicalFact, Dataset, Series, Study, Subject
from network import listings
from network.facts import building
from network.listings import looked_at, publishing
from network.listings.looked_at import state_of
from network.models import Listing
from tests.cast import person, study_of
from tests.network.facts.world import people, stored
from tests.network.listings.own import grow, published

pytestmark = pytest.mark.django_db

CHANGES: dict[str, Callable[[Dataset], object]] = {
    "a subject comes": lambda dataset: study_of(dataset, "new"),
    "a series grows": lambda dataset: Series.objects.filter(study__dataset=dataset).update(instance_count=99),
    "the checks at intake find something": lambda dataset: Series.objects.filter(
        pk=Series.objects.filter(study__dataset=dataset)[0].pk
    ).update(findings=[{"code": "gantry_tilt", "sentence": "", "spoils": []}]),
    "a series goes": lambda dataset: Series.objects.filter(
        pk=Series.objects.filter(study__dataset=dataset, modality="SR")[0].pk
    ).delete(),
    "a day is corrected": lambda dataset: Study.objects.filter(dataset=dataset).update(date="2020-01-01"),
    "a sex is corrected": lambda dataset: Subject.objects.update(sex="O"),
    "a study moves": lambda dataset: Study.objects.filter(pk=dataset.studies.all()[0].pk).update(
        dataset=Dataset.objects.get(slug="other")
    ),
    "a clinical fact goes": lambda dataset: ClinicalFact.objects.all()[0].delete(),
    "a clinical fact is corrected": lambda dataset: ClinicalFact.objects.update(code="SCT:9"),
    "a case is recalled": lambda dataset: Recall.objects.create(
        project=Case.objects.all()[0].project, case=Case.objects.all()[0], case_number=1, reason="Wrong"
    ),
    "a case is hidden": lambda dataset: Case.objects.update(purpose=Case.Purpose.TRAINING),
    "a read is returned": lambda dataset: Read.objects.update(state=Read.State.RETURNED),
    "marks are worked out": lambda dataset: Submission.objects.update(facts_at=timezone.now()),
    "a reference is withdrawn": lambda dataset: ReferenceStandard.objects.all()[0].delete(),
    "readers are compared": lambda dataset: Comparison.objects.update(dice=0.5),
    "a hospital has another short name": lambda dataset: rename(dataset),
}


def rename(dataset: Dataset) -> None:
    dataset.organisation.slug = "south"
    dataset.organisation.save()


@pytest.fixture
def world(dataset: Dataset) -> Dataset:
    Dataset.objects.create(organisation=dataset.organisation, name="Other", slug="other")
    return stored(people(random.Random(4), 14), "world", person("rita"), person("otto"))


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_counts_are_made_of_is_seen_to_change(world: Dataset, change: str) -> None:
    before = state_of(world)
    assert state_of(world) == before
    CHANGES[change](world)
    assert state_of(world) != before


def test_what_happens_elsewhere_is_no_change(world: Dataset, dataset: Dataset) -> None:
    before = state_of(world)
    grow(dataset, 2)
    Series.objects.filter(study__dataset=dataset).update(instance_count=99)
    assert state_of(world) == before


def test_other_columns_and_another_policy_are_looked_at_anew(world: Dataset, settings, monkeypatch) -> None:
    before = state_of(world)
    monkeypatch.setattr(looked_at, "COLUMNS", {**building.COLUMNS, "study": {}})
    assert state_of(world) != before
    monkeypatch.undo()
    settings.DISCLOSURE_MINIMUM = 20
    assert state_of(world) != before


def test_a_dataset_without_changes_is_not_read(dataset: Dataset, monkeypatch) -> None:
    published(dataset)
    read: list[str] = []

    def build(dataset: Dataset, **how: object) -> object:
        read.append(dataset.slug)
        return building.build(dataset, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(publishing, "build", build)
    other = Dataset.objects.create(organisation=dataset.organisation, name="Other", slug="other")
    published(other)
    read.clear()
    grow(other, 3)
    listings.publish_changed()
    assert read == ["other"]
    listings.publish_changed()
    assert read == ["other"], "too little has changed, and nothing more since"


def test_other_words_are_published_without_reading_anything(dataset: Dataset, monkeypatch) -> None:
    published(dataset)
    monkeypatch.setattr(publishing, "build", None)
    dataset.name = "Lung nodules under follow-up"
    dataset.save()
    (version,) = listings.publish_changed()
    assert version.version == "1.0.1"
    assert Listing.objects.get().title == dataset.name


def test_looking_costs_one_query_however_large_the_dataset(dataset: Dataset) -> None:
    grow(dataset, 20, "CT MR")
    with CaptureQueriesContext(connection) as queries:
        state_of(dataset)
    assert len(queries) == 1


def test_a_dataset_that_has_changed_is_looked_at_once(dataset: Dataset, monkeypatch) -> None:
    published(dataset)
    looked: list[str] = []

    def look(dataset: Dataset) -> str:
        looked.append(dataset.slug)
        return state_of(dataset)

    monkeypatch.setattr(publishing, "state_of", look)
    grow(dataset, 3)
    listings.publish_changed()
    assert looked == ["lung"]
    assert Listing.objects.get().looked_at == state_of(dataset)
