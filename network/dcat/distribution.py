"""The images of a dataset as something to ask for: where, under which licence, and what one may then do."""

from network.dcat import plain
from network.dcat.describing import EU, Description, Shared, at, concept, laws, said, typed
from network.dcat.terms import ACCESS_CONDITIONS
from network.dcat.writing import Node
from network.models import Listing

ACCESS_CONDITION = (
    "https://eucaim.github.io/eucaim_dcat_ap/releases/controlled-vocabularies/access-conditions/#"
)
MEDIA_TYPE = "https://www.iana.org/assignments/media-types/"
DICOM_STANDARD = "https://www.dicomstandard.org/"

# Who gets access -> what the list of the European Union calls it, and what they may do if nobody said.
ACCESS_RIGHTS = {
    "open": "PUBLIC",
    "registered": "RESTRICTED",
    "request": "RESTRICTED",
    "counts": "NON_PUBLIC",
}
CONDITIONS_OF = {
    "open": ["DOWNLOAD"],
    "registered": ["DOWNLOAD"],
    "request": ["DOWNLOAD", "IN_SITU_PROCESSING"],
    "counts": ["REMOTE_PROCESSING"],
}

LICENCES = {
    "CC BY 4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC BY-SA 4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "CC BY-NC 4.0": "https://creativecommons.org/licenses/by-nc/4.0/",
    "CC BY-NC-SA 4.0": "https://creativecommons.org/licenses/by-nc-sa/4.0/",
    "CC BY-ND 4.0": "https://creativecommons.org/licenses/by-nd/4.0/",
    "CC BY-NC-ND 4.0": "https://creativecommons.org/licenses/by-nc-nd/4.0/",
    "CC BY 3.0": "https://creativecommons.org/licenses/by/3.0/",
    "CC BY-NC 3.0": "https://creativecommons.org/licenses/by-nc/3.0/",
    "CC0 1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
}


def distribution(described: Description, shared: Shared) -> Node:
    listing = described.listing
    conditions = described.several("conditions") or CONDITIONS_OF.get(listing.access, ["IN_SITU_PROCESSING"])
    titles = {choice.key: choice.title for choice in ACCESS_CONDITIONS}
    rights = [
        shared.use(concept(ACCESS_CONDITION + key, titles[key], "dct:RightsStatement")) for key in conditions
    ]
    node: Node = {
        "@id": described.addresses.images(listing.slug),
        "@type": ["dcat:Distribution", "dcat:Resource"],
        "dct:title": [said("Images (DICOM)")],
        "dct:description": [
            said("The images as DICOM files. The page says who gets access, and how to ask for it.")
        ],
        "dct:isPartOf": [at(described.iri)],
        "dcat:accessURL": [
            shared.use({"@id": described.addresses.page(listing.slug), "@type": ["rdfs:Resource"]})
        ],
        "dcat:mediaType": [shared.use({"@id": f"{MEDIA_TYPE}application/dicom", "@type": ["dct:MediaType"]})],
        "dcat:packageFormat": [
            shared.use({"@id": f"{MEDIA_TYPE}application/zip", "@type": ["dct:MediaType"]})
        ],
        "dct:conformsTo": [shared.use({"@id": DICOM_STANDARD, "@type": ["dct:Standard"]})],
        "dcatap:applicableLegislation": laws(described, shared),
        "dct:rights": rights,
    }
    licence = plain.text(listing.licence, length_max=80)
    if iri := LICENCES.get(licence) or plain.web_address(licence):
        node["dct:license"] = [shared.use({"@id": iri, "@type": ["dct:LicenseDocument"]})]
    elif licence:
        own = {"@id": f"{described.iri}#licence", "@type": ["dct:LicenseDocument"]}
        node["dct:license"] = [shared.use({**own, "rdfs:label": [{"@value": licence}]})]
    if listing.published_at:
        node["dct:modified"] = [typed(listing.published_at.isoformat(timespec="seconds"), "dateTime")]
    return node


def access_rights(listing: Listing) -> Node:
    key = ACCESS_RIGHTS.get(listing.access, "RESTRICTED")
    return {"@id": f"{EU}access-right/{key}", "@type": ["dct:RightsStatement"]}
