"""Which listings the catalogue shows: one place for pages, programs and harvesters."""

from django.db.models import Q, QuerySet
from django.http import Http404

from network.models import Listing, Node


def listed() -> QuerySet[Listing]:
    """Published listings of this node, and of nodes that take part."""
    is_here_or_active = Q(node=None) | Q(node__state=Node.State.ACTIVE)
    return Listing.objects.filter(is_here_or_active, is_listed=True, published_at__isnull=False)


def listing_or_404(slug: str) -> Listing:
    found = listed().select_related("node", "dataset").filter(slug=slug).first()
    if found is None:
        raise Http404("The catalogue has no such dataset.")
    return found
