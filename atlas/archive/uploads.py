"""Deliveries: files that one person or command sends to a dataset, counted and reported by name. Large files
come in pieces: `atlas.archive.sent_files`."""

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import BinaryIO, cast

from django.db import transaction
from django.db.models import F
from django.http import Http404
from django.utils import timezone

from accounts import audit, permissions
from accounts.models import User
from accounts.permissions import Someone
from atlas.archive import intake, pieces, sealing, sources
from atlas.archive.index import KNOWN, NOT_DICOM, REFUSED, STORED, Outcome
from atlas.archive.sources import Source
from atlas.archive.storage import spool
from atlas.archive.tasks import seal_soon
from atlas.fanout import broadcast
from atlas.models import Dataset, Series, Upload, UploadFile, UploadFinding

audit.register("upload.begun", "upload.done", "upload.cancelled")

logger = logging.getLogger(__name__)

NAME_LENGTH_MAX = 500
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class UploadEnded(Exception):
    """The delivery takes no more files. The message is a sentence."""


def upload_or_404(user: Someone, slug: str, public_id: str) -> Upload:
    """A delivery to the dataset of this name, for someone who may take images into it."""
    found = Upload.objects.filter(public_id=public_id, dataset__slug=slug)
    upload = found.select_related("dataset__organisation").first()
    if upload is None:
        raise Http404("There is no such upload, or it is not for you.")
    permissions.require(user, "import_images", upload.dataset)
    return upload


@transaction.atomic
def begin(*, by: User | None, dataset: Dataset, files_total: int = 0) -> Upload:
    """Begin a delivery; `by` None is the command line. Raises IntakeClosed."""
    if by is not None:
        permissions.require(by, "import_images", dataset)
    intake.require_open(dataset)
    upload = Upload.objects.create(dataset=dataset, by=by, files_total=files_total)
    audit.record(by, "upload.begun", upload, dataset=dataset.pk)
    tell(upload)
    return upload


def receive(*, by: User, upload: Upload, name: str, stream: BinaryIO) -> list[Outcome]:
    """Take one sent file, or every file of a sent ZIP archive. What it returns as stored is durable.

    Raises UploadEnded, IntakeClosed.
    """
    permissions.require(by, "import_images", upload.dataset)
    require_receiving(upload)
    outcomes: list[Outcome] = []
    for outcome in intake.take_in(_in_body(name, stream), dataset=upload.dataset):
        outcomes.append(outcome)
        if len(outcomes) % intake.BATCH_FILES == 0:
            count(upload, outcomes[-intake.BATCH_FILES :])
    count(upload, outcomes[len(outcomes) - len(outcomes) % intake.BATCH_FILES :])
    return outcomes


def require_receiving(upload: Upload) -> None:
    """Raises UploadEnded."""
    if upload.state == Upload.State.FAILED:
        raise UploadEnded("This upload was stopped by an error; begin another one.")
    if upload.state != Upload.State.RECEIVING:
        raise UploadEnded("This upload was declared complete; begin another one.")


def _in_body(name: str, stream: BinaryIO) -> Iterable[Source]:
    start = stream.read(4)
    if not sources.is_zip(start):
        return [Source(name, lambda: cast(BinaryIO, _Rest(start, stream)))]
    archive = spool()
    archive.write(start)
    while chunk := stream.read(intake.READ_BYTES):
        archive.write(chunk)
    return sources.in_zip(archive, name)


class _Rest:
    """A stream whose first bytes were read already."""

    def __init__(self, start: bytes, stream: BinaryIO) -> None:
        self.start, self.stream = start, stream

    def read(self, length: int) -> bytes:
        start, self.start = self.start, b""
        return start + self.stream.read(length - len(start))

    def __enter__(self) -> "_Rest":
        return self

    def __exit__(self, *error: object) -> None:
        pass


@transaction.atomic
def count(upload: Upload, outcomes: list[Outcome], *, of: UploadFile | None = None) -> None:
    """Count what became of files, and keep the reasons of those that were not taken. `of` is the archive or
    large file that they came in: a job that runs again goes on after them."""
    if not outcomes:
        return
    counts = Counter(outcome.status for outcome in outcomes)
    Upload.objects.filter(pk=upload.pk).update(
        files_read=F("files_read") + len(outcomes),
        stored=F("stored") + counts[STORED],
        known=F("known") + counts[KNOWN],
        refused=F("refused") + counts[REFUSED] + counts[NOT_DICOM],
    )
    if of is not None:
        UploadFile.objects.filter(pk=of.pk).update(files_read=F("files_read") + len(outcomes))
    UploadFinding.objects.bulk_create(
        UploadFinding(
            upload=upload,
            file_name=shown_name(outcome.name),
            reason=outcome.reason[:NAME_LENGTH_MAX],
        )
        for outcome in outcomes
        if outcome.reason
    )
    tell(upload)


def shown_name(name: str) -> str:
    """A sender's name of a file, fit for a line: its end, without control characters."""
    return _CONTROL.sub("�", name)[-NAME_LENGTH_MAX:]


def finish(*, by: User, upload: Upload) -> Upload:
    """The sender says that all is sent: series that still arrive are sealed now. Twice changes nothing.

    Large files of which a part never came are named and left aside; those that a worker still reads end the
    delivery later.
    """
    permissions.require(by, "import_images", upload.dataset)
    return _finish(upload, by)


def cancel(*, by: User, upload: Upload) -> Upload:
    """Stop a delivery. What is stored stays; large files that are not here as a whole are thrown away."""
    permissions.require(by, "import_images", upload.dataset)
    return _finish(upload, by, verb="upload.cancelled")


def end_abandoned(upload: Upload) -> None:
    """A job: nobody went on with this delivery."""
    _finish(upload, None)


@transaction.atomic
def _finish(upload: Upload, by: User | None, verb: str = "upload.done") -> Upload:
    upload = Upload.objects.select_for_update(of=("self",)).select_related("dataset").get(pk=upload.pk)
    if upload.state != Upload.State.RECEIVING:
        return upload
    for file in upload.files.filter(is_taken_in=False, received__lt=F("size")):
        reason = "It was not sent to its end." if verb == "upload.done" else "The delivery was cancelled."
        put_aside(file, reason)
    upload.state = Upload.State.WAITING
    upload.save(update_fields=["state"])
    audit.record(by, verb, upload, dataset=upload.dataset_id)
    for series_id in _arriving_in(upload.dataset):
        seal_soon(series_id)
    conclude(upload)
    upload.refresh_from_db()
    tell(upload)
    return upload


def put_aside(file: UploadFile, reason: str) -> None:
    """Take nothing of a large file, and say why. Part of the caller's transaction."""
    file.is_taken_in = True
    file.save(update_fields=["is_taken_in"])
    transaction.on_commit(lambda: pieces.discard(file))
    count(file.upload, [Outcome(file.name, REFUSED, reason)])


def conclude(upload: Upload) -> None:
    """End a delivery that was declared complete, as soon as no file of it waits for a worker.

    Call it in a transaction that holds the delivery's row.
    """
    if pieces.arrived(upload):
        return
    ended = Upload.objects.filter(
        pk=upload.pk, state__in=(Upload.State.WAITING, Upload.State.READING)
    ).update(state=Upload.State.DONE, ended_at=timezone.now())
    if ended:
        for series_id in _arriving_in(upload.dataset):
            seal_soon(series_id)


def _arriving_in(dataset: Dataset) -> list[int]:
    arriving = Series.objects.filter(
        study__dataset=dataset, state=Series.State.ARRIVING, instance_count__gt=0
    )
    return list(arriving.values_list("pk", flat=True))


def import_paths(
    dataset: Dataset,
    found: Iterable[Source],
    *,
    on_file: Callable[[Outcome], None] = lambda outcome: None,
    on_series: Callable[[int, int], None] = lambda done, total: None,
) -> Upload:
    """Take files in from this machine (a command) and seal their series at once, so that they can be read.

    The caller answers for the right to do so. Raises IntakeClosed.
    """
    taken = intake.take_in(found, dataset=dataset)
    return import_taken(dataset, taken, on_file=on_file, on_series=on_series)


def import_taken(
    dataset: Dataset,
    taken: Iterable[Outcome],
    *,
    on_file: Callable[[Outcome], None] = lambda outcome: None,
    on_series: Callable[[int, int], None] = lambda done, total: None,
    seal_now: bool = True,
) -> Upload:
    """Record a delivery from this machine while it is taken in, file by file, and seal its series: at once,
    or (`seal_now` False) by the workers."""
    upload = begin(by=None, dataset=dataset)
    changed: dict[int, None] = {}
    waiting: list[Outcome] = []
    for outcome in taken:
        on_file(outcome)
        if outcome.series_id and outcome.status == STORED:
            changed[outcome.series_id] = None
        waiting.append(outcome)
        if len(waiting) >= intake.BATCH_FILES:
            count(upload, waiting)
            waiting = []
    count(upload, waiting)
    if not seal_now:
        return _finish(upload, None)
    # A command that was stopped may have left series of known files unsealed.
    for series_id in _arriving_in(dataset):
        changed.setdefault(series_id, None)
    for done, series_id in enumerate(changed):
        on_series(done, len(changed))
        try:
            sealing.seal(series_id)
        except Exception:  # of a listener: the images are in; a worker tries again
            logger.exception("Series %s could not be passed on", series_id)
            seal_soon(series_id)
    on_series(len(changed), len(changed))
    return _finish(upload, None)


def tell(upload: Upload) -> None:
    """The dataset's page follows a delivery: it reads the numbers when it hears this."""
    message = {"type": "upload", "upload": upload.public_id}
    group = f"dataset.{upload.dataset.slug}"
    transaction.on_commit(lambda: broadcast(group, message))
