"""AE titles that the DICOM receiver answers to, each the door of one dataset. Managers open and close."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts import audit
from accounts.models import User
from atlas.datasets import require_manager
from atlas.models import Dataset, Receiver

audit.register("receiver.opened", "receiver.changed", "receiver.closed")

AE_TITLE_LENGTH_MAX = 16
SENDERS_MAX = 50


def ae_title(written: str) -> str:
    """An AE title without the spaces around it, which mean nothing (PS3.5 table 6.2-1).

    Raises ValidationError.
    """
    title = written.strip(" ")
    if not 1 <= len(title) <= AE_TITLE_LENGTH_MAX:
        raise ValidationError(f"“{title[:40]}” can't be an AE title: it needs 1 to 16 characters.")
    if not all(" " <= letter <= "~" for letter in title) or "\\" in title:
        raise ValidationError(
            f"“{title}” can't be an AE title: it has letters without accents, digits, signs except \\."
        )
    return title


@transaction.atomic
def open_receiver(*, by: User, dataset: Dataset, called: str, calling: Iterable[str]) -> Receiver:
    """Answer to this AE title for these senders. Raises ValidationError, by field."""
    require_manager(by, dataset)
    receiver = Receiver(
        dataset=dataset,
        called_ae_title=_checked("called", [called])[0],
        calling_ae_titles=_senders(calling),
    )
    try:
        with transaction.atomic():
            receiver.save()
    except IntegrityError as error:
        raise ValidationError(
            {"called": "This AE title is taken on this node. Choose another one."}
        ) from error
    audit.record(by, "receiver.opened", dataset, receiver=receiver.pk)
    return receiver


@transaction.atomic
def change_senders(*, by: User, receiver: Receiver, calling: Iterable[str]) -> None:
    """From now on these senders may call. Raises ValidationError, by field."""
    require_manager(by, receiver.dataset)
    receiver.calling_ae_titles = _senders(calling)
    receiver.save(update_fields=["calling_ae_titles"])
    audit.record(by, "receiver.changed", receiver.dataset, receiver=receiver.pk)


@transaction.atomic
def close_receiver(*, by: User, receiver: Receiver) -> None:
    """The node answers to this AE title no more. What came through it stays."""
    require_manager(by, receiver.dataset)
    audit.record(by, "receiver.closed", receiver.dataset, receiver=receiver.pk)
    receiver.delete()


def _senders(calling: Iterable[str]) -> list[str]:
    titles = list(dict.fromkeys(_checked("calling", [title for title in calling if title.strip()])))
    if not titles:
        raise ValidationError({"calling": "Name at least one sender: nobody else is accepted."})
    if len(titles) > SENDERS_MAX:
        raise ValidationError({"calling": f"At most {SENDERS_MAX} senders. Use a second AE title for more."})
    return titles


def _checked(field: str, written: Iterable[str]) -> list[str]:
    try:
        return [ae_title(title) for title in written]
    except ValidationError as error:
        raise ValidationError({field: error.messages}) from error
