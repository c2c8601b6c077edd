"""A dataset in the European imaging profile: what is mandatory is there, counted where it can be counted."""

import pytest
from rdflib import RDFS, Graph, Literal, Namespace, URIRef
from rdflib.namespace import DCAT, DCTERMS, SKOS

from network.models import Listing, Node
from tests.network.dcat.conftest import ADDRESSES, Broken, graph_of
from tests.network.dcat.listed import FACETS, SAID, listing

pytestmark = pytest.mark.django_db

EUCAIM = Namespace("https://cancerimage.eu/ontology/EUCAIM#")
HEALTH = Namespace("http://healthdataportal.eu/ns/health#")
TERMS = Namespace("https://atlas.example.org/fdp/terms#")
LUNG = URIRef(ADDRESSES.dataset("lung-nodules"))


def values(graph: Graph, name: URIRef) -> set:
    return set(graph.objects(LUNG, name))


def test_a_full_listing_has_the_shape_of_the_profile(organisation, broken: Broken) -> None:
    assert broken(graph_of(listing(of=organisation))) == []


@pytest.mark.parametrize(
    ("left_out", "lacking"),
    [
        ("tier", "interoperabilityLevel"),
        ("health_categories", "healthCategory"),
        ("collection_methods", "collectionMethod"),
    ],
)
def test_what_nobody_said_is_left_out(organisation, broken: Broken, left_out: str, lacking: str) -> None:
    said = {key: value for key, value in SAID.items() if key != left_out}
    assert broken(graph_of(listing(of=organisation, terms=said))) == [lacking]


def test_nobody_to_ask_is_not_made_up(organisation, broken: Broken) -> None:
    said = {key: value for key, value in SAID.items() if not key.startswith("contact")}
    lacking = broken(graph_of(listing(of=organisation, terms=said)))
    assert set(lacking) == {"contactPoint", "publisher"}


def test_the_access_body_stays_empty_until_it_is_named(organisation, broken: Broken) -> None:
    said = {key: value for key, value in SAID.items() if not key.startswith("access_body")}
    graph = graph_of(listing(of=organisation, terms=said))
    assert values(graph, HEALTH.hdab) == set()
    assert broken(graph) == []


def test_counts_come_from_the_version_and_cannot_be_typed(organisation) -> None:
    typed = SAID | {"numberOfUniqueIndividuals": "9999", "subjects": "9999", "modality": ["MR"]}
    graph = graph_of(listing(of=organisation, terms=typed))
    assert values(graph, HEALTH.numberOfUniqueIndividuals) == {
        Literal("118", datatype="http://www.w3.org/2001/XMLSchema#nonNegativeInteger")
    }
    assert [int(n) for n in values(graph, HEALTH.numberOfRecords)] == [251]
    assert EUCAIM.IMG1000038 not in values(graph, EUCAIM.hasImageModality)
    assert "9999" not in graph.serialize()


def test_too_few_are_not_told(organisation, broken: Broken) -> None:
    few = {facet: dict.fromkeys(values_of) for facet, values_of in FACETS.items()}
    graph = graph_of(listing(of=organisation, subjects=None, studies=None, facets=few))
    assert broken(graph) == ["hasBirthSex", "numberOfRecords", "numberOfUniqueIndividuals"]
    assert values(graph, HEALTH.minTypicalAge) == set()


def test_a_sex_or_an_age_of_too_few_is_not_even_named(organisation) -> None:
    graph = graph_of(listing(of=organisation))
    assert values(graph, EUCAIM.hasBirthSex) == {EUCAIM.COM1001366, EUCAIM.COM1001370}
    assert [int(years) for years in values(graph, HEALTH.minTypicalAge)] == [50]
    assert [int(years) for years in values(graph, HEALTH.maxTypicalAge)] == [69]


def test_scanners_are_known_by_the_codes_of_the_hyper_ontology(organisation) -> None:
    graph = graph_of(listing(of=organisation))
    assert values(graph, EUCAIM.hasImageModality) == {
        EUCAIM.IMG1000042, EUCAIM.IMG1000062, TERMS["modality-xa"]
    }  # fmt: skip
    assert values(graph, EUCAIM.hasEquipmentManufacturer) == {
        EUCAIM.IMG1000044, EUCAIM.IMG1000047, TERMS["manufacturer-canon%20medical%20systems"]
    }  # fmt: skip
    assert values(graph, EUCAIM.hasImageBodyPart) == {
        EUCAIM.BP1000067, EUCAIM.BP1000113, TERMS["body-part-wrist"]
    }  # fmt: skip


def test_a_term_without_a_known_code_says_what_it_is_and_where_it_belongs(organisation) -> None:
    graph = graph_of(listing(of=organisation))
    angiography = TERMS["modality-xa"]
    assert graph.value(angiography, SKOS.prefLabel) == Literal("X-Ray Angiography", lang="en")
    assert graph.value(angiography, RDFS.subClassOf) == EUCAIM.IMG1000009
    assert graph.value(angiography, SKOS.exactMatch) == URIRef(
        "http://dicom.nema.org/resources/ontology/DCM/XA"
    )


def test_marks_and_documents_are_no_modality_of_images(organisation) -> None:
    facets = FACETS | {"modality": {"CT": 118, "SEG": 100, "SR": 30}}
    graph = graph_of(listing(of=organisation, facets=facets))
    assert values(graph, EUCAIM.hasImageModality) == {EUCAIM.IMG1000042}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, EUCAIM.CLIN1000065),  # counted: most of its subjects
        ({"terms": SAID | {"condition_code": "CLIN1007991"}}, EUCAIM.CLIN1007991),  # known by a person
        ({"facets": {}, "organ": "prostate"}, EUCAIM.CLIN1000075),  # stated: the place of the tumour
        ({"facets": {}, "organ": "several"}, EUCAIM.CLIN1007977),
        ({"facets": {}, "organ": "kidney"}, TERMS["condition-kidney"]),
        ({"facets": {"condition": {"ICDO3:C34.1": 30}}}, TERMS["condition-icdo3%3Ac34.1"]),
    ],
)
def test_exactly_one_cancer_condition(organisation, changed, expected) -> None:
    assert values(graph_of(listing(of=organisation, **changed)), EUCAIM.hasCondition) == {expected}


def test_clinical_facts_are_structured_data_with_variables(organisation) -> None:
    with_facts = graph_of(listing(of=organisation))
    assert values(with_facts, HEALTH.hasStructuredData) == {Literal(True)}
    columns = URIRef("http://www.w3.org/ns/csvw#name")
    assert {str(name) for name in with_facts.objects(None, columns)} >= {"subject", "code", "starts_on"}
    without = graph_of(listing("other", facets={"modality": {"CT": 20}}))
    assert Literal(False) in set(without.objects(None, HEALTH.hasStructuredData))


@pytest.mark.parametrize(
    ("access", "rights", "condition"),
    [
        ("open", "PUBLIC", {"DOWNLOAD"}),
        ("registered", "RESTRICTED", {"DOWNLOAD"}),
        ("request", "RESTRICTED", {"DOWNLOAD", "IN_SITU_PROCESSING"}),
        ("counts", "NON_PUBLIC", {"REMOTE_PROCESSING"}),
    ],
)
def test_rights_follow_from_who_gets_access(organisation, access, rights, condition) -> None:
    graph = graph_of(listing(of=organisation, access=access))
    assert [str(iri).rpartition("/")[2] for iri in values(graph, DCTERMS.accessRights)] == [rights]
    images = URIRef(ADDRESSES.images("lung-nodules"))
    assert {str(iri).rpartition("#")[2] for iri in graph.objects(images, DCTERMS.rights)} == condition


def test_a_manager_says_what_those_with_access_may_do(organisation) -> None:
    said = SAID | {"conditions": ["IN_SITU_PROCESSING"]}
    graph = graph_of(listing(of=organisation, terms=said))
    images = URIRef(ADDRESSES.images("lung-nodules"))
    assert {str(iri).rpartition("#")[2] for iri in graph.objects(images, DCTERMS.rights)} == {
        "IN_SITU_PROCESSING"
    }


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"),
        ("https://terms.example/1", "https://terms.example/1"),
        ("By contract", f"{LUNG}#licence"),
    ],
)
def test_a_licence_has_an_address(organisation, licence: str, expected: str) -> None:
    graph = graph_of(listing(of=organisation, licence=licence))
    assert graph.value(URIRef(ADDRESSES.images("lung-nodules")), DCTERMS.license) == URIRef(expected)


def test_english_comes_first_where_the_dataset_speaks_another_language(organisation, broken: Broken) -> None:
    said = SAID | {"language": "es", "title_en": "Lung nodules", "description_en": "Followed by CT."}
    changed = {"title": "Nódulos pulmonares", "description": "Seguidos por TC."}
    graph = graph_of(listing(of=organisation, terms=said, **changed))
    assert broken(graph) == []
    assert values(graph, DCTERMS.title) == {
        Literal("Lung nodules", lang="en"), Literal("Nódulos pulmonares", lang="es")
    }  # fmt: skip


def test_a_dataset_without_a_description_is_described_by_its_counts(organisation, broken: Broken) -> None:
    graph = graph_of(listing(of=organisation, description=""))
    assert broken(graph) == []
    assert values(graph, DCTERMS.description) == {
        Literal("CT, PT, XA of 118 subjects. Primary tumour: lung.", lang="en")
    }


def test_a_dataset_of_another_node_is_described_alike(broken: Broken) -> None:
    node = Node.objects.create(part="member", slug="ribera", name="Ribera", public_key="ab" * 32)
    graph = graph_of(listing("ribera--lung", node=node))
    assert broken(graph) == []


def test_another_nodes_description_does_not_go_on_for_ever() -> None:
    many = {f"Scanner {n}": None for n in range(5000)}
    graph = graph_of(Listing(slug="x", title="x", figures={"facets": {"manufacturer": many}}))
    assert len(set(graph.objects(None, EUCAIM.hasEquipmentManufacturer))) == 200


@pytest.mark.parametrize(
    "figures", [[], "facets", {"facets": []}, {"facets": {"sex": [1]}}, {"facets": {"age": {"x-y": 20}}}]
)
def test_figures_of_an_unknown_shape_are_left_out(figures: object) -> None:
    graph = graph_of(Listing(slug="x", title="x", figures=figures, terms=["not", "terms"]))
    assert (None, DCAT.theme, None) in graph
    assert set(graph.objects(None, HEALTH.minTypicalAge)) == set()
