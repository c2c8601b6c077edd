"""The audit trail: append-only, with registered verbs, ids only."""

from django.db import models

from accounts.models import AuditRecord, User

VERBS: set[str] = set()


def register(*verbs: str) -> None:
    """Make verbs known; an app does this once, beside the services that use them."""
    VERBS.update(verbs)


def record(
    actor: User | None, verb: str, what: models.Model | None = None, **facts: int | str | bool
) -> None:
    """Append one line. Facts are ids, numbers and choices, never names, texts or other personal data.

    Raises ValueError for a verb that nobody registered.
    """
    if verb not in VERBS:
        raise ValueError(f"The audit trail doesn't know the verb {verb!r}; register it first.")
    AuditRecord.objects.create(
        actor=actor,
        verb=verb,
        object_type=str(what._meta.model_name) if what is not None else "",
        object_id=what.pk if what is not None else None,
        facts=facts,
    )
