"""The cart: a request that isn't sent yet. A person has one; it holds datasets of any organisations."""

from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from accounts.models import User
from network.access import terms
from network.models import AccessItem, AccessPart, AccessRequest, Listing
from network.models.access import Mode

DATASETS_MAX = 100
TITLE_LENGTH_MAX = 200
PURPOSE_LENGTH_MAX = 10_000


def cart_of(user: User) -> AccessRequest | None:
    return AccessRequest.objects.filter(by=user, hub=None, sent_at=None, withdrawn_at=None).first()


def modes_of(listing: Listing) -> list[Mode]:
    """What may be asked of it, the most first."""
    if listing.access == Listing.Access.COUNTS:
        return [Mode.COUNT]
    return [Mode.DOWNLOAD, Mode.VIEW, Mode.COUNT]


@transaction.atomic
def add(*, by: User, listing: Listing, mode: str) -> AccessRequest:
    """Put a dataset into the cart; again, it only changes the mode. Raises ValidationError."""
    if not listing.is_listed:
        raise ValidationError(gettext("This dataset is no longer in the catalogue."))
    if mode not in modes_of(listing):
        raise ValidationError(gettext("This dataset gives counts only; ask for that."))
    request = _locked_cart(by)
    if AccessItem.objects.filter(part__request=request).exclude(listing=listing).count() >= DATASETS_MAX:
        said = gettext("A request holds at most %(most)d datasets. Send it and begin another.")
        raise ValidationError(said % {"most": DATASETS_MAX})
    organisation = listing.dataset.organisation if listing.dataset else None
    part, _ = AccessPart.objects.get_or_create(
        request=request,
        node=listing.node,
        organisation_slug=organisation.slug if organisation else listing.organisation_slug,
        defaults={
            "organisation": organisation,
            "organisation_name": organisation.name if organisation else listing.organisation,
        },
    )
    AccessItem.objects.update_or_create(part=part, listing=listing, defaults={"mode": mode})
    return request


def _locked_cart(user: User) -> AccessRequest:
    """Two clicks at once find the same one."""
    try:
        with transaction.atomic():
            if cart_of(user) is None:
                AccessRequest.objects.create(by=user)
    except IntegrityError:
        pass
    return AccessRequest.objects.select_for_update().get(by=user, hub=None, sent_at=None, withdrawn_at=None)


@transaction.atomic
def remove(*, by: User, request: AccessRequest, listing_id: str) -> None:
    """Take a dataset out, by the public id of its listing; nothing happens where it isn't in."""
    locked = locked_draft(by, request)
    AccessItem.objects.filter(part__request=locked, listing__public_id=listing_id).delete()
    AccessPart.objects.filter(request=locked, items=None).delete()


@transaction.atomic
def describe(
    *,
    by: User,
    request: AccessRequest,
    title: str,
    affiliation: str,
    purpose: str,
    use_terms: Collection[str],
    modes: dict[str, str] | None = None,
) -> AccessRequest:
    """Keep what the researcher wrote, finished or not. `modes`: by public id of listing. Raises
    ValidationError for what can't be kept."""
    locked = locked_draft(by, request)
    unknown = sorted(set(use_terms) - set(terms.BY_KEY))
    if unknown:
        said = gettext("%(term)s is no term of the list.") % {"term": unknown[0][:20]}
        raise ValidationError({"use_terms": said})
    locked.title = title.strip()[:TITLE_LENGTH_MAX]
    locked.affiliation = affiliation.strip()[:200]
    locked.purpose = purpose.strip()[:PURPOSE_LENGTH_MAX]
    locked.use_terms = [key for key in terms.BY_KEY if key in use_terms]
    locked.save()
    for item in AccessItem.objects.filter(part__request=locked).select_related("listing"):
        wanted = (modes or {}).get(item.listing.public_id, item.mode)
        if wanted not in modes_of(item.listing):
            said = gettext("“%(title)s” can't be asked for in this way.")
            raise ValidationError(said % {"title": item.listing.title})
        if wanted != item.mode:
            item.mode = wanted
            item.save(update_fields=["mode"])
    return locked


def locked_draft(by: User, request: AccessRequest) -> AccessRequest:
    """Raises ValidationError where it was sent or withdrawn meanwhile."""
    locked = AccessRequest.objects.select_for_update().get(pk=request.pk, by=by, hub=None)
    if locked.withdrawn_at:
        raise ValidationError(gettext("You withdrew this request. Begin another."))
    if locked.sent_at:
        raise ValidationError(gettext("This request was sent already: the committees have it as it was."))
    return locked


def missing_in(request: AccessRequest) -> dict[str, str]:
    """What has to be there before it can be sent: sentences by field, empty where all is."""
    found: dict[str, str] = {}
    if not request.title:
        found["title"] = gettext("Give the study a name, so that committees can speak of it.")
    if not request.affiliation:
        found["affiliation"] = gettext("Say where you work: committees answer to people they can place.")
    if len(request.purpose) < 20:
        found["purpose"] = gettext("Say in a few sentences what the data are for.")
    if not set(request.use_terms) & {term.key for term in terms.RESEARCH}:
        found["use_terms"] = gettext("Choose at least one kind of research.")
    if not AccessItem.objects.filter(part__request=request).exists():
        found["items"] = gettext("No dataset is in the request yet. Add some from the catalogue.")
    return found
