"""The demo's catalogue: drawn images come in like any others, and are enough to be counted."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from django.core.management.base import CommandError
from django.test import Client

from atlas.clinical.headings import guessed
from atlas.clinical.mapping import Reader
from atlas.clinical.tables import Table
from atlas.models import ClinicalFact, ClinicalImport, Instance, Series, Subject
from network.demo import catalogue, seed_catalogue
from network.demo.clinical import COURSES, table
from network.demo.phantoms import Body, DrawnSubject
from network.models import Listing

SUBJECT = DrawnSubject(
    name="drawn-1",
    body=Body("chest", 0),
    modalities=("CT",),
    sex="F",
    age=60,
    began=date(2024, 1, 8),
    days=(0, 90),
)


@pytest.mark.usefixtures("db")
def test_a_seeded_catalogue_tells_counts_and_shows_pictures(settings, tmp_path: Path, monkeypatch) -> None:
    settings.DEMO = True
    settings.OBJECTS_DIR = tmp_path / "objects"
    monkeypatch.setattr(catalogue, "DRAWN", catalogue.DRAWN[1:2])
    seed_catalogue(lambda line: None)
    listing = Listing.objects.get()
    assert (listing.country, listing.access, listing.answers) == ("ES", "request", "itself")
    assert abs(listing.subjects - catalogue.SUBJECTS) < 10
    assert not Series.objects.exclude(state=Series.State.READY).exists()
    answer = Client().get(f"/catalogue/{listing.slug}/pictures/1/")
    assert answer.content[8:12] == b"WEBP"
    require_facts(listing)
    facets = set(listing.facets.values_list("facet", "value"))
    assert {("organ", "breast"), ("modality", "MR"), ("sex", "F"), ("body_part", "BREAST")} <= facets

    before = Instance.objects.count(), ClinicalFact.objects.count()
    seed_catalogue(lambda line: None)
    assert (Instance.objects.count(), ClinicalFact.objects.count()) == before


def require_facts(listing: Listing) -> None:
    """Diagnoses to filter by, and a timeline of each subject."""
    conditions = dict(listing.facets.filter(facet="condition").values_list("value", "subjects"))
    assert conditions.keys() == {"ICD10:C50.4", "ICD10:C50.9"}
    assert None not in conditions.values()
    assert "Malignant neoplasm of breast (C50.4)" in Client().get("/catalogue/").content.decode()
    one = ClinicalImport.objects.get()
    assert (one.state, one.rows_refused, one.by.username) == ("done", 0, "manager")
    for subject in Subject.objects.all():
        kinds = set(subject.clinical_facts.values_list("kind", flat=True))
        assert kinds == {"condition", "stage", "treatment", "status"}
    client = Client()
    client.force_login(one.by)
    page = client.get(f"/datasets/{one.dataset.slug}/subjects/{subject.public_id}/").content.decode()
    assert "Chemotherapy" in page
    assert "Stage II" in page


@pytest.mark.parametrize("kind", COURSES)
def test_every_course_of_a_disease_is_understood_as_it_is_written(kind: str) -> None:
    subjects = [replace(SUBJECT, name=f"drawn-{at}", body=Body(kind, at)) for at in range(4)]
    rows = Table(table(subjects))
    reader = Reader(guessed(rows.columns), rows.columns)
    facts = [fact for row in rows.rows() for fact in reader.facts(row)]
    assert {fact.kind for fact in facts} == {"condition", "stage", "treatment", "status"}
    assert all(fact.starts and fact.meaning for fact in facts if fact.kind == "condition")


def test_nothing_is_drawn_on_a_node_that_is_no_demo(settings) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="ATLAS_DEMO"):
        seed_catalogue(lambda line: None)
