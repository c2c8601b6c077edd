"""What is known to the month or year tells neither a day nor by how many days dates were moved."""

import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.cohort.language.rows import clinical_facts
from annotations.models import Case, CaseStudy
from atlas.clinical.dates import DAY, MONTH, YEAR, Day, cut, middle, parse
from atlas.clinical.facts import treatment
from atlas.models import ClinicalFact, Project
from network.facts.building import build
from network.facts.columns import Numbers
from tests.atlas.clinical.conftest import PATIENT
from tests.cast import signed_in

DAYS = st.dates(datetime.date(1900, 1, 1), datetime.date(2200, 1, 1))
SHIFTS = st.integers(-3652, -1)
PRECISIONS = st.sampled_from([DAY, MONTH, YEAR])

TABLE = f"""Patient ID,ICD10,Diagnosis date,Surgery date,Radiotherapy start,Radiotherapy end
{PATIENT},C50.9,2021,2021-03-20,2021-04-02,2021-06
"""


@given(DAYS, SHIFTS)
def test_moved_parts_of_dates_stand_in_the_middle_again(day: datetime.date, shift: int) -> None:
    month = parse(f"{day:%Y-%m}").moved(shift)
    assert (month.day.day, month.precision) == (15, MONTH)
    year = parse(f"{day:%Y}").moved(shift)
    assert (year.day.month, year.day.day, year.precision) == (7, 1, YEAR)


@given(DAYS, DAYS, PRECISIONS, PRECISIONS, SHIFTS)
def test_what_lasted_stays_in_order_however_little_is_known(
    one: datetime.date, other: datetime.date, of_start: str, of_end: str, shift: int
) -> None:
    """One of two that are known in part may be moved over the end of a month, the other not."""
    starts, ends = (
        Day(middle(day, precision), precision)
        for day, precision in zip(sorted((one, other)), (of_start, of_end), strict=True)
    )
    moved = treatment("surgery", starts=starts, ends=ends).moved(shift)
    assert moved.starts
    assert moved.ends
    assert moved.starts.span[0] <= moved.ends.span[1]
    assert moved.starts.day == middle(moved.starts.day, of_start)
    assert moved.ends.day == middle(moved.ends.day, of_end)


def test_of_a_date_only_what_is_known_is_written() -> None:
    day = datetime.date(2021, 5, 15)
    assert [cut(day, precision) for precision in (DAY, MONTH, YEAR)] == ["2021-05-15", "2021-05", "2021"]


@pytest.fixture
def part_known(named, sent) -> ClinicalFact:
    """A diagnosis of which the year is known, beside what is known to the day."""
    one = sent(named, TABLE)
    assert one.rows_taken == 1, one.findings
    return ClinicalFact.objects.get(kind="condition")


@pytest.mark.django_db
def test_what_is_kept_says_nothing_of_the_shift(part_known, keys) -> None:
    shift = datetime.timedelta(days=keys.shift_days(PATIENT))
    year = (datetime.date(2021, 7, 1) + shift).year
    assert (part_known.starts_on, part_known.starts_precision) == (datetime.date(year, 7, 1), "year")
    ends = ClinicalFact.objects.get(name="radiotherapy").ends_on
    assert ends == (datetime.date(2021, 6, 15) + shift).replace(day=15)


@pytest.mark.django_db
def test_programs_and_people_are_told_what_is_known(part_known, named, manager) -> None:
    client = signed_in(manager)
    address = f"datasets/lung/subjects/{part_known.subject.public_id}/"
    told = {one["what"]: one for one in client.get(f"/api/v1/{address}facts/").json()}
    condition = told["Malignant neoplasm of breast"]
    assert condition["starts"] == str(part_known.starts_on.year)
    assert (condition["precision"], condition["days_since_first_study"]) == ("year", None)
    assert told["Surgery"]["days_since_first_study"] == 19
    lasted, kept = told["Radiotherapy"], ClinicalFact.objects.get(name="radiotherapy")
    assert (lasted["precision"], lasted["days_since_first_study"]) == ("day", 32)
    assert (lasted["ends"], lasted["ends_precision"]) == (f"{kept.ends_on:%Y-%m}", "month")
    page = client.get(f"/{address}")
    rows = {row.split('"')[1]: row.split("</tr>")[0] for row in page.content.decode().split("<tr id=")[1:]}
    assert '<td class="tall num sub">–</td>' in rows[f"fact-{part_known.public_id}"]
    assert f">{kept.ends_on:%b %Y}</td>" in rows[f"fact-{kept.public_id}"]


@pytest.mark.django_db
def test_cohorts_count_days_of_days_only(part_known, named, manager) -> None:
    project = Project.objects.create(organisation=named.organisation, name="P", slug="p", created_by=manager)
    case = Case.objects.create(project=project, subject=part_known.subject, number=1)
    CaseStudy.objects.create(case=case, study=named.studies.get(), position=1)
    days = dict(clinical_facts(project).values_list("code", "days_since_first"))
    assert days[part_known.code] is None
    assert days[ClinicalFact.objects.get(name="surgery").code] == datetime.timedelta(days=19)


@pytest.mark.django_db
def test_other_nodes_count_days_of_days_only(part_known, named) -> None:
    column = build(named).tables["clinical"].columns["clinical.days_since_first"]
    assert isinstance(column, Numbers)
    assert sorted(column.numbers[~np.isnan(column.numbers)]) == [19, 32]
