"""What hanging knows of a case's images."""

import gzip
import json
import logging
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from annotations.reading.hanging.matching import CaseImages, Shown
from atlas.archive.storage import ObjectMissing, storage
from atlas.dicom.summary import summary_of
from atlas.models import Series, Study

logger = logging.getLogger(__name__)

SERIES_KEPT = 2048  # in memory of each process, a few numbers each
NOTHING: dict[str, Any] = {"plane": "", "sides": [], "phases": []}


def images_of(studies: Sequence[tuple[Study, Iterable[Series]]]) -> CaseImages:
    """The images of a case, from its studies in the case's order, each with the series that can be shown."""
    shown = []
    newest_first = _newest_first(studies)
    for time_point, (_, series) in enumerate(newest_first):
        shown += [_shown(one, time_point) for one in series]
    words = ""
    if newest_first:
        study = newest_first[0][0]
        words = " ".join([study.description, *(one.description for one in shown if one.time_point == 0)])
    return CaseImages(tuple(shown), len(newest_first), words)


def _newest_first[S](studies: Sequence[tuple[Study, S]]) -> list[tuple[Study, S]]:
    """By date; studies of one day, and all where one has no date, by their place in the case."""
    days = [study.date for study, _ in studies]
    if None in days:
        return list(reversed(studies))
    return sorted(studies, key=lambda pair: pair[0].date)[::-1]  # type: ignore[arg-type, return-value]


def _shown(series: Series, time_point: int) -> Shown:
    summary = series.summary if series.summary is not None else _read_summary(series)
    return Shown(
        id=series.public_id,
        time_point=time_point,
        modality=series.modality,
        description=series.description,
        body_part=series.body_part,
        number=series.number or 0,
        frames=series.frame_count,
        plane=summary["plane"],
        sides=tuple((laterality, view) for laterality, view in summary["sides"]),
        phases=tuple((first, count) for first, count in summary["phases"]),
        frame_of_reference=series.frame_of_reference_uid,
    )


def _read_summary(series: Series) -> dict[str, Any]:
    """Of a series that was sealed before series had summaries."""
    return _summary(series.manifest_key) if series.manifest_key else NOTHING


@lru_cache(maxsize=SERIES_KEPT)
def _summary(manifest_key: str) -> dict[str, Any]:
    try:
        with storage().open(manifest_key) as file:
            return summary_of(json.loads(gzip.decompress(file.read())))
    except ObjectMissing:
        logger.warning("The manifest %s is missing: its series hangs by its row alone", manifest_key)
        return NOTHING
