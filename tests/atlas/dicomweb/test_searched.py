"""Every road of a search finds the same: reading in order, the index of tokens, and the tables themselves."""

import random
from datetime import date, timedelta

import pytest
from django.db import connection

from atlas import policies
from atlas.dicomweb import qido, searched
from atlas.models import Instance, SearchedSeries, Series, Study, Subject
from tests.cast import study_of

STUDIES = 120
SEARCHES = 80
WORDS = ("lung", "Lung 100%", "a_b", "ab", "", "T1\\T2", "äö chest", "dose")

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def chance() -> random.Random:
    return random.Random(7)


@pytest.fixture
def many(dataset, chance) -> policies.Sight:
    """Studies with all that can be odd: no date, years out of the common, empty and strange descriptions."""
    days = [None, date(1, 1, 1), date(1799, 12, 31), date(2099, 12, 31), date(2200, 1, 1)]
    for number in range(STUDIES):
        modalities = " ".join(chance.choices(("CT", "MR", "SEG", "SR"), k=chance.randint(1, 4)))
        study = study_of(dataset, f"P{chance.choice('AB')}-{number % 40:03d}", None, modalities)
        day = chance.choice(days + [date(1990, 1, 1) + timedelta(days=chance.randrange(9000))] * 9)
        Study.objects.filter(pk=study.pk).update(
            date=day, description=chance.choice(WORDS), accession_number=str(number % 7)
        )
        for series in study.series.all():
            series.description = f"{chance.choice(WORDS)} {chance.choice(WORDS)}"
            series.body_part = chance.choice(("", "LUNG", "CHEST"))
            series.number = chance.choice((None, 1, 2, -3))
            series.save()
            Instance.objects.bulk_create(
                Instance(
                    organisation=dataset.organisation,
                    series=series,
                    sop_instance_uid=f"1.2.{series.pk}.{at}",
                    rows=chance.choice((256, 512)),
                    size=1,
                    hold=chance.choice(("", "", "text")),
                )
                for at in range(chance.randint(0, 3))
            )
    for subject in Subject.objects.all():
        Subject.objects.filter(pk=subject.pk).update(sex=chance.choice(("M", "F", "")))
    return policies.Sight((dataset.pk,), ())


def some_search(chance: random.Random, level: str) -> list[tuple[str, str]]:
    day = f"{chance.randint(1989, 2016)}{chance.randint(1, 12):02d}{chance.randint(1, 28):02d}"
    later = f"{chance.randint(2000, 2120)}0301"
    word = chance.choice([word for word in WORDS if word])
    words = ("*", f"*{word}*", f"{word}*", f"*{word}", f"?{word[1:]}*", word, f"{word} {word}", '""')
    filters = {
        "StudyDate": (day, f"{day[:4]}0101-{day[:4]}1231", f"{day}-", f"-{day}", f"{day}-{later}", '""'),
        "StudyDescription": words,
        "PatientID": ("PA-001", "PA-*", "P?-00*", "*-00?", "PB-0", "P*7", "nobody*"),
        "PatientSex": ("M", "F", '""'),
        "ModalitiesInStudy": ("CT", "CT,MR", "S*", "XX"),
        "AccessionNumber": ("3", "?"),
    }
    if level != "study":
        filters |= {
            "Modality": ("CT", "CT,MR", "S?", "S*\\MR"),
            "SeriesDescription": words,
            "BodyPartExamined": ("LUNG", '""', "*E*"),
            "SeriesNumber": ("1", "-3", '""'),
        }
    if level == "instance":
        filters["Rows"] = ("256",)
    asked = [
        (name, chance.choice(filters[name])) for name in chance.sample(sorted(filters), chance.randint(0, 4))
    ]
    return [*asked, ("limit", str(chance.choice((1, 5, 1000)))), ("offset", str(chance.choice((0, 0, 3))))]


@pytest.mark.parametrize("level", ["study", "series", "instance"])
def test_all_roads_find_the_same_in_the_same_order(level, many, chance, monkeypatch):
    monkeypatch.setattr(searched, "_size", lambda: 1_000_000)
    finding = 0
    for _ in range(SEARCHES):
        parameters = some_search(chance, level)
        asked = qido.taken_apart(parameters, level, (None, None, None))
        last = asked.offset + asked.limit
        plain = list(
            qido.matching(asked, many)
            .order_by(*searched.ORDER[level])
            .values_list("pk", flat=True)[asked.offset : last]
        )
        finding += bool(plain)
        for road, stretch, is_better in (
            ("whole", 1_000_000, False),
            ("in order", 50_000, False),
            ("index", 1000, True),
        ):
            monkeypatch.setattr(searched, "STRETCH", stretch)
            monkeypatch.setattr(searched, "_is_index_better", lambda *_, is_better=is_better: is_better)
            monkeypatch.setattr(searched, "SERIES_MANY", 1000 if is_better else 0)
            found = searched.keys(level, asked.matches, many, asked.offset, last)
            assert found == plain, (road, parameters)
    assert finding > SEARCHES / 4


def test_the_road_is_chosen_by_what_the_first_stretch_shows(many, monkeypatch):
    monkeypatch.setattr(searched, "_size", lambda: 1_000_000)
    monkeypatch.setattr(searched, "STRETCH", 100_000)
    for parameters in (
        [],
        [("Modality", "CT")],
        [("SeriesDescription", "*lung*")],
        [("PatientID", "PA-00*")],
    ):
        for level in ("series", "instance"):
            asked = qido.taken_apart(parameters, level, (None, None, None))
            plain = qido.matching(asked, many).order_by(*searched.ORDER[level]).values_list("pk", flat=True)
            assert searched.keys(level, asked.matches, many, 0, 10_000) == list(plain)


def test_a_sight_of_studies_and_datasets_shows_those_and_no_others(many, organisation, monkeypatch):
    from atlas.models import Dataset

    monkeypatch.setattr(searched, "_size", lambda: 1_000_000)
    monkeypatch.setattr(searched, "STRETCH", 1)
    other = Dataset.objects.create(organisation=organisation, name="Breast", slug="breast")
    hidden = Dataset.objects.create(organisation=organisation, name="Brain", slug="brain")
    shown, besides = study_of(other, "ZZ-1"), study_of(hidden, "ZZ-2")
    study_of(hidden, "ZZ-3")
    sight = policies.Sight((other.pk,), (besides.pk,))
    assert set(searched.keys("study", [], sight, 0, 100)) == {shown.pk, besides.pk}


def test_what_is_searched_follows_every_change_of_series_study_and_subject(many):
    def rows():
        return {row["series_id"]: row for row in SearchedSeries.objects.values()}

    def expected():
        names = {
            "pk": "series_id",
            "organisation_id": "organisation_id",
            "study_id": "study_id",
            "study__dataset_id": "dataset_id",
            "modality": "modality",
            "number": "number",
            "description": "description",
            "body_part": "body_part",
            "study__date": "study_date",
            "study__description": "study_description",
            "study__subject__pseudonym": "pseudonym",
            "study__subject__sex": "sex",
        }
        return {
            row["pk"]: {names[name]: value for name, value in row.items()}
            for row in Series.objects.order_by().values(*names)
        }

    def without_place(found):
        return {key: {name: row[name] for name in row if name != "place"} for key, row in found.items()}

    assert without_place(rows()) == expected()
    series = Series.objects.order_by("pk").first()
    Instance.objects.filter(series=series).delete()
    Study.objects.filter(pk=series.study_id).update(
        subject=Subject.objects.exclude(studies=series.study_id)[0]
    )
    Series.objects.filter(study=series.study_id).update(modality="PT", study=Study.objects.last())
    Subject.objects.update(sex="O")
    assert without_place(rows()) == expected()
    count = len(rows())
    series.delete()
    assert without_place(rows()) == expected()
    assert len(rows()) == count - 1
    with connection.cursor() as cursor:  # as the erasing of a subject may do it
        cursor.execute("DELETE FROM atlas_instance")
        cursor.execute("DELETE FROM atlas_series")
    assert rows() == {}
