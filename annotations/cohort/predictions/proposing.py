"""A scored prediction becomes proposals: segments on its images that readers accept, change or reject, as
those that came with the images."""

from typing import Any

import numpy as np
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app
from scipy import ndimage

from accounts import audit, permissions
from accounts.models import User
from annotations.cohort.formats.labelling import NumberedLabel
from annotations.cohort.images import StoredSeries
from annotations.cohort.predictions import names
from annotations.cohort.predictions.handing_in import labels_of, read_masks
from annotations.cohort.predictions.masks import Mask
from annotations.exchange.codes import category_of, type_of
from annotations.exchange.source import SourceSeries
from annotations.exchange.uids import derived_uid
from annotations.measures import masks
from annotations.models import ImportedPlane, ImportedSegment, PredictedCase, Prediction, PredictionFile
from atlas.archive.storage import storage

audit.register("prediction.proposed")

PROPOSE_CASE = "propose_predicted_case"  # the job in annotations.tasks
PARTS_MOST = 20  # of one label on one series: a model that finds more gets one proposal for all of them


@transaction.atomic
def propose(*, by: User, prediction: Prediction) -> None:
    """Have every case of a scored prediction proposed to whoever reads it in the project from now on.

    Raises PermissionDenied for those who don't manage the project, ValidationError.
    """
    permissions.require(by, "manage_project", prediction.release.project)
    locked = Prediction.objects.select_for_update().get(pk=prediction.pk)
    if locked.state != Prediction.State.SCORED:
        raise ValidationError(f"“{locked.name}” isn't scored yet: propose it when its scores are there.")
    if locked.proposed_at is not None:
        raise ValidationError(f"“{locked.name}” was proposed before.")
    locked.proposed_at = timezone.now()
    locked.save(update_fields=["proposed_at"])
    cases = locked.cases.filter(release_case__withdrawn_at=None).values_list("pk", flat=True)
    wanted: list[dict[str, Any]] = [{"predicted_id": pk} for pk in cases]
    app.configure_task(PROPOSE_CASE).batch_defer(*wanted)
    audit.record(by, "prediction.proposed", locked, release=locked.release_id)


def propose_case(predicted_id: int) -> None:
    """Twice changes nothing."""
    found = PredictedCase.objects.select_related("prediction__release__project", "release_case")
    predicted = found.filter(pk=predicted_id, release_case__withdrawn_at=None).first()
    if predicted is None or predicted.prediction.proposed_at is None:
        return
    labels = labels_of(predicted.prediction.release)
    for file in predicted.files.select_related("series__study"):
        with storage().open(file.object_key) as content:
            stored = StoredSeries(file.series)
            marked = read_masks(content, names.parse(file.name), stored, labels)
        with transaction.atomic():
            _keep(predicted.prediction, file, stored.source, labels, marked)


def _keep(
    prediction: Prediction,
    file: PredictionFile,
    source: SourceSeries,
    labels: list[NumberedLabel],
    marked: dict[str, Mask],
) -> None:
    uid = derived_uid("prediction", prediction.public_id, file.name)
    origin = f"Predicted by {prediction.name}, for release {prediction.release.number}."[:300]
    number = 0
    for each in labels:
        for part in _parts(marked.get(each.key)):
            number += 1
            meaning = type_of(each.label)
            segment, is_new = ImportedSegment.objects.get_or_create(
                source_series=file.series,
                source_sop_instance_uid=uid,
                segment_number=number,
                defaults={
                    "project": prediction.release.project,
                    "series": file.series,
                    "label": str(each.label["name"])[:64],
                    "category_code": category_of(meaning).as_json(),
                    "type_code": meaning.as_json(),
                    "origin": origin,
                },
            )
            if is_new:
                ImportedPlane.objects.bulk_create(_planes(segment, source, part))


def _parts(mask: Mask | None) -> list[Mask]:
    """Those that don't touch; all as one where they are many."""
    if mask is None or not mask.any():
        return []
    numbered, count = ndimage.label(mask, structure=np.ones((3, 3, 3)))
    return [mask] if count > PARTS_MOST else [numbered == number for number in range(1, count + 1)]


def _planes(segment: ImportedSegment, source: SourceSeries, mask: Mask) -> list[ImportedPlane]:
    return [
        ImportedPlane(
            segment=segment,
            sop_instance_uid=source.frames[at].key.sop_instance_uid,
            frame_number=source.frames[at].key.frame_number,
            rows=mask.shape[1],
            columns=mask.shape[2],
            runs=masks.encode(mask[at]),
        )
        for at in np.flatnonzero(mask.any(axis=(1, 2)))
    ]
