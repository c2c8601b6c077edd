"""Opening a prediction, filling it with files, and handing it in to be scored."""

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Any, BinaryIO

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import Http404
from django.utils import timezone
from procrastinate.contrib.django import app

from accounts import audit
from accounts.models import User
from annotations.cohort import policies
from annotations.cohort.formats.labelling import NumberedLabel, numbered_labels
from annotations.cohort.images import StoredSeries
from annotations.cohort.predictions import masks, names
from annotations.exchange.marks import SEGMENT
from annotations.exchange.source import ExchangeError
from annotations.models import PredictedCase, Prediction, PredictionFile, Release, ReleaseCase
from atlas.archive.storage import COPY_BYTES, new_key, spool, storage
from atlas.models import Series

audit.register("prediction.opened", "prediction.handed_in", "prediction.removed")

BYTES_MAX = 1024**3  # of one file
OPEN_MOST = 10  # predictions that one person fills at once, of one release
HANDED_IN_A_DAY = 5  # by one person for one release: scores must not become a way to look at what is withheld
MISSING_NAMED = 10
SCORE_CASE = "score_predicted_case"  # the job in annotations.tasks

NOT_FOUND = "There is no such prediction, or it is not yours."


def cases_to_predict(release: Release, part: str) -> QuerySet[ReleaseCase]:
    """Those of a part that have something to be scored against."""
    cases = ReleaseCase.objects.filter(release=release, withdrawn_at=None, reads__is_reference=True)
    return cases.filter(part=part).order_by("number")


def prediction_or_404(user: User, slug: str, number: int, public_id: str) -> Prediction:
    """One's own, or any of a release that one manages."""
    release = policies.release_or_404(user, slug, number)
    policies.require_open(user, release)
    found = Prediction.objects.filter(release=release, public_id=public_id).select_related("release__project")
    prediction = found.first()
    if prediction is None or not (prediction.by_id == user.pk or policies.manages(user, release)):
        raise Http404(NOT_FOUND)
    return prediction


@transaction.atomic
def open_prediction(*, by: User, release: Release, name: str, description: str, part: str) -> Prediction:
    """Raises Http404 or PermissionDenied for those who may not download the release, ValidationError."""
    policies.release_or_404(by, release.project.slug, release.number)
    policies.require_open(by, release)
    policies.require_use(by, release)
    Release.objects.select_for_update().get(pk=release.pk)
    name = " ".join(name.split())[:120]
    if not name:
        raise ValidationError({"name": "Name the model, with its version."})
    if release.state != Release.State.READY:
        raise ValidationError(
            f"Release {release.number} is {release.get_state_display().lower()}: nothing to predict."
        )
    open_ones = Prediction.objects.filter(release=release, by=by, state=Prediction.State.OPEN)
    if open_ones.count() >= OPEN_MOST:
        raise ValidationError(f"You have {OPEN_MOST} predictions open. Hand one in, or remove one.")
    cases = list(cases_to_predict(release, part))
    if not cases:
        raise ValidationError(
            {"part": f"Release {release.number} has no case with a reference in that part."}
        )
    prediction = Prediction.objects.create(
        release=release,
        by=by,
        name=name,
        description=description.strip()[:4000],
        part=part,
        cases_total=len(cases),
    )
    PredictedCase.objects.bulk_create(
        [PredictedCase(prediction=prediction, release_case=case) for case in cases], batch_size=2000
    )
    audit.record(by, "prediction.opened", prediction, release=release.pk)
    return prediction


# Files --------------------------------------------------------------------------------------------------


def take_file(*, by: User, prediction: Prediction, name: str, content: BinaryIO) -> PredictionFile:
    """Check a file and keep it, in place of one for the same series and label.

    Raises ValidationError with what is wrong with it; then nothing is kept.
    """
    _require_own(by, prediction)
    try:
        named = names.parse(name)
        case, series = _about(prediction, named)
        with spool() as file:
            digest, size = _copied(content, file)
            file.seek(0)
            read_masks(file, named, StoredSeries(series), labels_of(prediction.release))
            file.seek(0)
            key = new_key(".bin")
            storage().put_durable(key, file)
    except ExchangeError as error:
        raise ValidationError(f"{name[: names.NAME_LENGTH_MAX]}: {error}.") from error
    with transaction.atomic():
        locked = Prediction.objects.select_for_update().get(pk=prediction.pk)
        earlier = PredictionFile.objects.filter(case=case, series=series, label=named.label)
        gone = list(earlier.values_list("object_key", flat=True))
        if locked.state != Prediction.State.OPEN:
            storage().delete(key)
            raise ValidationError(_closed(locked))
        earlier.delete()
        kept = PredictionFile.objects.create(
            case=case, series=series, label=named.label, name=name, size=size, sha256=digest, object_key=key
        )
        transaction.on_commit(partial(_delete, gone), robust=True)
    return kept


def labels_of(release: Release) -> list[NumberedLabel]:
    """Labels that masks may have, with their numbers in label maps."""
    return numbered_labels(release, {SEGMENT})


def read_masks(
    file: BinaryIO, named: names.PredictedName, stored: StoredSeries, labels: list[NumberedLabel]
) -> dict[str, masks.Mask]:
    """By label key. Raises ExchangeError."""
    if named.is_dicom:
        return masks.from_seg(file, stored.source, labels)
    return masks.from_nifti(file, stored.source, labels, named.label)


def _about(prediction: Prediction, named: names.PredictedName) -> tuple[PredictedCase, Series]:
    cases = prediction.cases.filter(release_case__number=named.case, release_case__withdrawn_at=None)
    case = cases.select_related("release_case").first()
    if case is None:
        raise ExchangeError(
            f"the prediction has no case {named.case}; it is about the "
            f"{prediction.get_part_display().lower()} part"
        )
    studies = case.release_case.case.studies.all() if case.release_case.case else ()
    series = Series.objects.filter(public_id=named.series, study__in=studies, frame_count__gt=0)
    found = series.select_related("study").first()
    if found is None:
        raise ExchangeError(f"case {named.case} has no series {named.series}")
    return case, found


def _copied(content: BinaryIO, file: BinaryIO) -> tuple[str, int]:
    """(SHA-256, bytes)."""
    digest, size = hashlib.sha256(), 0
    while piece := content.read(COPY_BYTES):
        size += len(piece)
        if size > BYTES_MAX:
            raise ExchangeError(f"it is larger than {BYTES_MAX // 1024**2} MiB")
        digest.update(piece)
        file.write(piece)
    if not size:
        raise ExchangeError("it is empty")
    return digest.hexdigest(), size


def _delete(keys: Iterable[str]) -> None:
    for key in keys:
        storage().delete(key)


# Handing in ---------------------------------------------------------------------------------------------


@transaction.atomic
def hand_in(*, by: User, prediction: Prediction) -> Prediction:
    """Have it scored. Raises ValidationError where cases are missing, or one has handed in enough today."""
    _require_own(by, prediction)
    Release.objects.select_for_update().get(pk=prediction.release_id)  # two at once are counted both
    locked = Prediction.objects.select_for_update().get(pk=prediction.pk)
    if locked.state != Prediction.State.OPEN:
        raise ValidationError(_closed(locked))
    cases = locked.cases.filter(release_case__withdrawn_at=None).annotate(n=Count("files"))
    empty = list(cases.filter(n=0).values_list("release_case__number", flat=True))
    if empty:
        named = ", ".join(map(str, empty[:MISSING_NAMED]))
        more = f" and {len(empty) - MISSING_NAMED} more" if len(empty) > MISSING_NAMED else ""
        raise ValidationError(
            f"There is no file for case {named}{more}. Where a model finds nothing, hand in an empty mask."
        )
    today = Prediction.objects.filter(
        release=locked.release_id, by=by, handed_in_at__gt=timezone.now() - timedelta(days=1)
    )
    if today.count() >= HANDED_IN_A_DAY:
        raise ValidationError(
            f"You handed in {HANDED_IN_A_DAY} predictions for this release within a day. The next can be "
            "handed in tomorrow; it stays here as it is."
        )
    locked.state, locked.handed_in_at = Prediction.State.SCORING, timezone.now()
    locked.cases_total = cases.count()
    locked.save(update_fields=["state", "handed_in_at", "cases_total"])
    wanted: list[dict[str, Any]] = [{"predicted_id": pk} for pk in cases.values_list("pk", flat=True)]
    app.configure_task(SCORE_CASE).batch_defer(*wanted)
    audit.record(by, "prediction.handed_in", locked, release=locked.release_id)
    return locked


@transaction.atomic
def remove(*, by: User, prediction: Prediction) -> None:
    """Its own author may while it is open, whoever manages the release always."""
    manages = policies.manages(by, prediction.release)
    if not manages:
        _require_own(by, prediction)
        if prediction.state != Prediction.State.OPEN:
            raise ValidationError("What was handed in stays. The project's lead can remove it.")
    files = PredictionFile.objects.filter(case__prediction=prediction)
    transaction.on_commit(partial(_delete, list(files.values_list("object_key", flat=True))), robust=True)
    audit.record(by, "prediction.removed", prediction, release=prediction.release_id)
    prediction.delete()


def _require_own(by: User, prediction: Prediction) -> None:
    if prediction.by_id != by.pk:
        raise PermissionDenied("This prediction is somebody else's.")


def _closed(prediction: Prediction) -> str:
    return f"“{prediction.name}” is {prediction.get_state_display().lower()}: its files are final."
