"""Searches through millions of series, bounded in what they cost (docs/decisions/0007).

Answers come in the order of places, which scatters studies evenly: the first stretch of it is a fair sample
of all. Either it gives the answer, or it shows that little matches; then the index of tokens finds all of it.
"""

import time
from itertools import batched
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.lookups import IsNull

from atlas.dicomweb import tokens
from atlas.dicomweb.attributes import Attribute
from atlas.dicomweb.matching import condition
from atlas.models import Instance, SearchedSeries, Series
from atlas.models.searched import PLACES, place_of
from atlas.policies import Sight

STRETCH = 10_000  # series that are read in order before the index of tokens is asked
READ_US = 0.5  # a series in order, without the table
FETCH_US = 3.0  # one by the index of tokens
SERIES_MANY = 100  # in the first stretch: too many to find all and look for the instances of each
STEP, STEP_MAX = 25, 1600  # series whose instances are asked for at once
GROWTH_MAX = 4
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
# The order of answers, from the model of each level.
ORDER: dict[str, tuple[Any, ...]] = {
    "study": (place_of("pk"), "pk"),
    "series": (place_of("study_id"), "pk"),
    "instance": (place_of("series__study_id"), "series_id", "pk"),
}

type Match = tuple[Attribute, str]


def is_narrow(sight: Sight, uids: tuple[str | None, ...], matches: list[Match]) -> bool:
    """Whether so little can match that the tables themselves are asked."""
    if any(uids) or any(one.keyword in _OF_ONE and value.strip(" \0*") for one, value in matches):
        return True
    return not sight.datasets and len(sight.studies) <= STUDIES_MAX


def keys(level: str, matches: list[Match], sight: Sight, first: int, last: int) -> list[int]:
    """Primary keys of what matches, from `first` to below `last` in the order of answers."""
    if level == "instance":
        return _instances(matches, sight, last)[first:]
    search = _Search(level, matches, sight)
    found: list[int] = []
    begin, end = 0, _first_stretch()
    while begin < PLACES:
        found += search.between(begin, end, last - len(found))
        if len(found) >= last or end >= PLACES:
            break
        if begin == 0 and _is_index_better(len(found), len(found), end, last):
            return search.all(last)[first:]
        begin, end = end, min(PLACES, int(end * (1 + MARGIN * (last - len(found)) / max(len(found), 1))))
    return found[first:]


def _instances(matches: list[Match], sight: Sight, last: int) -> list[int]:
    """Series in the order of answers, and of each its instances, until there are enough."""
    of_series = [one for one in matches if one[0].level != "instance"]
    own = [one for one in matches if one[0].level == "instance"]
    rows = Instance.objects.filter(*_conditions("instance", own), hold="").order_by()
    search = _Search("series", of_series, sight)
    found: list[int] = []
    begin, end = 0, _first_stretch()
    while begin < PLACES:
        found += _of_series(rows, search.between(begin, end, last - len(found), rows), last - len(found))
        if len(found) >= last or end >= PLACES:
            break
        if begin == 0 and len(search.between(begin, end, SERIES_MANY)) < SERIES_MANY:
            return _of_series(rows, search.all(), last)
        wanted = MARGIN * (last - len(found)) / max(len(found), 1)
        begin, end = end, min(PLACES, int(end * (1 + min(wanted, GROWTH_MAX))))
    return found


def _of_series(rows: QuerySet[Instance], series: list[int], count: int) -> list[int]:
    """The first `count` instances of these series, in their order."""
    taken: list[int] = []
    at, step = 0, STEP
    while at < len(series) and count > len(taken):
        chunk = series[at : at + step]
        place = {pk: number for number, pk in enumerate(chunk)}
        filled = SearchedSeries.objects.filter(_has_any(rows), pk__in=chunk).values_list("pk", flat=True)
        wanted = sorted(filled, key=place.__getitem__)
        for few in batched(wanted, STEP):
            pairs = rows.filter(series__in=few).values_list("series_id", "pk")
            taken += [pk for _, pk in sorted((place[of], pk) for of, pk in pairs)]
            if len(taken) >= count:
                break
        at, step = at + step, min(step * 4, STEP_MAX)
    return taken[:count]


def _has_any(rows: QuerySet[Instance]) -> Q:
    """On SearchedSeries: that it has one of these. As a value, since the database would turn EXISTS into a
    join with all instances."""
    first = Subquery(rows.filter(series=OuterRef("pk")).values("pk")[:1])
    return Q(IsNull(first, False))


def _first_stretch() -> int:
    return int(min(1.0, STRETCH / max(_size(), 1)) * PLACES)


def _is_index_better(found: int, matching: int, end: int, last: int) -> bool:
    """Whether all series that match, by the index of tokens, cost less than reading on in order. The first
    stretch, which ended at the place `end`, held `matching` of them, with `found` answers."""
    walked = last / max(found, 0.5) * STRETCH * READ_US
    return matching * (PLACES / end) * FETCH_US < walked


class _Search:
    """Studies or series that match, as far as rows of SearchedSeries tell."""

    def __init__(self, level: str, matches: list[Match], sight: Sight) -> None:
        self._level = level
        self._sight = sight
        self._conditions = _conditions(level, matches)
        self._rows = SearchedSeries.objects.filter(sight_condition(sight), *self._conditions)

    def between(
        self, begin: int, end: int, count: int | None = None, having: QuerySet[Instance] | None = None
    ) -> list[int]:
        """The first `count` with places from `begin` to below `end`, of those with one of these instances."""
        rows = self._rows.filter(place__gte=begin, place__lt=end)
        return self._page(rows if having is None else rows.filter(_has_any(having)), "place", count)

    def all(self, count: int | None = None) -> list[int]:
        """By the index of tokens, then sorted: "+ 0" keeps the database from reading all in order instead."""
        demands = [demand for one in self._conditions for demand in tokens.demands_of(one)]
        rows = self._rows.filter(tokens.filtered(demands))
        if 0 < len(self._sight.datasets) <= DATASETS_MAX:
            own = tokens.filtered([tokens.of_datasets(self._sight.datasets)])
            rows = rows.filter(own | Q(study__in=self._sight.studies) if self._sight.studies else own)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_SETTINGS)
            return self._page(rows.annotate(sorted_place=F("place") + 0), "sorted_place", count)

    def _page(self, rows: QuerySet[Any], place: str, count: int | None) -> list[int]:
        key = f"{self._level}_id"
        page = rows.order_by(place, key).values_list(place, key)
        if self._level == "study":
            page = page.distinct()
        return [pk for _, pk in page[:count]]


def sight_condition(sight: Sight) -> Q:
    found = Q(pk__in=[])
    if sight.datasets:
        found |= Q(dataset__in=sight.datasets)
    if sight.studies:
        found |= Q(study__in=sight.studies)
    return found


def _conditions(level: str, matches: list[Match]) -> list[Q]:
    found = []
    is_first = True
    for attribute, value in matches:
        wanted = condition(attribute, _path(attribute), value)
        if wanted is None:
            continue
        if attribute.keyword == "ModalitiesInStudy":
            if level != "study" or not is_first:  # a study has each of them, not one series all
                of_study = condition(attribute, "modality", value)
                wanted = Q(Exists(Series.objects.filter(of_study, study=OuterRef("study_id"))))
            is_first = False
        found.append(wanted)
    return found


def _path(attribute: Attribute) -> str:
    column = _COLUMNS.get(attribute.keyword)
    if column is not None:
        return column
    return attribute.path if attribute.level == "instance" else f"{attribute.level}__{attribute.path}"


_known: tuple[float, int] = 0.0, 0


def _size() -> int:
    """About how many series there are, as PostgreSQL last counted; 0 where it never did."""
    global _known
    if _known[0] < time.monotonic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT reltuples FROM pg_class WHERE oid = 'atlas_searchedseries'::regclass")
            _known = time.monotonic() + SIZE_S, max(int(cursor.fetchone()[0]), 0)
    return _known[1]
