"""Which organisations someone may see the page of."""

from django.db.models import Q, QuerySet
from django.http import Http404

from accounts import permissions
from accounts.models import Organisation
from accounts.permissions import Someone


def visible_organisations(user: Someone) -> QuerySet[Organisation]:
    """Those where this person has a role; all for the node's administrators."""
    if permissions.allows(user, "administer_node", None):
        return Organisation.objects.all()
    held = Q(pk__in=[])
    for permission, _ in Organisation._meta.permissions:
        held |= Q(pk__in=permissions.objects_for(user, permission, Organisation).values("pk"))
    return Organisation.objects.filter(held)


def organisation_or_404(user: Someone, slug: str) -> Organisation:
    organisation = visible_organisations(user).filter(slug=slug).first()
    if organisation is None:
        raise Http404("There is no such organisation, or it is not for you.")
    return organisation
