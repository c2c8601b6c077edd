"""Large files of a delivery: begun, sent piece by piece, taken in by a job once they are here as a whole."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import BinaryIO

from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils import timezone
from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app

from accounts import permissions
from accounts.models import User
from atlas.archive import intake, pieces, sources, uploads
from atlas.archive.index import Outcome
from atlas.archive.sources import Source
from atlas.archive.storage import storage
from atlas.dicom.headers import looks_like_dicom
from atlas.models import Upload, UploadFile

logger = logging.getLogger(__name__)

ATTEMPTS_MAX = 5
ABANDONED_AFTER = timedelta(days=7)
NO_IMAGE = "This is not a DICOM file."
_START_BYTES = 132  # a preamble and the letters DICM


class FileRefused(Exception):
    """The file is not taken. The message is a sentence for its sender."""


def begin_file(*, by: User, upload: Upload, name: str, size: int, fingerprint: str) -> UploadFile:
    """A large file is to come, or comes again: then it says how much of it is here.

    `fingerprint` tells two files of one name apart: size and time of change, as the sender sees them.
    Raises FileRefused, UploadEnded, IntakeClosed.
    """
    permissions.require(by, "import_images", upload.dataset)
    uploads.require_receiving(upload)
    intake.require_open(upload.dataset)
    if size > pieces.FILE_BYTES_MAX:
        raise FileRefused(f"The file is larger than {pieces.FILE_BYTES_MAX // 1024**3} GB. Split it.")
    key = {"name": uploads.shown_name(name), "fingerprint": fingerprint}
    try:
        with transaction.atomic():
            file, _ = UploadFile.objects.get_or_create(upload=upload, **key, defaults={"size": size})
    except IntegrityError:  # two tabs at once
        file = UploadFile.objects.get(upload=upload, **key)
    if file.size != size:
        raise FileRefused("Another file of this name and fingerprint, but of another size, is on its way.")
    return file


def sent_file_or_404(upload: Upload, public_id: str) -> UploadFile:
    """A large file of a delivery that the caller was given by `uploads.upload_or_404`."""
    file = (
        UploadFile.objects.select_related("upload__dataset")
        .filter(upload=upload, public_id=public_id)
        .first()
    )
    if file is None:
        raise Http404("There is no such file in this upload.")
    return file


def receive_piece(*, by: User, file: UploadFile, offset: int, stream: BinaryIO) -> UploadFile:
    """Take the next piece. After the last one, a job takes the file in.

    Raises WrongPiece, FileRefused (it is no DICOM file and no ZIP archive), UploadEnded.
    """
    permissions.require(by, "import_images", file.upload.dataset)
    uploads.require_receiving(file.upload)
    if file.is_taken_in:
        return file
    with transaction.atomic():
        file = pieces.append(file, offset, stream)
        is_image = offset > 0 or _may_hold_images(file)
        if not is_image:  # said after the first piece, so that nobody sends a film of ten gigabytes in vain
            uploads.put_aside(file, NO_IMAGE)
        elif file.received == file.size:
            _take_in_soon(file)
        uploads.tell(file.upload)
    if not is_image:
        raise FileRefused(NO_IMAGE)
    return file


def _may_hold_images(file: UploadFile) -> bool:
    start = storage().read_range(pieces.key_of(file, 0), 0, min(_START_BYTES, file.received))
    return sources.is_zip(start) or looks_like_dicom(start)


def leave_out(*, by: User, file: UploadFile) -> None:
    """The sender wants this file left out after all. One that is here as a whole is taken in."""
    permissions.require(by, "import_images", file.upload.dataset)
    with transaction.atomic():
        file = (
            UploadFile.objects.select_for_update(of=("self",))
            .select_related("upload__dataset")
            .get(pk=file.pk)
        )
        if not file.is_taken_in and file.received < file.size:
            uploads.put_aside(file, "Left out by its sender.")


# A worker's side ---------------------------------------------------------------------------------


def _take_in_soon(file: UploadFile) -> None:
    take_in_sent_file.configure(lock=f"sent-file-{file.pk}").defer(file_id=file.pk)


@app.task(
    name="atlas.take_in_sent_file",
    pass_context=True,
    retry=RetryStrategy(max_attempts=ATTEMPTS_MAX, exponential_wait=4),
)
def take_in_sent_file(context: JobContext, file_id: int) -> None:
    """Read a file that came in pieces. Running it again goes on where it stopped."""
    try:
        take_in(file_id)
    except intake.IntakeClosed as error:
        _give_up(file_id, error)
    except Exception as error:
        if context.job.attempts + 1 < ATTEMPTS_MAX:
            raise  # the disk may have room again, or the storage may answer
        logger.exception("Sent file %s is given up", file_id)
        _give_up(file_id, error)


def take_in(file_id: int) -> None:
    """Take in what a sent file holds, and end its delivery if that waited for this file only."""
    file = UploadFile.objects.select_related("upload__dataset__organisation").get(pk=file_id)
    if file.is_taken_in or file.received < file.size:
        return
    upload = file.upload
    Upload.objects.filter(pk=upload.pk, state=Upload.State.WAITING).update(state=Upload.State.READING)
    uploads.tell(upload)
    with pieces.opened(file) as stream:
        waiting: list[Outcome] = []
        try:
            rest = islice(_within(file, stream), file.files_read, None)
            for outcome in intake.take_in(rest, dataset=upload.dataset):
                waiting.append(outcome)
                if len(waiting) >= intake.BATCH_FILES:
                    uploads.count(upload, waiting, of=file)
                    waiting = []
        finally:
            uploads.count(upload, waiting, of=file)
    _end(file)


def _within(file: UploadFile, stream: BinaryIO) -> Iterator[Source]:
    start = stream.read(4)
    stream.seek(0)
    if sources.is_zip(start):
        return sources.in_zip(stream, file.name)
    return iter([Source(file.name, lambda: stream)])


@transaction.atomic
def _end(file: UploadFile) -> None:
    upload = Upload.objects.select_for_update(of=("self",)).select_related("dataset").get(pk=file.upload_id)
    UploadFile.objects.filter(pk=file.pk).update(is_taken_in=True)
    uploads.conclude(upload)
    transaction.on_commit(lambda: pieces.discard(file))
    uploads.tell(upload)


@transaction.atomic
def _give_up(file_id: int, error: Exception) -> None:
    """Stop the delivery and say so: its sender may think that all is well."""
    file = UploadFile.objects.select_related("upload__dataset").get(pk=file_id)
    if isinstance(error, intake.IntakeClosed | intake.OutOfSpace | intake.StorageRefuses):
        reason = f"{error} Send it again when that is mended."
    else:
        reason = "The node could not take it in; its log says why. Send it again when that is mended."
    uploads.put_aside(file, reason)
    Upload.objects.filter(pk=file.upload_id).exclude(state=Upload.State.DONE).update(
        state=Upload.State.FAILED, ended_at=timezone.now()
    )
    uploads.tell(file.upload)


@app.periodic(cron="41 3 * * *")
@app.task(name="atlas.forget_abandoned_files", queueing_lock="forget_abandoned_files")
def forget_abandoned_files(timestamp: int) -> None:
    """End deliveries with large files that nobody went on with, so that their pieces don't stay for ever."""
    old = UploadFile.objects.filter(is_taken_in=False, created_at__lt=timezone.now() - ABANDONED_AFTER)
    abandoned = Upload.objects.filter(state=Upload.State.RECEIVING, files__in=old).distinct()
    for upload in abandoned.select_related("dataset"):
        uploads.end_abandoned(upload)
