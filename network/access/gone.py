"""What becomes of parts that wait where a node has left, or this one its hub: they end, on both sides for
good. Whoever comes back is asked anew."""

from django.db import transaction
from django.db.models import Q

from accounts import audit
from network.access import letters
from network.access.states import UNDECIDED, State
from network.models import AccessItem, AccessPart, AccessRequest, Node

audit.register("access.gone")

WAITS_IN_VAIN = Q(state__in=UNDECIDED) & (
    Q(node__state=Node.State.LEFT) | Q(request__hub__state=Node.State.LEFT)
)


def end() -> int:
    """Idempotent; returns how many requests had such parts. What was granted is in the hands of who granted
    it."""
    waiting = AccessPart.objects.filter(WAITS_IN_VAIN).order_by("request")
    return sum(_end(pk) for pk in list(waiting.values_list("request", flat=True).distinct()))


@transaction.atomic
def _end(request_id: int) -> bool:
    # The request before its parts, as everywhere.
    request = AccessRequest.objects.select_for_update().get(pk=request_id)
    rows = request.parts.filter(WAITS_IN_VAIN).select_for_update(of=("self",))
    parts = list(rows.select_related("request__by").order_by("pk"))
    by_node: dict[int | None, list[AccessPart]] = {}
    for part in parts:
        part.state, part.undelivered = State.GONE, ""
        part.save(update_fields=["state", "undelivered", "changed_at"])
        audit.record(None, "access.gone", part)
        by_node.setdefault(part.node_id, []).append(part)
    for gone in by_node.values():  # one letter for each
        items = AccessItem.objects.filter(part__in=gone).select_related("listing")
        letters.to_requester(gone[0], "gone", list(items))
    return bool(parts)
