"""Who may see and answer requests for access, and what a grant opens."""

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404
from django.utils import timezone

from accounts import permissions
from accounts.models import ExternalIdentity, Organisation, User
from accounts.permissions import Someone
from atlas.policies import add_dataset_road
from network.models import AccessGrant, AccessPart, AccessRequest
from network.models.access import Mode

INCLUDES = {
    Mode.COUNT: (Mode.COUNT, Mode.VIEW, Mode.DOWNLOAD),
    Mode.VIEW: (Mode.VIEW, Mode.DOWNLOAD),
    Mode.DOWNLOAD: (Mode.DOWNLOAD,),
}
"""The modes of a grant that allow what the mode says."""


def register_roads() -> None:
    add_dataset_road(
        "granted",
        look=lambda user: granted(user, Mode.VIEW),
        take=lambda user: granted(user, Mode.DOWNLOAD),
    )


def grants_that_hold(user: Someone) -> QuerySet[AccessGrant]:
    """What this person was granted and may use now."""
    if not user.is_authenticated or not user.is_active:
        return AccessGrant.objects.none()
    return AccessGrant.objects.filter(user=user, withdrawn_at=None, ends_at__gt=timezone.now())


def granted(user: Someone, mode: Mode) -> Q:
    """On Dataset: those that this person may use in this mode now."""
    held = grants_that_hold(user).filter(mode__in=INCLUDES[mode])
    return Q(pk__in=held.order_by().values("dataset"))


# Requests ---------------------------------------------------------------------------------------


def own_requests(user: Someone) -> QuerySet[AccessRequest]:
    """What this person asked for here. What came from another node is seen there."""
    if not user.is_authenticated:
        return AccessRequest.objects.none()
    return AccessRequest.objects.filter(by=user, hub=None)


def asked_by(user: User) -> Q:
    """On AccessRequest: those behind which this person stands: with this account, or at a hub as a person who
    is this account's, or was, or has its e-mail address."""
    there = {"issuer": OuterRef("hub__address"), "subject": OuterRef("subject")}
    before = AccessRequest.objects.filter(by=user, hub=OuterRef("hub"), subject=OuterRef("subject"))
    named = Q(Exists(ExternalIdentity.objects.filter(user=user, **there))) | Q(Exists(before))
    same = Q(by=user) | (~Q(subject="") & named)
    return same | Q(hub__isnull=False, email__iexact=user.email) if user.email else same


def is_own(user: User, request: AccessRequest) -> bool:
    """Whether this person stands behind it: then somebody else decides."""
    return AccessRequest.objects.filter(asked_by(user), pk=request.pk).exists()


def own_request_or_404(user: Someone, public_id: str) -> AccessRequest:
    found = own_requests(user).filter(public_id=public_id).first()
    if found is None:
        raise Http404("There is no such request, or it is not yours.")
    return found


def committee_organisations(user: Someone) -> QuerySet[Organisation]:
    """The organisations on whose committee this person sits."""
    return permissions.objects_for(user, "approve_access", Organisation)


def committee_parts(user: Someone) -> QuerySet[AccessPart]:
    """What this person's committees were asked; what was never sent is the researcher's alone."""
    organisations = committee_organisations(user).values("pk")
    parts = AccessPart.objects.filter(organisation__in=organisations)
    return parts.exclude(state=AccessPart.State.DRAFT).exclude(request__sent_at=None, request__hub=None)


def waiting_for_committee(user: User) -> int:
    """How many requests wait for an answer of this person's committees. One query."""
    waiting = committee_parts(user).filter(state=AccessPart.State.SENT)
    own = AccessRequest.objects.filter(asked_by(user), parts__state=AccessPart.State.SENT)
    return waiting.exclude(request__in=own.order_by().values("pk")).count()


def committee_part_or_404(user: Someone, public_id: str) -> AccessPart:
    parts = committee_parts(user).select_related(
        "request__by", "request__hub", "organisation", "decided_by", "node"
    )
    part = parts.filter(public_id=public_id).first()
    if part is None:
        raise Http404("There is no such request, or it is not for your committee.")
    return part


def requests_of_documents(user: Someone) -> Q:
    """On AccessRequest: those whose documents this person may read, as requester or on a committee."""
    parts = committee_parts(user).order_by().values("request")
    return Q(pk__in=own_requests(user).order_by().values("pk")) | Q(pk__in=parts)


def organisations_of_log(user: Someone) -> QuerySet[Organisation]:
    """Those of whose datasets this person may learn who used them: its committee, and its managers."""
    managed = permissions.objects_for(user, "manage_organisation", Organisation)
    return Organisation.objects.filter(
        Q(pk__in=managed.values("pk")) | Q(pk__in=committee_organisations(user).values("pk"))
    )
