"""The terms of this node's own: those of descriptions that no code of the hyper-ontology is known for."""

from collections.abc import Iterator

from django.db.models import QuerySet

from network.dcat.codes import Vocabulary
from network.dcat.counted import clinical_facts
from network.dcat.describing import Addresses, Shared
from network.dcat.terms import COLLECTION_METHODS, TIERS
from network.dcat.writing import Node
from network.models import Listing, ListingFacet

TERMS_MAX = 5000


def terms_nodes(shown: QuerySet[Listing], addresses: Addresses) -> Iterator[Node]:
    vocabulary, shared = Vocabulary(addresses.terms), Shared()
    makers = {
        "modality": vocabulary.modality,
        "manufacturer": vocabulary.manufacturer,
        "body_part": vocabulary.body_part,
    }
    made = [vocabulary.tier(choice.key, choice.title) for choice in TIERS]
    made += [vocabulary.collection_method(choice.key, choice.title) for choice in COLLECTION_METHODS]
    used = ListingFacet.objects.filter(listing__in=shown, facet__in=makers).order_by("facet", "value")
    pairs = used.values_list("facet", "value").distinct()[:TERMS_MAX]
    made += [makers[facet](value) for facet, value in pairs]
    for term in made:
        if not term.is_known:
            shared.term(term)
    yield {
        "@id": addresses.terms,
        "@type": ["skos:ConceptScheme"],
        "dct:title": [{"@value": "Terms of this node", "@language": "en"}],
        "skos:hasTopConcept": [{"@id": iri} for iri in shared.nodes],
    }
    yield from shared.nodes.values()
    yield from clinical_facts(addresses.terms)
