"""What searches answer: rows as DICOM JSON (PS3.18 F), each as the bytes of one object."""

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, time
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, QuerySet, Sum

from atlas.dicomweb.attributes import ATTRIBUTES, LEVELS, Attribute, path_from
from atlas.models import Instance, Study
from atlas.policies import Sight, series_in

RETRIEVE_URL = "00081190"
_PLAIN = {"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"}


def studies(rows: QuerySet[Study], base_url: str, included: set[str]) -> list[bytes]:
    shown = _shown("study", included)
    columns = _columns("study", shown)
    pages = list(rows.values_list("pk", "study_instance_uid", *columns))
    counts = _counts_of_studies([row[0] for row in pages])
    results = []
    for pk, uid, *values in pages:
        modalities, series_count, instance_count = counts.get(pk, ([], 0, 0))
        if not series_count:
            continue
        told = dict(zip(columns, values, strict=True))
        derived = {
            "ModalitiesInStudy": modalities,
            "NumberOfStudyRelatedSeries": series_count,
            "NumberOfStudyRelatedInstances": instance_count,
        }
        results.append(_object(shown, "study", told, derived, f"{base_url}/studies/{uid}"))
    return results


def series(rows: QuerySet[Any], base_url: str, included: set[str]) -> list[bytes]:
    shown = _shown("series", included)
    columns = _columns("series", shown)
    page = list(
        rows.values_list(
            "pk", "study_id", "study__study_instance_uid", "series_instance_uid", "instance_count", *columns
        )
    )
    held = _held([row[0] for row in page])
    of_studies = {}
    if _needs_counts(shown):
        of_studies = _counts_of_studies({row[1] for row in page})
    results = []
    for pk, study, study_uid, uid, count, *values in page:
        if count <= held[pk]:
            continue
        told = dict(zip(columns, values, strict=True))
        derived = {"NumberOfSeriesRelatedInstances": count - held[pk], **_of_study(of_studies, study)}
        results.append(
            _object(shown, "series", told, derived, f"{base_url}/studies/{study_uid}/series/{uid}")
        )
    return results


def instances(rows: QuerySet[Any], base_url: str, included: set[str]) -> list[bytes]:
    shown = _shown("instance", included)
    columns = _columns("instance", shown)
    page = list(
        rows.values_list(
            "series__study_id",
            "series__study__study_instance_uid",
            "series__series_instance_uid",
            "sop_instance_uid",
            "series_id",
            "series__instance_count",
            *columns,
        )
    )
    of_studies, held = dict[int, tuple[list[str], int, int]](), defaultdict[int, int](int)
    if _needs_counts(shown):
        of_studies = _counts_of_studies({row[0] for row in page})
        held = _held({row[4] for row in page})
    results = []
    for study, study_uid, series_uid, uid, series_id, count, *values in page:
        told = dict(zip(columns, values, strict=True))
        if told.get("number_of_frames") == 0:
            told["number_of_frames"] = None
        derived = {
            "NumberOfSeriesRelatedInstances": count - held[series_id],
            **_of_study(of_studies, study),
        }
        address = f"{base_url}/studies/{study_uid}/series/{series_uid}/instances/{uid}"
        results.append(_object(shown, "instance", told, derived, address))
    return results


def _shown(level: str, included: set[str]) -> list[Attribute]:
    """The attributes of an answer, in the order of their tags."""
    reach = LEVELS.index(level)
    return sorted(
        (
            attribute
            for attribute in ATTRIBUTES
            if (attribute.level == level and attribute.by_default)
            or (attribute.keyword in _PLAIN and LEVELS.index(attribute.level) <= reach)
            or attribute.tag in included
        ),
        key=lambda attribute: attribute.tag,
    )


def _columns(level: str, shown: list[Attribute]) -> list[str]:
    return [path_from(level, attribute) for attribute in shown if attribute.path]


def _needs_counts(shown: list[Attribute]) -> bool:
    return any(
        attribute.keyword.startswith("NumberOfStudy") or attribute.keyword == "ModalitiesInStudy"
        for attribute in shown
    )


def _of_study(counts: dict[int, tuple[list[str], int, int]], study: int) -> dict[str, Any]:
    modalities, series_count, instance_count = counts.get(study, ([], None, None))
    return {
        "ModalitiesInStudy": modalities,
        "NumberOfStudyRelatedSeries": series_count,
        "NumberOfStudyRelatedInstances": instance_count,
    }


def _counts_of_studies(ids: Iterable[int]) -> dict[int, tuple[list[str], int, int]]:
    """For each study its modalities, series and instances, of studies that this person sees."""
    ids = list(ids)
    if not ids:
        return {}
    rows = (
        series_in(Sight((), tuple(ids)))
        .order_by()
        .values_list("study")
        .annotate(
            modalities=ArrayAgg("modality", distinct=True),
            all_series=Count("pk"),
            images=Sum("instance_count"),
        )
    )
    held: dict[int, int] = defaultdict(int)
    of_studies = Instance.objects.exclude(hold="").filter(series__study__in=ids).order_by()
    for study, count in of_studies.values_list("series__study").annotate(Count("pk")):
        held[study] = count
    return {
        study: (sorted(modalities), count, instances - held[study])
        for study, modalities, count, instances in rows
    }


def _held(ids: Iterable[int]) -> defaultdict[int, int]:
    """How many instances of each series are held back: they appear nowhere."""
    rows = Instance.objects.exclude(hold="").filter(series__in=list(ids)).order_by()
    held = defaultdict[int, int](int)
    held.update(rows.values_list("series").annotate(Count("pk")))
    return held


def _object(
    shown: list[Attribute], level: str, told: dict[str, Any], derived: dict[str, Any], address: str
) -> bytes:
    parts = []
    for attribute in shown:
        if attribute.keyword in derived:
            value = derived[attribute.keyword]
        elif attribute.keyword == "InstanceAvailability":
            value = "ONLINE"
        else:
            value = told[path_from(level, attribute)] if attribute.path else None
        parts.append(_element(attribute, value))
    parts.append(f'"{RETRIEVE_URL}":{{"vr":"UR","Value":[{json.dumps(address)}]}}')
    return ("{" + ",".join(sorted(parts)) + "}").encode()


def _element(attribute: Attribute, value: Any) -> str:
    start = f'"{attribute.tag}":{{"vr":"{attribute.vr}"'
    if value is None or value == "" or value == []:
        return start + "}"
    if isinstance(value, list):
        written = json.dumps(value)
        return f'{start},"Value":{written}}}'
    if isinstance(value, date):
        value = value.strftime("%Y%m%d")
    elif isinstance(value, time):
        value = value.strftime("%H%M%S.%f") if value.microsecond else value.strftime("%H%M%S")
    elif attribute.vr == "AS":
        value = f"{min(value, 999):03d}Y"
    return f'{start},"Value":[{json.dumps(value)}]}}'
