"""One dataset as the European cancer imaging profile describes it, on HealthDCAT-AP and DCAT-AP 3.

Nodes in the form of `writing`. Every mandatory field that a machine can count comes from the published
version of the listing; the rest is what a person said (`terms`). What nobody said is left out, never made up.
"""

from collections.abc import Iterator

from django_countries import countries

from atlas.models import Dataset
from network.dcat import plain
from network.dcat.counted import counted, modalities
from network.dcat.describing import EU, Addresses, Description, Shared, at, choice, concept, laws, said, typed
from network.dcat.distribution import access_rights, distribution
from network.dcat.parties import parties
from network.dcat.statements import law_and_purpose, provenance, statements
from network.dcat.terms import COLLECTION_METHODS, HEALTH_CATEGORIES, TIERS, Choice
from network.dcat.writing import Node, Value
from network.models import Listing

HEALTH_CATEGORY = "https://hdeu-dcat.acceptance.data.health.europa.eu/resource/authority/healthcategories/"
CANCER = "https://hdeu-dcat.acceptance.data.health.europa.eu/resource/authority/health-theme/CANCER_DISEASE"
PSEUDONYMISED = "https://w3id.org/dpv#PseudonymisedData"

LANGUAGE_CODES = {
    "bg": "BUL", "cs": "CES", "da": "DAN", "de": "DEU", "el": "ELL", "en": "ENG", "es": "SPA", "et": "EST",
    "fi": "FIN", "fr": "FRA", "ga": "GLE", "hr": "HRV", "hu": "HUN", "it": "ITA", "lt": "LIT", "lv": "LAV",
    "mt": "MLT", "nl": "NLD", "pl": "POL", "pt": "POR", "ro": "RON", "sk": "SLK", "sl": "SLV", "sv": "SWE",
}  # fmt: skip


def nodes_of(listing: Listing, addresses: Addresses) -> Iterator[Node]:
    """Everything about one dataset: itself, its distribution, whom to ask, and the terms that it uses."""
    described = Description.of(listing, addresses)
    shared = Shared()
    yield _dataset(described, shared)
    yield distribution(described, shared)
    yield from parties(described)
    yield from statements(described)
    yield from shared.nodes.values()


def _dataset(described: Description, shared: Shared) -> Node:
    listing, vocabulary = described.listing, described.vocabulary
    node: Node = {
        "@id": described.iri,
        "@type": ["dcat:Dataset", "dcat:Resource"],
        "dct:identifier": [typed(described.addresses.page(listing.slug), "anyURI")],
        **_words(described),
        "dct:language": [shared.use(_language(described))],
        "dct:isPartOf": [at(described.addresses.catalogue)],
        "dcat:landingPage": [
            shared.use({"@id": described.addresses.page(listing.slug), "@type": ["foaf:Document"]})
        ],
        "dcat:distribution": [at(described.addresses.images(listing.slug))],
        "dcat:theme": [shared.use(concept(f"{EU}data-theme/HEAL", "Health"))],
        "healthdcatap:healthTheme": [shared.use(concept(CANCER, "Cancer"))],
        "healthdcatap:healthCategory": _chosen(
            described, "health_categories", HEALTH_CATEGORIES, HEALTH_CATEGORY, shared
        ),
        "dct:type": [shared.use(concept(PSEUDONYMISED, "Pseudonymised data"))],
        "dct:accessRights": [shared.use(access_rights(listing))],
        "dcatap:applicableLegislation": laws(described, shared),
        "dct:publisher": [at(f"{described.iri}#publisher")],
        "dct:provenance": provenance(described),
    }
    if listing.version:
        node["dcat:version"] = [{"@value": plain.text(listing.version, length_max=20)}]
    if listing.published_at:
        node["dct:modified"] = [typed(listing.published_at.isoformat(timespec="seconds"), "dateTime")]
    if described.one("contact_mail") or described.one("contact_page"):
        node["dcat:contactPoint"] = [at(f"{described.iri}#contact")]
    if described.one("access_body"):
        node["healthdcatap:hdab"] = [at(f"{described.iri}#access-body")]
    if described.one("documentation"):
        page: Node = {"@id": described.one("documentation"), "@type": ["foaf:Document"]}
        node["foaf:page"] = [shared.use(page)]
    country = countries.alpha3(listing.country) if listing.country.isalpha() else ""
    if country:
        node["dct:spatial"] = [shared.use({"@id": f"{EU}country/{country}", "@type": ["dct:Location"]})]
    if tier := choice(TIERS, described.one("tier")):
        node["eucaim:interoperabilityLevel"] = [shared.term(vocabulary.tier(tier.key, tier.title))]
    methods = [choice(COLLECTION_METHODS, key) for key in described.several("collection_methods")]
    node["eucaim:collectionMethod"] = shared.terms(
        vocabulary.collection_method(method.key, method.title) for method in methods if method
    )
    return node | counted(described, shared) | law_and_purpose(described)


def in_english(described: Description) -> tuple[str, str]:
    """Name and description: as they are, or as somebody said them in English; or else what counts say."""
    listing, is_english = described.listing, described.one("language") in ("", "en")
    title = plain.text(listing.title, length_max=200) or listing.slug
    description = plain.text(listing.description, length_max=5000, lines=True) if is_english else ""
    if not is_english:
        title, description = described.one("title_en") or title, described.one("description_en")
    return title, description or _summary(described)


def _words(described: Description) -> Node:
    """Name and description, in English first; keywords."""
    listing, language = described.listing, described.one("language") or "en"
    title, description = in_english(described)
    titles, descriptions = [said(title)], [said(description)]
    if language != "en":
        titles.append(said(plain.text(listing.title, length_max=200) or listing.slug, language))
        if original := plain.text(listing.description, length_max=5000, lines=True):
            descriptions.append(said(original, language))
    node: Node = {
        "dct:title": titles,
        "dct:description": descriptions,
        "dcat:keyword": [said(word) for word in keywords(described)],
    }
    if described.one("population"):
        node["healthdcatap:populationCoverage"] = [said(described.one("population"), language)]
    return node


def _summary(described: Description) -> str:
    """What can be said of any dataset, from its counts."""
    listing = described.listing
    shown = ", ".join(modalities(described)) or "Images"
    subjects = "few" if listing.subjects is None else f"{listing.subjects:,}"
    organ = (
        Dataset.Organ(listing.organ).label if listing.organ in Dataset.Organ.values else "Several or other"
    )
    return f"{shown} of {subjects} subjects. Primary tumour: {organ.lower()}."


def keywords(described: Description) -> list[str]:
    organ = described.listing.organ
    found = ["cancer imaging"]
    if organ in Dataset.Organ.values and organ != Dataset.Organ.SEVERAL:
        found.append(str(Dataset.Organ(organ).label))
    found += modalities(described)
    found += [part.lower() for part in described.counted("body_part")]
    found += described.counted("label")
    found += described.several("keywords")
    return list({word.lower(): word for word in found}.values())


def _chosen(
    described: Description, key: str, choices: tuple[Choice, ...], start: str, shared: Shared
) -> list[Value]:
    said_keys = described.several(key)
    return [shared.use(concept(start + one.key, one.title)) for one in choices if one.key in said_keys]


def _language(described: Description) -> Node:
    code = LANGUAGE_CODES.get(described.one("language"), "ENG")
    return {"@id": f"{EU}language/{code}", "@type": ["dct:LinguisticSystem"]}
