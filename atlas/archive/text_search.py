"""Searches the pixels of images for text, before anybody may look at them.

Intake holds what may have text in it (`Instance.Hold.CHECKING`). A job looks: what holds none goes on, what
does waits in quarantine for a person, and so does what can't be looked at. Places of text are kept, never the
text.
"""

import logging
import time
from collections.abc import Iterable
from typing import BinaryIO

import numpy as np
from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from atlas.archive import clean_copies
from atlas.archive.storage import is_storage_trouble, open_instance
from atlas.archive.tasks import seal_soon
from atlas.dicom.decoding import decode_frame
from atlas.dicom.frames import NoFrames, frame_ranges, pixel_format, read_ranges
from atlas.dicom.headers import DEFLATED, Header, inflated, read_header
from atlas.dicom.pixel_text import Box, frames_to_search, may_hold_text, merged
from atlas.dicom.text_finder import find_text
from atlas.models import Instance, Series

logger = logging.getLogger(__name__)

FRAMES_SEARCHED_MAX = 24
"""Of one file: text on a clip stands still, and frames of a longer one are taken evenly."""
JOB_SECONDS = 120
"""After this long a job gives way to others and goes on later."""
BOXES_MAX = 400
"""Of one image: a page of a document has about as many lines of text."""
SIDE_MIN = 8
"""Pixels: nothing smaller can be read."""

Hold = Instance.Hold


def is_due(header: Header) -> bool:
    """Whether an image with this header has to be searched before anybody may see it."""
    return bool(header.pixel_keyword) and may_hold_text(header.dataset)


def search_soon(series_ids: Iterable[int]) -> None:
    """Enqueue a search of these series, unless one waits. Part of the caller's transaction."""
    for series_id in sorted(series_ids):
        try:
            with transaction.atomic():
                search_for_text.configure(
                    queueing_lock=f"text-{series_id}", lock=f"text-{series_id}", priority=-1
                ).defer(series_id=series_id)
        except AlreadyEnqueued:
            pass


@app.task(name="atlas.search_for_text")
def search_for_text(series_id: int) -> None:
    """Look at the images of a series that wait for it."""
    search(series_id)


@app.periodic(cron="*/5 * * * *")
@app.task(name="atlas.search_what_waits", queueing_lock="search_what_waits")
def search_what_waits(timestamp: int) -> None:
    """No image waits for ever because a job of its series was given up."""
    waiting = Instance.objects.filter(hold=Hold.CHECKING).values_list("series_id", flat=True)
    search_soon(list(waiting.distinct()))


def search(series_id: int, *, seconds: float = JOB_SECONDS) -> int:
    """Look at images of a series that wait for it, one after the other; returns how many it looked at.

    Safe to run twice or at once with others. What is not done after `seconds` is left for another job.
    """
    ends_at, looked_at, cleared = time.monotonic() + seconds, 0, 0
    waiting = Instance.objects.filter(series=series_id, hold=Hold.CHECKING)
    for instance in waiting.select_related("series__study__dataset").order_by("pk").iterator(chunk_size=50):
        hold, boxes = look(instance)
        looked_at += 1
        cleared += _record(instance, hold, boxes)
        if time.monotonic() > ends_at:
            break
    with transaction.atomic():
        is_done = not waiting.exists()
        if cleared or (looked_at and is_done and not _is_anything_shown(series_id)):
            news_of(series_id)
        if not is_done:
            search_soon([series_id])
    return looked_at


def _is_anything_shown(series_id: int) -> bool:
    """Where nothing is, the series says why: its images wait for the search, or are kept back after it."""
    return Instance.objects.filter(series=series_id, hold=Hold.NONE).exists()


def look(instance: Instance) -> tuple[str, list[Box]]:
    """What becomes of an image after a look at its pixels: its hold, and where text stands."""
    try:
        with open_instance(instance) as file:
            header = read_header(file)
            boxes = _found(file, header)
    except Exception as error:  # decoders and models on hostile pixels raise anything
        if is_storage_trouble(error):  # another job tries again
            raise
        # The error's words may come from the file; its kind may not.
        logger.warning("Instance %s could not be searched for text: %s", instance.pk, type(error).__name__)
        return Hold.UNCHECKED, []
    return (Hold.TEXT if boxes else Hold.NONE), boxes[:BOXES_MAX]


def _found(file: BinaryIO, header: Header) -> list[Box]:
    if not header.pixel_keyword:
        return []
    content = inflated(file) if header.transfer_syntax_uid == DEFLATED else file
    pixel = pixel_format(header)
    if min(pixel.rows, pixel.columns) < SIDE_MIN:
        return []
    ranges = frame_ranges(content, header, pixel)
    whole = [number for number, one in enumerate(ranges, start=1) if one is not None]
    if not whole:
        raise NoFrames("The file is cut off before its pixels.")
    found: list[Box] = []
    before: np.ndarray | None = None
    for index in frames_to_search(len(whole), FRAMES_SEARCHED_MAX):
        number = whole[index - 1]
        encoded = read_ranges(content, ranges[number - 1] or ())
        array = decode_frame(header, pixel, encoded, number - 1)
        if before is not None and np.array_equal(array, before):
            continue
        before = array
        found += find_text(array, inverted=pixel.photometric == "MONOCHROME1")
    return merged(found)


def _record(instance: Instance, hold: str, boxes: list[Box]) -> int:
    """Keep what was found, unless the image has changed meanwhile; 1 where it may be seen from now on."""
    if hold == Hold.NONE and clean_copies.is_wanted(instance):
        return int(clean_copies.mark(instance, was=Hold.CHECKING))
    changed = Instance.objects.filter(
        pk=instance.pk, hold=Hold.CHECKING, stored_sha256=instance.stored_sha256
    ).update(hold=hold, text_boxes=[box.as_json() for box in boxes])
    return int(bool(changed) and hold == Hold.NONE)


def news_of(series_id: int) -> None:
    """Images of the series may be seen that were held, or the other way round: it is described anew. Part of
    the caller's transaction."""
    Series.objects.filter(pk=series_id).update(state=Series.State.ARRIVING, changed_at=timezone.now())
    seal_soon(series_id)
