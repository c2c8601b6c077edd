"""Decisions about held images, by those who look after their dataset: black text out, release, keep back.

A decision is written at once; a job paints, because a clip takes a while. Until it is done the image stays
held. Nothing here keeps or logs what a text says.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import Http404
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from accounts import audit, permissions
from accounts.models import User
from accounts.permissions import Someone
from atlas.archive import clean_copies, generations
from atlas.archive.text_search import BOXES_MAX, news_of
from atlas.dicom.black_out import CannotPaint
from atlas.dicom.pixel_text import Box
from atlas.models import Dataset, Instance, Series

audit.register("image.blacked_out", "image.released", "image.kept", "image.held")

logger = logging.getLogger(__name__)

Hold = Instance.Hold
WAITING = (Hold.TEXT, Hold.UNCHECKED)
"""For somebody's decision."""
DECIDABLE = (*WAITING, Hold.KEPT)
IN_ORDER = ("series__study__subject__pseudonym", "series__study_id", "series_id", "instance_number", "pk")
ADDRESS_LENGTH = 20
COVERED_MIN = 0.8
"""Share of a found box that drawn boxes must cover for it to count as seen."""


class NotPossible(Exception):
    """The message is a sentence for the person who asked."""


# Reading ---------------------------------------------------------------------------------------


def dataset_or_404(user: Someone, slug: str) -> Dataset:
    """A dataset whose held images this person may see: whoever may take images into it."""
    dataset = Dataset.objects.filter(slug=slug).select_related("organisation").first()
    if dataset is None:
        raise Http404("There is no such dataset, or it is not for you.")
    permissions.require(user, "import_images", dataset)
    return dataset


def images_of(dataset: Dataset) -> QuerySet[Instance]:
    """Images of a dataset, in the order in which they are looked through. The caller has asked
    `dataset_or_404` whether someone may see those that are held."""
    return (
        Instance.objects.filter(series__study__dataset=dataset)
        .select_related("series__study__subject", "series__study__dataset")
        .order_by(
            "series__study__subject__pseudonym", "series__study_id", "series_id", "instance_number", "pk"
        )
    )


@dataclass(frozen=True, slots=True)
class Counts:
    """Held images of a dataset, by what they wait for."""

    waiting: int
    kept: int
    checking: int
    painting: int

    @property
    def busy(self) -> int:
        return self.checking + self.painting


def counts(dataset: Dataset) -> Counts:
    """One query, along the index of held images."""
    held = Instance.objects.exclude(hold=Hold.NONE).filter(series__study__dataset=dataset)
    found = dict(held.values_list("hold").annotate(n=Count("id")))
    return Counts(
        waiting=sum(found.get(hold, 0) for hold in WAITING),
        kept=found.get(Hold.KEPT, 0),
        checking=found.get(Hold.CHECKING, 0),
        painting=found.get(Hold.PAINTING, 0),
    )


def image_or_404(dataset: Dataset, series_id: str, address: str) -> Instance:
    """By the public id of its series and the start of the digest of what arrived, which stays when the image
    changes."""
    if len(address) == ADDRESS_LENGTH:
        found = images_of(dataset).filter(
            series__public_id=series_id, original_sha256__startswith=address, number_of_frames__gt=0
        )
        instance = found.first()
        if instance is not None:
            return instance
    raise Http404("There is no such image, or it is not for you.")


def address_of(instance: Instance) -> str:
    return instance.original_sha256[:ADDRESS_LENGTH]


def boxes_of(instance: Instance) -> list[Box]:
    """The boxes that were found on an image, or drawn."""
    return [Box(**box) for box in instance.text_boxes]


# Deciding --------------------------------------------------------------------------------------


def release(*, by: User, instance: Instance) -> None:
    """Let everybody see the image who may see its series: what is written on it identifies nobody."""
    _decide(by, [instance], "image.released", [])


def keep(*, by: User, instance: Instance) -> None:
    """The image stays held, and no longer waits for a decision."""
    permissions.require(by, "import_images", instance.series.study.dataset)
    with transaction.atomic():
        kept = Instance.objects.filter(pk=instance.pk, hold__in=WAITING).update(hold=Hold.KEPT)
        if kept:
            audit.record(by, "image.kept", instance, dataset=instance.series.study.dataset_id)


def black_out(*, by: User, instance: Instance, boxes: Sequence[Box]) -> None:
    """Paint these boxes over, then let the image be seen. Raises NotPossible."""
    _decide(by, [instance], "image.blacked_out", _checked(instance, boxes))


def black_out_alike(*, by: User, instance: Instance, boxes: Sequence[Box], within: str) -> tuple[int, int]:
    """The same for every waiting image of the same size in its series or dataset (`within`), if all that
    was found on it lies inside these boxes. Others wait for a look of their own.

    Returns how many will be painted, and how many wait. Raises NotPossible.
    """
    inside = _checked(instance, boxes)
    dataset = instance.series.study.dataset
    others = images_of(dataset).filter(rows=instance.rows, columns=instance.columns, hold=Hold.TEXT)
    if within == "series":
        others = others.filter(series=instance.series)
    everywhere = [one for one in inside if one.frame == 0 or instance.number_of_frames == 1]
    mask = _mask(instance, everywhere)
    alike, unlike = [instance], 0
    for other in others.exclude(pk=instance.pk):
        if all(_is_covered(box, mask) for box in boxes_of(other)):
            alike.append(other)
        else:
            unlike += 1
    whole = [Box(0, one.column, one.row, one.columns, one.rows, one.score) for one in everywhere]
    with transaction.atomic():
        _decide(by, [instance], "image.blacked_out", inside)
        _decide(by, alike[1:], "image.blacked_out", whole)
    return len(alike), unlike


def hold(*, by: User, instance: Instance) -> None:
    """Keep back an image that may be seen now. When this returns, nothing of it is served any more."""
    dataset = instance.series.study.dataset
    permissions.require(by, "import_images", dataset)
    with transaction.atomic():
        was_visible = Instance.objects.filter(pk=instance.pk, hold=Hold.NONE).update(hold=Hold.KEPT)
        was_decided = Instance.objects.filter(pk=instance.pk, hold=Hold.PAINTING).update(hold=Hold.KEPT)
        if was_visible or was_decided:
            audit.record(by, "image.held", instance, dataset=dataset.pk)
    if was_visible:
        generations.forget_generations(instance.series)


def _checked(instance: Instance, boxes: Sequence[Box]) -> list[Box]:
    if not boxes:
        raise NotPossible("Draw a box around what is to be blacked out first, or release the image as it is.")
    if len(boxes) > BOXES_MAX:
        raise NotPossible(f"An image takes at most {BOXES_MAX} boxes; draw larger ones.")
    rows, columns = instance.rows or 0, instance.columns or 0
    inside = [part for box in boxes if (part := box.within(rows, columns))]
    if len(inside) < len(boxes) or any(box.frame > instance.number_of_frames for box in inside):
        raise NotPossible("A box lies outside of the image. Remove it and draw it again.")
    return inside


def _decide(by: User, instances: Sequence[Instance], verb: str, boxes: list[Box]) -> None:
    """Write a decision; images that must be painted or marked first become `PAINTING`, for a job."""
    content = [box.as_json() for box in boxes]
    for dataset in {one.series.study.dataset for one in instances}:
        permissions.require(by, "import_images", dataset)
    painting: set[int] = set()
    visible: set[int] = set()
    with transaction.atomic():
        for instance in instances:
            has_work = bool(boxes) or clean_copies.is_wanted(instance)
            decided = Instance.objects.filter(
                pk=instance.pk, hold__in=DECIDABLE, stored_sha256=instance.stored_sha256
            ).update(hold=Hold.PAINTING if has_work else Hold.NONE, text_boxes=content)
            if not decided:
                continue
            (painting if has_work else visible).add(instance.series_id)
            facts = {"dataset": instance.series.study.dataset_id, "boxes": len(boxes)}
            audit.record(by, verb, instance, **facts)
        for series_id in sorted(visible):
            news_of(series_id)
        paint_soon(painting)


def _mask(instance: Instance, boxes: Iterable[Box]) -> np.ndarray:
    mask = np.zeros((instance.rows or 0, instance.columns or 0), bool)
    for box in boxes:
        mask[box.row : box.row + box.rows, box.column : box.column + box.columns] = True
    return mask


def _is_covered(box: Box, mask: np.ndarray) -> bool:
    part = mask[box.row : box.row + box.rows, box.column : box.column + box.columns]
    return float(part.sum()) >= COVERED_MIN * box.rows * box.columns


# Painting --------------------------------------------------------------------------------------


def paint_soon(series_ids: Iterable[int]) -> None:
    """Enqueue the painting of images of these series, unless one waits. Part of the caller's transaction."""
    for series_id in sorted(series_ids):
        try:
            with transaction.atomic():
                paint_images.configure(
                    queueing_lock=f"paint-{series_id}", lock=f"paint-{series_id}", priority=1
                ).defer(series_id=series_id)
        except AlreadyEnqueued:
            pass


@app.task(name="atlas.paint_images")
def paint_images(series_id: int) -> None:
    """Paint what was decided about the images of a series."""
    paint(series_id)


@app.periodic(cron="*/5 * * * *")
@app.task(name="atlas.paint_what_waits", queueing_lock="paint_what_waits")
def paint_what_waits(timestamp: int) -> None:
    """No image waits for ever because a job of its series was given up."""
    waiting = Instance.objects.filter(hold=Hold.PAINTING).values_list("series_id", flat=True)
    paint_soon(list(waiting.distinct()))


def paint(series_id: int) -> int:
    """Paint or mark each image of a series that was decided about; returns how many are done. One that can't
    be painted goes back to those that wait. Safe to run twice."""
    done = 0
    waiting = Instance.objects.filter(series=series_id, hold=Hold.PAINTING)
    for instance in waiting.select_related("series__study__dataset").order_by("pk"):
        boxes = boxes_of(instance)
        try:
            if boxes:
                done += clean_copies.paint(instance, boxes, was=Hold.PAINTING)
            else:
                done += clean_copies.mark(instance, was=Hold.PAINTING)
        except CannotPaint as error:
            logger.error("Instance %s can't be blacked out: %s", instance.pk, error)
            Instance.objects.filter(pk=instance.pk, hold=Hold.PAINTING).update(hold=Hold.UNCHECKED)
    if done and Series.objects.filter(pk=series_id).exists():
        with transaction.atomic():
            news_of(series_id)
    return done
