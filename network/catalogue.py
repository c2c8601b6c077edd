"""What the node holds, in numbers that anyone may read; pictures only for those who may see them.

The number of queries is the same whatever the node holds. Numbers are of subjects, unless they say otherwise.
"""

import time
from collections import defaultdict
from dataclasses import dataclass, field

from django.core.cache import cache
from django.db import connection
from django.db.models import Case, CharField, Count, Max, Q, QuerySet, Value, When

from accounts.permissions import Someone
from atlas import policies
from atlas.models import Dataset, Series, Study

MODALITIES = {"CT": "CT", "MR": "MR", "PT": "PET", "MG": "MG", "US": "US"}
"""DICOM's code and the column it stands in; what else is an image stands under "Other"."""

NOT_IMAGES = ("SEG", "SR", "RTSTRUCT", "RTPLAN", "RTDOSE", "REG", "KO", "PR", "DOC")

OTHER = "Other"

FIGURES_KEY = "catalogue-figures"
WORTH_KEEPING_S = 0.25
AGE_PER_COST = 100  # numbers that took 3 s to count may be 5 minutes old: counting takes 1 % of the time

# The median gap between two successive time points of a subject, in days.
MEDIAN_INTERVAL_DAYS = """
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY gap_days)
    FROM (
        SELECT date - lag(date) OVER (PARTITION BY subject_id ORDER BY date) AS gap_days
        FROM (SELECT DISTINCT subject_id, date FROM atlas_study WHERE date IS NOT NULL) AS days
    ) AS gaps
    WHERE gap_days IS NOT NULL
"""


@dataclass
class OrganRow:
    """One line of the body chart."""

    organ: str
    subjects: int = 0
    followed: int = 0  # subjects with two time points or more
    by_modality: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Holdings:
    """The numbers of the front page."""

    subjects: int
    studies: int
    datasets: int
    organisations: int
    countries: int
    time_points: int
    rows: list[OrganRow]
    modalities: list[str]
    by_organisation: list[tuple[str, int]]
    by_country: list[tuple[str, int]]
    by_time_points: list[tuple[str, int]]
    median_interval_days: float | None

    @property
    def times_a_subject(self) -> float:
        return self.time_points / self.subjects if self.subjects else 0

    @property
    def most_in_a_row(self) -> int:
        return max((row.subjects for row in self.rows), default=0)

    @property
    def most_in_a_cell(self) -> int:
        return max((n for row in self.rows for n in row.by_modality.values()), default=0)


def listed_datasets() -> QuerySet[Dataset]:
    """Every dataset with images, the one that last grew first."""
    return (
        Dataset.objects.select_related("organisation")
        .annotate(
            subjects=Count("studies__subject", distinct=True),
            studies_count=Count("studies", distinct=True),
            grew_at=Max("studies__created_at"),
        )
        .filter(studies_count__gt=0)
        .order_by("-grew_at")
    )


def modalities_by_dataset() -> dict[int, list[str]]:
    """The image modalities of each dataset, by its primary key, in the order of the columns."""
    found: dict[int, set[str]] = defaultdict(set)
    for dataset_id, modality in _images().values_list("study__dataset", "modality").distinct():
        found[dataset_id].add(MODALITIES.get(modality, modality))
    order = [*MODALITIES.values()]
    rank = {modality: place for place, modality in enumerate(order)}
    return {pk: sorted(names, key=lambda name: (rank.get(name, 99), name)) for pk, names in found.items()}


def _cover_ids() -> dict[int, int]:
    """For each dataset the series that may stand for it: with a picture, and the most images."""
    shown = (
        _images()
        .filter(generation__gt=0)
        .exclude(thumbnail_key="")
        .order_by("study__dataset_id", "-frame_count", "id")
        .distinct("study__dataset_id")
    )
    return dict(shown.values_list("study__dataset_id", "id"))


def pictures(user: Someone, figures: "Figures") -> dict[int, Series]:
    """The pictures of datasets that this person may see, by the dataset's primary key. Never cached."""
    seen = policies.visible_series(user).filter(pk__in=figures.cover_ids.values()).in_bulk()
    return {dataset: seen[pk] for dataset, pk in figures.cover_ids.items() if pk in seen}


@dataclass(frozen=True)
class Figures:
    """All that the front page tells anyone, the same for all. Which pictures someone sees is not in it."""

    datasets: list[Dataset]
    modalities: dict[int, list[str]]
    holdings: Holdings
    cover_ids: dict[int, int]


def figures() -> Figures:
    """What is held now; on a large node, where counting takes seconds, what was held some minutes ago."""
    known = cache.get(FIGURES_KEY)
    if known is not None:
        return known
    began = time.monotonic()
    datasets = list(listed_datasets())
    counted = Figures(datasets, modalities_by_dataset(), holdings(datasets), _cover_ids())
    took_s = time.monotonic() - began
    if took_s > WORTH_KEEPING_S:
        cache.set(FIGURES_KEY, counted, timeout=AGE_PER_COST * took_s)
    return counted


def holdings(datasets: list[Dataset]) -> Holdings:
    """Counts over all studies of the node; `datasets` are those listed, with their organisations."""
    rows = _rows()
    times = _subjects_by_time_points()
    organisations = _subjects_by("organisation__name")
    return Holdings(
        subjects=sum(count for _, count in organisations),
        studies=sum(dataset.studies_count for dataset in datasets),  # type: ignore[attr-defined]
        datasets=len(datasets),
        organisations=len({dataset.organisation_id for dataset in datasets}),
        countries=len({dataset.organisation.country for dataset in datasets}),
        time_points=sum(max(n, 1) * count for n, count in times.items()),
        rows=rows,
        modalities=[
            name
            for name in (*MODALITIES.values(), OTHER)
            if name != OTHER or any(OTHER in row.by_modality for row in rows)
        ],
        by_organisation=organisations,
        by_country=_subjects_by("organisation__country"),
        by_time_points=_in_steps(times),
        median_interval_days=_median_interval_days(),
    )


def _images() -> QuerySet[Series]:
    return Series.objects.exclude(modality__in=NOT_IMAGES).order_by()


def _rows() -> list[OrganRow]:
    rows = {organ: OrganRow(label) for organ, label in Dataset.Organ.choices}
    column = Case(
        *(When(modality=code, then=Value(name)) for code, name in MODALITIES.items()),
        default=Value(OTHER),
        output_field=CharField(),
    )
    cells = _images().annotate(column=column).values_list("study__dataset__organ", "column")
    for organ, name, subjects in cells.annotate(n=Count("study__subject", distinct=True)):
        rows[organ].by_modality[name] = subjects
    per_subject = (
        Study.objects.order_by()
        .values("dataset__organ", "subject")
        .annotate(times=Count("date", distinct=True))
        .values_list("dataset__organ", "times")
    )
    for organ, times, subjects in _tally(per_subject):
        rows[organ].subjects += subjects
        rows[organ].followed += subjects if times >= 2 else 0
    return [row for row in rows.values() if row.subjects]


def _tally(per_subject: QuerySet) -> list[tuple]:
    """How many subjects share each (group, number of time points): counted by the database, not here."""
    sql, parameters = per_subject.query.sql_with_params()
    with connection.cursor() as cursor:
        # The query inside is Django's own, its values are parameters.
        counted = f"SELECT t.*, count(*) FROM ({sql}) AS t(grp, times) GROUP BY grp, times"  # noqa: S608
        cursor.execute(counted, parameters)
        return cursor.fetchall()


def _subjects_by_time_points() -> dict[int, int]:
    """Number of time points -> number of subjects. Undated studies of a subject count as no time point."""
    per_subject = (
        Study.objects.order_by()
        .values("subject")
        .annotate(grp=Value(0), times=Count("date", distinct=True))
        .values_list("grp", "times")
    )
    return {times: subjects for _, times, subjects in _tally(per_subject)}


def _in_steps(times: dict[int, int], last: int = 5) -> list[tuple[str, int]]:
    """1, 2, 3, 4, "5 or more": as far as the node goes."""
    steps: dict[int, int] = defaultdict(int)
    for n, subjects in times.items():
        steps[min(max(n, 1), last)] += subjects
    most = max(steps, default=0)
    return [(f"{n} or more" if n == last else str(n), steps[n]) for n in range(1, most + 1)]


def _subjects_by(field_name: str) -> list[tuple[str, int]]:
    """Subjects with a study by a field of the study, most first."""
    counted = (
        Study.objects.order_by()
        .values_list(field_name)
        .annotate(n=Count("subject", distinct=True))
        .order_by("-n", field_name)
    )
    return [(name, n) for name, n in counted.filter(~Q(**{field_name: ""}))]


def _median_interval_days() -> float | None:
    with connection.cursor() as cursor:
        cursor.execute(MEDIAN_INTERVAL_DAYS)
        return cursor.fetchone()[0]
