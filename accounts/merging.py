"""What was given to one account becomes another's: roles, tasks, grants, whatever points to a person."""

from django.db import models, transaction

from accounts.models import AuditRecord, User


@transaction.atomic
def hand_over(giver: User, taker: User) -> None:
    """Every row that points to `giver` points to `taker` from now on, except the audit trail's.

    For an account that nobody ever used: of somebody's own doing it has no rows, so nothing that was drawn or
    said changes its author. Raises IntegrityError where both have what there can be one of.
    """
    taker.groups.add(*giver.groups.all())
    giver.groups.clear()
    for relation in User._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ManyToOneRel):
            continue
        model = relation.related_model
        if isinstance(model, str) or model is AuditRecord or model._meta.auto_created:
            continue
        rows = model._base_manager.filter(**{relation.field.name: giver})
        if rows.exists():  # tables that refuse any change aren't asked for one
            rows.update(**{relation.field.name: taker})
