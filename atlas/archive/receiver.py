"""The DICOM receiver: C-STORE and C-ECHO (PS3.7 9.1.1, 9.1.5) for senders that don't speak HTTP.

An AE title stands for a dataset (model Receiver); who may call it is listed there. An image is acknowledged
when its bytes and its row are durable.
"""

import contextlib
import errno
import logging
import shutil
import ssl
import tempfile
import time
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.db import close_old_connections, connection
from pydicom.dataset import Dataset as DicomDataset
from pynetdicom import AE, AllStoragePresentationContexts, _config, evt
from pynetdicom.transport import ThreadedAssociationServer

from atlas.archive import intake
from atlas.archive.keys import KeyUnusable
from atlas.archive.received import (
    FAILURE_CODES,
    IDENTIFIES,
    KNOWN,
    NO_ROOM,
    STORED,
    UNREADABLE,
    Outcome,
    Stored,
)
from atlas.archive.receiving import OUT_OF_SPACE, Door, IntakeClosed, digest_of_file, door_of, prepare
from atlas.models import Receiver

logger = logging.getLogger(__name__)

VERIFICATION = "1.2.840.10008.1.1"
SUCCESS, COERCED = 0x0000, 0xB000
REJECTED_PERMANENTLY, BY_SERVICE_USER = 0x01, 0x01  # PS3.8 9.3.4
CALLING_NOT_RECOGNISED, CALLED_NOT_RECOGNISED = 0x03, 0x07
ASSOCIATIONS_MAX = 20
IDLE_S = 60.0
DOOR_S = 5.0  # so long a changed profile, or a closed dataset, is not noticed by an open association
COMMENT_LENGTH_MAX = 64  # Error Comment (0000,0902) is an LO

TRANSFER_SYNTAXES = [
    "1.2.840.10008.1.2.1",  # Explicit VR Little Endian first: what senders should prefer
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.2",
    *(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70, 80, 81, 90, 91, 92, 93)),
    *(f"1.2.840.10008.1.2.4.{number}" for number in (100, 101, 102, 103, 104, 105, 106, 107, 108)),
    *(f"1.2.840.10008.1.2.4.{number}" for number in (110, 111, 112, 201, 202, 203)),
    "1.2.840.10008.1.2.5",
]


def tls_context(certificate: Path, key: Path, authority: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or newer (PS3.15 B.12); with an authority, senders must show a certificate of it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    if authority is not None:
        context.load_verify_locations(authority)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def listen(
    host: str, port: int, *, ae_titles: set[str] | None = None, tls: ssl.SSLContext | None = None
) -> ThreadedAssociationServer:
    """Receive in threads until the server's `shutdown()`; `ae_titles` None answers to all that are set up.

    Raises OSError where the port can't be had.
    """
    prepare_incoming_folder(port)
    # Data sets go to a file while they arrive, so that memory stays bounded.
    _config.STORE_RECV_CHUNKED_DATASET = True
    # Whose UIDs are odd is for intake to judge and to tell; the library would drop the association.
    _config.ENFORCE_UID_CONFORMANCE = False
    entity = AE(ae_title="ATLAS")
    entity.maximum_associations = ASSOCIATIONS_MAX
    entity.network_timeout = entity.acse_timeout = entity.dimse_timeout = IDLE_S
    for context in AllStoragePresentationContexts:
        entity.add_supported_context(str(context.abstract_syntax), TRANSFER_SYNTAXES)
    entity.add_supported_context(VERIFICATION)
    door = _Doors(ae_titles)
    handlers: list[Any] = [
        (evt.EVT_REQUESTED, door.on_requested),
        (evt.EVT_C_ECHO, lambda event: SUCCESS),
        (evt.EVT_C_STORE, door.on_store),
        (evt.EVT_CONN_CLOSE, lambda event: connection.close()),
    ]
    server = entity.start_server((host, port), block=False, evt_handlers=handlers, ssl_context=tls)
    return cast(ThreadedAssociationServer, server)


def prepare_incoming_folder(port: int) -> None:
    """A private, empty folder for data sets on their way in; what a killed receiver left behind goes."""
    folder = Path(settings.ATLAS_HOME) / "incoming" / str(port)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    tempfile.tempdir = str(folder)


class _Doors:
    """Answers the events of associations, each of which has a thread of its own."""

    def __init__(self, ae_titles: set[str] | None) -> None:
        self.ae_titles = ae_titles
        self._known: dict[str, tuple[float, Door]] = {}

    def on_requested(self, event: Any) -> None:
        """Reject who calls a title that isn't here, or isn't listed for it."""
        request = event.assoc.requestor.primitive
        called, calling = request.called_ae_title.strip(), request.calling_ae_title.strip()
        try:
            close_old_connections()
            receiver = Receiver.objects.filter(called_ae_title=called).first()
        finally:
            connection.close()
        if receiver is None or (self.ae_titles is not None and called not in self.ae_titles):
            self._reject(event, CALLED_NOT_RECOGNISED)
        elif calling not in receiver.calling_ae_titles:
            self._reject(event, CALLING_NOT_RECOGNISED)

    def _reject(self, event: Any, diagnostic: int) -> None:
        logger.info("An association was rejected (diagnostic %s)", diagnostic)
        event.assoc.acse.send_reject(REJECTED_PERMANENTLY, BY_SERVICE_USER, diagnostic)
        event.assoc.kill()

    def on_store(self, event: Any) -> int | Any:
        """Take one image in; returns its status."""
        try:
            outcome = self._take(event)
        except (intake.OutOfSpace, intake.StorageRefuses, KeyUnusable) as error:
            if isinstance(error, KeyUnusable):
                logger.error("%s", error)
            outcome = Outcome("", "refused", "This node takes no images now.", cause=NO_ROOM)
        except IntakeClosed as error:
            outcome = Outcome("", "refused", str(error), cause=IDENTIFIES)
        except OSError as error:
            logger.error("An image on its way in can't be kept: %s", errno.errorcode.get(error.errno or 0))
            cause = NO_ROOM if error.errno in OUT_OF_SPACE else UNREADABLE
            outcome = Outcome("", "refused", "The image could not be kept.", cause=cause)
        except Exception as error:  # its message may hold what the file holds
            logger.error("An image could not be processed: %s", type(error).__name__)
            outcome = Outcome("", "refused", "The image could not be processed.", cause=UNREADABLE)
        return _status(outcome)

    def _take(self, event: Any) -> Outcome:
        door = self._door(event.assoc.requestor.primitive.called_ae_title.strip())
        file = event.dataset_path.open("rb")
        # The open file stays; its name goes, so that nothing is left of it if this process dies.
        with contextlib.suppress(OSError):
            event.dataset_path.unlink()
        entry = prepare("", file, digest_of_file(file), door)
        if isinstance(entry, Outcome):
            file.close()
            return entry
        found = intake.known_or_store(entry, door.dataset)
        file.close()
        return intake.commit([found], door.dataset)[0] if isinstance(found, Stored) else found

    def _door(self, called: str) -> Door:
        known = self._known.get(called)
        if known and known[0] > time.monotonic():
            return known[1]
        receiver = (
            Receiver.objects.select_related("dataset__organisation").filter(called_ae_title=called).first()
        )
        connection.close()
        if receiver is None:
            raise IntakeClosed("This AE title takes no images any more.")
        door = door_of(receiver.dataset)
        self._known[called] = (time.monotonic() + DOOR_S, door)
        return door


def _status(outcome: Outcome) -> int | Any:
    """A status, with a comment where the image was not taken."""
    if outcome.status in (STORED, KNOWN):
        return COERCED if outcome.is_changed else SUCCESS
    answer = DicomDataset()
    answer.Status = FAILURE_CODES.get(outcome.cause, 0xC000)
    comment = outcome.reason.encode("ascii", "replace").decode()
    answer.ErrorComment = comment[:COMMENT_LENGTH_MAX].replace("\\", "/")
    return answer
