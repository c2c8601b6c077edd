"""Locking reads whose reader, or the version of whose labels, may change while the lock is waited for."""

from django.db.models import QuerySet

from annotations.models import Read


def locked(reads: QuerySet[Read]) -> QuerySet[Read]:
    """These reads under their locks, within the caller's transaction, with case, project, reader and schema.

    First they are locked, then read: a row that was joined to its reader before the wait is dropped by
    PostgreSQL when that reader has changed meanwhile, as if there were no such read.
    """
    own = reads.order_by("pk").select_for_update(of=("self",))
    held = list(own.values_list("pk", flat=True))
    return Read.objects.filter(pk__in=held).select_related("case__project", "reader", "schema")
