"""Searches through millions of series, bounded in what they cost (docs/decisions/0007).

Answers come in the order of places, which scatters studies evenly: the first stretch of it is a fair sample
of all. Either it gives the answer, or it shows that little matches; then the index of tokens finds all of it.
"""

import time
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from atlas.dicomweb import tokens
from atlas.dicomweb.attributes import Attribute
from atlas.dicomweb.matching import condition
from atlas.models import Instance, SearchedSeries, Series
from atlas.models.searched import PLACES, place_of
from atlas.policies import Sight

STRETCH = 10_000  # series that are read in order before the index of tokens is asked
READ_US = 0.5  # a series in order, without the table
FETCH_US = {"study": 3.0, "series": 3.0, "instance": 6.0}  # one by the index of tokens
MARGIN = 1.3  # so that the next stretch gives the rest
STUDIES_MAX = 2000  # a sight of so few studies is searched through these studies
DATASETS_MAX = 32  # a sight of so few datasets narrows a search
SIZE_S = 60.0
_SETTINGS = "SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL enable_seqscan = off"
_COLUMNS = {
    "StudyDate": "study_date",
    "StudyDescription": "study_description",
    "PatientID": "pseudonym",
    "PatientSex": "sex",
    "Modality": "modality",
    "ModalitiesInStudy": "modality",
    "SeriesDescription": "description",
    "BodyPartExamined": "body_part",
    "SeriesNumber": "number",
}
_OF_ONE = {"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"}
_PREFIX = {"study": "", "series": "", "instance": "series__searched__"}
# The order of answers, from the model of each level and from SearchedSeries.
ORDER: dict[str, tuple[Any, ...]] = {
    "study": (place_of("pk"), "pk"),
    "series": (place_of("study_id"), "pk"),
    "instance": (place_of("series__study_id"), "series_id", "pk"),
}
_KEYS = {
    "study": ("place", "study_id"),
    "series": ("place", "series_id"),
    "instance": ("series__searched__place", "series__searched__series_id", "pk"),
}

type Match = tuple[Attribute, str]


def is_narrow(sight: Sight, uids: tuple[str | None, ...], matches: list[Match]) -> bool:
    """Whether so little can match that the tables themselves are asked."""
    if any(uids) or any(one.keyword in _OF_ONE and value.strip(" \0*") for one, value in matches):
        return True
    return not sight.datasets and len(sight.studies) <= STUDIES_MAX


def keys(level: str, matches: list[Match], sight: Sight, first: int, last: int) -> list[int]:
    """Primary keys of what matches, from `first` to below `last` in the order of answers."""
    prefix = _PREFIX[level]
    conditions = _conditions(level, matches)
    rows: QuerySet[Any] = Instance.objects.filter(hold="") if prefix else SearchedSeries.objects.all()
    rows = rows.filter(sight_condition(sight, prefix), *conditions)
    found: list[int] = []
    begin, end = 0, int(min(1.0, STRETCH / max(_size(), 1)) * PLACES)
    while begin < PLACES:
        stretch = rows.filter(Q((f"{prefix}place__gte", begin), (f"{prefix}place__lt", end)))
        found += _page(level, stretch, _KEYS[level], last - len(found))
        if len(found) >= last or end >= PLACES:
            break
        if begin == 0 and _is_index_better(level, matches, sight, len(found), end, last):
            return _all(level, rows, conditions, sight, last)[first:]
        begin, end = end, min(PLACES, int(end * (1 + MARGIN * (last - len(found)) / max(len(found), 1))))
    return found[first:]


def _is_index_better(level: str, matches: list[Match], sight: Sight, found: int, end: int, last: int) -> bool:
    """Whether finding all that match by the index of tokens costs less than reading on in order, as the first
    stretch tells: it ended at the place `end`."""
    if not found:
        return True
    matching = found
    if level == "instance":
        of_series = [one for one in matches if one[0].level != "instance"]
        rows = SearchedSeries.objects.filter(sight_condition(sight, ""), *_conditions("series", of_series))
        matching = rows.filter(place__lt=end).count()
    walked = last / found * STRETCH * READ_US
    return matching * (PLACES / end) * FETCH_US[level] < walked


def _all(level: str, rows: QuerySet[Any], conditions: list[Q], sight: Sight, last: int) -> list[int]:
    """By the index of tokens, then sorted: "+ 0" keeps the database from reading all in order instead."""
    prefix = _PREFIX[level]
    demands = [demand for one in conditions for demand in tokens.demands_of(one, prefix)]
    rows = rows.filter(tokens.filtered(demands, prefix))
    if 0 < len(sight.datasets) <= DATASETS_MAX:
        own = tokens.filtered([tokens.of_datasets(sight.datasets)], prefix)
        rows = rows.filter(own | Q((f"{prefix}study__in", sight.studies)) if sight.studies else own)
    place, *others = _KEYS[level]
    rows = rows.annotate(sorted_place=F(place) + 0)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SETTINGS)
        return _page(level, rows, ("sorted_place", *others), last)


def _page(level: str, rows: QuerySet[Any], order: tuple[str, ...], count: int) -> list[int]:
    rows = rows.order_by(*order).values_list(*order)
    if level == "study":
        rows = rows.distinct()
    return [row[-1] for row in rows[:count]]


def sight_condition(sight: Sight, prefix: str) -> Q:
    found = Q(pk__in=[])
    if sight.datasets:
        found |= Q((f"{prefix}dataset__in", sight.datasets))
    if sight.studies:
        found |= Q((f"{prefix}study__in", sight.studies))
    return found


def _conditions(level: str, matches: list[Match]) -> list[Q]:
    found = []
    is_first = True
    for attribute, value in matches:
        wanted = condition(attribute, _path(level, attribute), value)
        if wanted is None:
            continue
        if attribute.keyword == "ModalitiesInStudy":
            if level != "study" or not is_first:  # a study has each of them, not one series all
                of_study = condition(attribute, "modality", value)
                own = OuterRef(f"{_PREFIX[level]}study_id")
                wanted = Q(Exists(Series.objects.filter(of_study, study=own)))
            is_first = False
        found.append(wanted)
    return found


def _path(level: str, attribute: Attribute) -> str:
    column = _COLUMNS.get(attribute.keyword)
    if column is not None:
        return _PREFIX[level] + column
    if attribute.level == "study":
        return f"{_PREFIX[level]}study__{attribute.path}"
    if attribute.level == "series":
        return f"{_PREFIX[level]}series__{attribute.path}"
    return attribute.path


_known: tuple[float, int] = 0.0, 0


def _size() -> int:
    """About how many series there are, as PostgreSQL last counted; 0 where it never did."""
    global _known
    if _known[0] < time.monotonic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT reltuples FROM pg_class WHERE oid = 'atlas_searchedseries'::regclass")
            _known = time.monotonic() + SIZE_S, max(int(cursor.fetchone()[0]), 0)
    return _known[1]
