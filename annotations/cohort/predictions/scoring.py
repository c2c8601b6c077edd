"""Scores predictions against the reference of their release: a job a case, then the figures over all.

What a prediction marks under a label is told apart into lesions where it doesn't touch; what the reference
marks is as its readers told it apart. Labels that nobody looked for in a case aren't scored there.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from django.db import transaction
from django.utils import timezone

from annotations.cohort.images import StoredSeries
from annotations.cohort.predictions import names
from annotations.cohort.predictions.handing_in import labels_of, read_masks
from annotations.exchange.source import ExchangeError
from annotations.measures.agreement.bootstrap import interval
from annotations.measures.agreement.labels import TOLERANCE_MM, compare
from annotations.measures.agreement.lesions import Lesion
from annotations.models import PredictedCase, Prediction, PredictionFile, ReleaseRead
from annotations.reading.handed_in import HandedIn
from annotations.reading.lesions import lesions_in
from atlas.archive.storage import ObjectMissing, storage
from atlas.fanout import broadcast

logger = logging.getLogger(__name__)

type Scores = dict[str, Any]


def score_case(predicted_id: int) -> None:
    """Score one case, and count it. Twice changes nothing. An error is kept, in a sentence."""
    found = PredictedCase.objects.select_related("prediction__release__project", "release_case__case")
    predicted = found.filter(pk=predicted_id).first()
    if predicted is None or predicted.prediction.state != Prediction.State.SCORING:
        return
    if predicted.scored_at is None and predicted.release_case.withdrawn_at is None:
        number = predicted.release_case.number
        try:
            predicted.scores = _scores_of(predicted)
        except (ExchangeError, ObjectMissing) as error:
            _refuse(predicted.prediction, f"Case {number}: {error}")
            return
        except Exception as error:
            logger.exception("Prediction %s, case %s", predicted.prediction_id, number)
            _refuse(predicted.prediction, f"Case {number} stopped on an error ({type(error).__name__}).")
            return
        predicted.scored_at = timezone.now()
        predicted.save(update_fields=["scores", "scored_at"])
    count(predicted.prediction_id)


def _scores_of(predicted: PredictedCase) -> Scores:
    """By label key; one label's voxels in memory beside those of the files."""
    release = predicted.prediction.release
    pinned = ReleaseRead.objects.filter(release_case=predicted.release_case, is_reference=True)
    read = pinned.select_related("submission__read__schema", "submission__read__case").first()
    if read is None:
        raise ExchangeError("it has no reference any more")
    reference = HandedIn(read.submission)
    labels = labels_of(release)
    found: dict[str, list[Lesion]] = {each.key: [] for each in labels}
    for file in predicted.files.select_related("series__study"):
        for key, mask in _masks(file, labels).items():
            found[key] += lesions_in(file.series, mask)
    return {
        each.key: _score(reference.lesions(each.key), found[each.key])
        for each in labels
        if each.key in reference.labels and reference.looked_for(each.key)
    }


def _masks(file: PredictionFile, labels: list[Any]) -> dict[str, Any]:
    with storage().open(file.object_key) as content:
        return read_masks(content, names.parse(file.name), StoredSeries(file.series), labels)


def _score(reference: Sequence[Lesion], predicted: Sequence[Lesion]) -> Scores:
    numbers = compare(reference, predicted)
    return {
        "dice": numbers.dice,
        "surface_dice": numbers.surface_dice,
        "hd95_mm": numbers.hd95_mm,
        "reference_mm3": numbers.first_volume_mm3,
        "predicted_mm3": numbers.second_volume_mm3,
        "found": len(numbers.matching.pairs),
        "missed": len(numbers.matching.only_first),
        "extra": len(numbers.matching.only_second),
        **({"not_compared": numbers.not_compared} if numbers.not_compared else {}),
    }


# Over all cases -----------------------------------------------------------------------------------------


@transaction.atomic
def count(prediction_id: int) -> None:
    """How far it is; after the last case, its figures."""
    prediction = Prediction.objects.select_for_update().filter(pk=prediction_id).first()
    if prediction is None:
        return
    cases = prediction.cases.filter(release_case__withdrawn_at=None)
    prediction.cases_total, prediction.cases_done = cases.count(), cases.exclude(scored_at=None).count()
    fields = ["cases_total", "cases_done"]
    if prediction.state == Prediction.State.SCORING and prediction.cases_done == prediction.cases_total:
        rows = cases.values_list("release_case__case__subject", "scores")
        prediction.scores = figures([(subject, scores or {}) for subject, scores in rows])
        means = [one["dice"]["mean"] for one in prediction.scores["labels"].values() if one["dice"]["n"]]
        prediction.rank_by = float(np.mean(means)) if means else None
        prediction.state, prediction.scored_at = Prediction.State.SCORED, timezone.now()
        fields += ["scores", "rank_by", "state", "scored_at"]
    prediction.save(update_fields=fields)
    _announce(prediction)


def figures(cases: Sequence[tuple[Any, Scores]]) -> Scores:
    """What is told of all cases together, from (subject, scores by label) of each; label by label."""
    labels = list(dict.fromkeys(key for _, scores in cases for key in scores))
    return {
        "tolerance_mm": TOLERANCE_MM,
        "cases": len(cases),
        "labels": {
            key: _figures([(subject, scores[key]) for subject, scores in cases if key in scores])
            for key in labels
        },
    }


def _figures(cases: Sequence[tuple[Any, Scores]]) -> Scores:
    found, missed, extra = (sum(scores[name] for _, scores in cases) for name in ("found", "missed", "extra"))
    return {
        "cases": len(cases),
        "agree_absent": sum(not s["found"] + s["missed"] + s["extra"] for _, s in cases),
        "dice": _told(cases, "dice", np.mean, "mean"),
        "surface_dice": _told(cases, "surface_dice", np.mean, "mean"),
        "hd95_mm": _told(cases, "hd95_mm", np.median, "median"),
        "lesions": found + missed,
        "recall": found / (found + missed) if found + missed else None,
        "precision": found / (found + extra) if found + extra else None,
        "f1": 2 * found / (2 * found + missed + extra) if found + missed + extra else None,
        "extra_per_case": extra / len(cases) if cases else None,
    }


def _told(
    cases: Iterable[tuple[Any, Scores]], name: str, take: Callable[[Sequence[float]], Any], word: str
) -> Scores:
    """A number over the cases that have it, with n and the 95 % interval over subjects."""
    by_subject: dict[Any, list[float]] = {}
    for subject, scores in cases:
        if scores[name] is not None:
            by_subject.setdefault(subject, []).append(scores[name])
    values = [value for own in by_subject.values() for value in own]
    statistic: Callable[[list[float]], float] = lambda drawn: float(take(drawn))
    between = interval(by_subject, statistic)
    return {
        word: float(take(values)) if values else None,
        "n": len(values),
        "interval": list(between) if between else None,
    }


# States -------------------------------------------------------------------------------------------------


@transaction.atomic
def _refuse(prediction: Prediction, problem: str) -> None:
    locked = Prediction.objects.select_for_update().get(pk=prediction.pk)
    if locked.state != Prediction.State.SCORING:
        return
    locked.state, locked.problem = Prediction.State.REFUSED, problem[:500]
    locked.save(update_fields=["state", "problem"])
    _announce(locked)


def _announce(prediction: Prediction) -> None:
    """Open pages of the release look again, after the commit."""
    release = prediction.release
    message: Mapping[str, Any] = {
        "type": "release",
        "number": release.number,
        "done": release.cases_done,
        "total": release.cases_total,
        "state": str(release.state),
    }
    told = partial(broadcast, f"project.{release.project.slug}", dict(message))
    transaction.on_commit(told, robust=True)
