"""Who may store into a dataset by STOW-RS, and how its images come in: asked once, remembered for seconds."""

import logging
import time

from channels.db import database_sync_to_async
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404

from accounts import audit, permissions
from accounts.authentication import user_of_header
from atlas import policies
from atlas.archive.keys import KeyUnusable
from atlas.archive.receiving import Door, IntakeClosed, door_of
from atlas.dicomweb.answers import Problem
from atlas.dicomweb.decisions import database_threads
from atlas.dicomweb.remembered import Remembered

audit.register("dataset.stored_into")

logger = logging.getLogger(__name__)

REMEMBERED_S = 5.0  # so long a changed profile is not applied yet, and an ended token still stores
REMEMBERED_MAX = 1_000
RECORDED_EVERY_S = 3600.0

_recorded: dict[tuple[int, int], float] = {}
"""(user, dataset) → when this process last wrote a line about them into the audit trail."""


async def door_for(authorization: str, slug: str) -> Door:
    """The door of the dataset, for whoever this Authorization header stands for. Raises Problem."""
    return await _doors.get((authorization, slug))


def _ask_now(key: tuple[str, str]) -> Door:
    authorization, slug = key
    try:
        user = user_of_header(authorization, "POST")
    except PermissionDenied as error:
        raise Problem(403, str(error)) from error
    if user is None:
        raise Problem(
            401,
            "Storing takes a bearer token: Authorization: Bearer <token>. A browser's session is not enough, "
            "and this token, if there was one, is unknown, ended or revoked.",
            (b"www-authenticate", b'Bearer realm="Atlas"'),
        )
    dataset = policies.visible_datasets(user).filter(slug=slug).select_related("organisation").first()
    try:
        if dataset is None:
            raise Http404
        permissions.require(user, "import_images", dataset)
        door = door_of(dataset)
    except Http404 as error:
        raise Problem(404, "There is no such dataset, or it is not for you.") from error
    except PermissionDenied as error:
        raise Problem(403, "Your role does not allow storing images into this dataset.") from error
    except IntakeClosed as error:
        raise Problem(409, str(error)) from error
    except KeyUnusable as error:
        logger.error("%s", error)
        raise Problem(
            503, "Images can't be de-identified here now. Tell the administrator of this node."
        ) from error
    now = time.monotonic()
    if now - _recorded.get((user.pk, dataset.pk), -RECORDED_EVERY_S) >= RECORDED_EVERY_S:
        with transaction.atomic():
            audit.record(user, "dataset.stored_into", dataset)
        _recorded[user.pk, dataset.pk] = now
    return door


_ask = database_sync_to_async(_ask_now, thread_sensitive=False, executor=database_threads)
_doors = Remembered(_ask, weight_max=REMEMBERED_MAX, seconds=REMEMBERED_S)
