"""In which order people take what waits for them."""

from django.db.models import Case as Choose
from django.db.models import F, QuerySet, Value, When

from annotations.models import Read, ReadingDesign


def in_reading_order(reads: QuerySet[Read], *before: str) -> QuerySet[Read]:
    """By priority, then by due date, then in the order of the project: by number, or each reader in an order
    of their own. `before`: what counts more than all that."""
    random = When(case__project__design__order=ReadingDesign.Order.RANDOM, then=F("place"))
    return reads.annotate(own_place=Choose(random, default=Value(0))).order_by(
        *before,
        "-case__priority",
        F("due").asc(nulls_last=True),
        "case__project",
        "own_place",
        "case__number",
    )
