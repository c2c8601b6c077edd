"""The catalogue as a whole, and the FAIR Data Point (specification 1.2) that leads to each part of it.

The point, its catalogue and every dataset are LDP containers: `ldp:contains` leads a client from the root to
each distribution without knowing any address beforehand.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.conf import settings

from network.dcat.describing import EU, Addresses, at, said, typed
from network.dcat.profile import nodes_of
from network.dcat.terms import EHDS
from network.dcat.writing import Node, Value
from network.models import Listing

SPECIFICATION = "https://specs.fairdatapoint.org/v1.2/fdp-specs-v1.2.html"
LICENCE = "https://creativecommons.org/publicdomain/zero/1.0/"
"""Of the descriptions, not of the data: anyone may copy the catalogue."""
THEMES = f"{EU}data-theme"
DCAT_AP = "https://semiceu.github.io/DCAT-AP/releases/3.0.1"
HEALTH_DCAT_AP = "https://healthdataeu.pages.code.europa.eu/healthdcat-ap/releases/release-7/"
IMAGING_PROFILE = "https://github.com/EUCAIM/eucaim_dcat_ap/tree/main/releases/v2.0"


def whole(listings: Iterable[Listing], addresses: Addresses, slugs: list[str]) -> Iterator[Node]:
    """The catalogue with all of its datasets. `slugs`: theirs, to be named first; `listings` may stream."""
    yield from _told_once([catalogue(addresses, slugs), *_around(addresses), *_service(addresses)])
    told: set[tuple[str, str]] = set()
    for listing in listings:
        for node in nodes_of(listing, addresses):
            key = (str(node["@id"]), str(node["@type"]))
            if key not in told:
                if not key[0].startswith(addresses.dataset(listing.slug)):
                    told.add(key)  # a term or a law that others use, too: told with the first
                yield node


def point(addresses: Addresses, modified: datetime | None) -> Iterator[Node]:
    """The root: what this service is, and the one catalogue below it."""
    container = f"{addresses.point}/catalog/"
    yield {
        "@id": addresses.point,
        "@type": ["fdp-o:FAIRDataPoint", "fdp-o:MetadataService", "dcat:DataService", "dcat:Resource"],
        "dct:title": [said(f"FAIR Data Point of {settings.NODE_NAME}")],
        "dct:description": [said("What the node lists: datasets of cancer images, described for machines.")],
        "dct:identifier": [typed(addresses.point, "anyURI")],
        "fdp-o:metadataIdentifier": [at(addresses.point)],
        "fdp-o:conformsToFdpSpec": [at(SPECIFICATION)],
        "dct:conformsTo": [at(SPECIFICATION)],
        "dct:publisher": [at(f"{addresses.point}#publisher")],
        "dcat:contactPoint": [at(f"{addresses.point}#contact")],
        "dct:license": [at(LICENCE)],
        "dct:language": [at(f"{EU}language/ENG")],
        "fdp-o:uiLanguage": [at(f"{EU}language/ENG")],
        "dcat:version": [{"@value": "1.2"}],
        "dcat:endpointURL": [at(addresses.point)],
        "fdp-o:metadataCatalog": [at(addresses.catalogue)],
        **_changed(modified),
    }
    yield {
        "@id": container,
        "@type": ["ldp:DirectContainer"],
        "dct:title": [said("Catalogues")],
        "ldp:membershipResource": [at(addresses.point)],
        "ldp:hasMemberRelation": [at("https://w3id.org/fdp/fdp-o#metadataCatalog")],
        "ldp:contains": [at(addresses.catalogue)],
    }
    yield _standard(SPECIFICATION)
    yield {"@id": addresses.point, "@type": ["rdfs:Resource"]}
    yield from _around(addresses)


def catalogue(addresses: Addresses, slugs: list[str], modified: datetime | None = None) -> Node:
    datasets: list[Value] = [at(addresses.dataset(slug)) for slug in slugs]
    return {
        "@id": addresses.catalogue,
        "@type": ["dcat:Catalog", "dcat:Resource"],
        "dct:title": [said(f"Catalogue of {settings.NODE_NAME}")],
        "dct:description": [
            said("Datasets of cancer images: whom they are about, how they were made, and how to get access.")
        ],
        "dct:identifier": [typed(addresses.catalogue, "anyURI")],
        "fdp-o:metadataIdentifier": [at(addresses.catalogue)],
        "dct:isPartOf": [at(addresses.point)],
        "dct:publisher": [at(f"{addresses.point}#publisher")],
        "dcat:contactPoint": [at(f"{addresses.point}#contact")],
        "dct:license": [at(LICENCE)],
        "dct:language": [at(f"{EU}language/ENG")],
        "foaf:homepage": [at(f"{addresses.base}/catalogue/")],
        "dcat:themeTaxonomy": [at(THEMES)],
        "dct:conformsTo": [at(iri) for iri in (DCAT_AP, HEALTH_DCAT_AP, IMAGING_PROFILE)],
        "dcatap:applicableLegislation": [at(EHDS)],
        "dcat:service": [at(addresses.point)],
        "dcat:dataset": datasets,
        **_changed(modified),
    }


def catalogue_nodes(addresses: Addresses, slugs: list[str], modified: datetime | None) -> Iterator[Node]:
    """The catalogue as one step of the FAIR Data Point: its datasets are named, each has its own address."""
    yield catalogue(addresses, slugs, modified)
    yield {
        "@id": f"{addresses.point}/dataset/",
        "@type": ["ldp:DirectContainer"],
        "dct:title": [said("Datasets")],
        "ldp:membershipResource": [at(addresses.catalogue)],
        "ldp:hasMemberRelation": [at("http://www.w3.org/ns/dcat#dataset")],
        "ldp:contains": [at(addresses.dataset(slug)) for slug in slugs],
    }
    yield from _around(addresses)


def dataset_nodes(listing: Listing, addresses: Addresses) -> Iterator[Node]:
    """A dataset with all that describes it; its distribution has an address of its own, too."""
    yield from nodes_of(listing, addresses)
    yield {
        "@id": f"{addresses.dataset(listing.slug)}/distribution/",
        "@type": ["ldp:DirectContainer"],
        "dct:title": [said("Distributions")],
        "ldp:membershipResource": [at(addresses.dataset(listing.slug))],
        "ldp:hasMemberRelation": [at("http://www.w3.org/ns/dcat#distribution")],
        "ldp:contains": [at(addresses.images(listing.slug))],
    }


def distribution_nodes(listing: Listing, addresses: Addresses) -> Iterator[Node]:
    """The distribution, and what it points to."""
    found = {str(node["@id"]): node for node in nodes_of(listing, addresses)}
    images = found[addresses.images(listing.slug)]
    yield images
    pointed = {
        str(value["@id"])
        for values in images.values()
        if isinstance(values, list)
        for value in values
        if isinstance(value, dict) and "@id" in value
    }
    yield from (
        node for iri, node in found.items() if iri in pointed and iri != addresses.dataset(listing.slug)
    )


def _changed(modified: datetime | None) -> Node:
    if modified is None:
        return {}
    moment = typed(modified.isoformat(timespec="seconds"), "dateTime")
    return {"dct:modified": [moment], "fdp-o:metadataModified": [moment]}


def _around(addresses: Addresses) -> list[Node]:
    """Who answers for the catalogue, and what every part of it points to."""
    return [
        {
            "@id": f"{addresses.point}#publisher",
            "@type": ["foaf:Agent"],
            "foaf:name": [{"@value": settings.NODE_NAME}],
            "cv:contactPoint": [at(f"{addresses.point}#publisher-contact")],
        },
        {
            "@id": f"{addresses.point}#publisher-contact",
            "@type": ["cv:ContactPoint"],
            "cv:contactPage": [at(f"{addresses.base}/catalogue/")],
        },
        {
            "@id": f"{addresses.point}#contact",
            "@type": ["vcard:Kind", "vcard:Organization"],
            "vcard:fn": [{"@value": settings.NODE_NAME}],
            "vcard:hasURL": [at(f"{addresses.base}/catalogue/")],
        },
        {"@id": f"{addresses.base}/catalogue/", "@type": ["foaf:Document"]},
        {"@id": LICENCE, "@type": ["dct:LicenseDocument"]},
        {"@id": f"{EU}language/ENG", "@type": ["dct:LinguisticSystem"]},
        {"@id": EHDS, "@type": ["eli:LegalResource"]},
        {"@id": THEMES, "@type": ["skos:ConceptScheme"], "dct:title": [said("Data themes")]},
        *(_standard(iri) for iri in (DCAT_AP, HEALTH_DCAT_AP, IMAGING_PROFILE)),
    ]


def _service(addresses: Addresses) -> list[Node]:
    """What the whole catalogue says of the FAIR Data Point beside it."""
    return [
        {
            "@id": addresses.point,
            "@type": ["dcat:DataService", "dcat:Resource", "rdfs:Resource"],
            "dct:title": [said(f"FAIR Data Point of {settings.NODE_NAME}")],
            "dcat:endpointURL": [at(addresses.point)],
            "dct:conformsTo": [at(SPECIFICATION)],
        },
        _standard(SPECIFICATION),
    ]


def _standard(iri: str) -> Node:
    return {"@id": iri, "@type": ["dct:Standard"]}


def _told_once(nodes: list[Node]) -> Iterator[Node]:
    yield from {str(node["@id"]) + str(node["@type"]): node for node in nodes}.values()
