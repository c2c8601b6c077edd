"""Organisations: the node's administrator creates them; their managers run them."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import slugify
from django_countries import countries

from accounts import audit, permissions
from accounts.models import Organisation, User

audit.register("organisation.created")

SLUGS_OF_PAGES = {"new"}
"""Last parts of addresses beside an organisation's own."""


@transaction.atomic
def create_organisation(*, by: User, name: str, country: str) -> Organisation:
    """A new organisation, still without members. `country` is ISO 3166-1 alpha-2. Raises ValidationError."""
    permissions.require(by, "administer_node", None)
    name = " ".join(name.split())
    problems = {}
    if not name:
        problems["name"] = "Give the organisation a name."
    elif Organisation.objects.filter(name__iexact=name).exists():
        problems["name"] = "There is an organisation of this name already."
    if country not in countries:
        problems["country"] = "Choose a country."
    if problems:
        raise ValidationError(problems)
    organisation = Organisation.objects.create(name=name, slug=free_slug(name), country=country)
    audit.record(by, "organisation.created", organisation)
    return organisation


def free_slug(name: str) -> str:
    """A slug that no organisation has yet, made from the name."""
    start = slugify(name)[:50].strip("-") or "organisation"
    taken = set(Organisation.objects.filter(slug__startswith=start).values_list("slug", flat=True))
    taken |= SLUGS_OF_PAGES
    numbered = (f"{start}-{n}" for n in range(2, len(taken) + 3))
    return next(slug for slug in (start, *numbered) if slug not in taken)
