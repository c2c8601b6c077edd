"""A dataset for search engines: schema.org's Dataset, as JSON-LD inside its page."""

import json
from typing import Any

from django.utils import translation
from django.utils.safestring import SafeString, mark_safe
from django_countries import countries

from network.dcat import plain
from network.dcat.counted import modalities
from network.dcat.describing import Addresses, Description
from network.dcat.distribution import LICENCES
from network.dcat.profile import in_english, keywords
from network.models import Listing

DESCRIPTION_LENGTH = (50, 5000)  # what search engines take


def described(listing: Listing, addresses: Addresses) -> dict[str, Any]:
    made = Description.of(listing, addresses)
    name, description = in_english(made)
    if len(description) < DESCRIPTION_LENGTH[0]:
        description = f"{description} A dataset of cancer images, listed with access on request."
    found: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": addresses.dataset(listing.slug),
        "url": addresses.page(listing.slug),
        "name": name,
        "description": description[: DESCRIPTION_LENGTH[1]],
        "identifier": addresses.page(listing.slug),
        "keywords": keywords(made),
        "isAccessibleForFree": listing.access == Listing.Access.OPEN,
        "conditionsOfAccess": str(Listing.Access(listing.access).label),
        "measurementTechnique": modalities(made),
        "creator": {
            "@type": "Organization",
            "name": plain.text(listing.organisation, length_max=200),
        },
        "includedInDataCatalog": {"@type": "DataCatalog", "url": f"{addresses.base}/catalogue/"},
        "encodingFormat": "application/dicom",
    }
    if listing.version:
        found["version"] = plain.text(listing.version, length_max=20)
    if listing.published_at:
        found["dateModified"] = listing.published_at.date().isoformat()
    with translation.override("en"):
        if listing.country.isalpha() and countries.name(listing.country):
            found["spatialCoverage"] = countries.name(listing.country)
    licence = plain.text(listing.licence, length_max=80)
    if iri := LICENCES.get(licence) or plain.web_address(licence):
        found["license"] = iri
    elif licence:
        found["license"] = {"@type": "CreativeWork", "name": licence}
    if listing.subjects is not None:
        found["size"] = f"{listing.subjects} subjects"
    return found


# As Django's json_script: nothing in it can end the element that it stands in.
_ESCAPED = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}


def block(listing: Listing, addresses: Addresses) -> SafeString:
    """The element. Browsers do not run it: it is data, and the content security policy stays as it is."""
    told = json.dumps(described(listing, addresses), ensure_ascii=True).translate(_ESCAPED)
    return mark_safe(f'<script type="application/ld+json">{told}</script>')  # noqa: S308
