"""How many cases, subjects, studies, series and images an expression finds. Two queries, whatever it asks."""

from dataclasses import asdict, dataclass

from django.db import connection
from django.db.models import QuerySet

from annotations.cohort.language.rows import DERIVED
from annotations.models import Case, CaseStudy
from atlas.models import Series

_COUNT = f"""
WITH studies AS (SELECT DISTINCT study_id FROM {CaseStudy._meta.db_table} WHERE case_id = ANY(%s))
SELECT (SELECT count(*) FROM studies), count(series.id), coalesce(sum(series.instance_count), 0)
FROM {Series._meta.db_table} series JOIN studies ON studies.study_id = series.study_id
WHERE series.frame_count > 0 AND NOT series.modality = ANY(%s)
"""  # noqa: S608  # names of tables, nothing that was sent


@dataclass(frozen=True)
class Counts:
    """Series and images are those that show something: no segmentations, reports and the like."""

    cases: int
    subjects: int
    studies: int
    series: int
    images: int

    def as_json(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True)
class Found:
    """The cases of a cohort, by primary key in the order of their numbers, and how much there is of them."""

    case_ids: list[int]
    counts: Counts


def found_by(cases: QuerySet[Case]) -> Found:
    """`cases` as `cases_matching` gives them."""
    rows = list(cases.order_by("number").values_list("pk", "subject_id"))
    keys = [pk for pk, _ in rows]
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [keys, list(DERIVED)])
        studies, series, images = cursor.fetchone()
    counts = Counts(len(rows), len({subject for _, subject in rows}), studies, series, int(images))
    return Found(keys, counts)
