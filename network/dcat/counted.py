"""What no one types: what the published version of a dataset counts."""

from collections.abc import Iterator

from network.dcat.codes import Term
from network.dcat.describing import Description, Shared, at, said, typed
from network.dcat.writing import Node

NOT_IMAGES = {"SEG", "SR", "RTSTRUCT", "RTPLAN", "RTDOSE", "REG", "KO", "PR", "DOC", "RWV", "ANN"}

VARIABLES = (
    ("subject", "The subject's pseudonym", "string"),
    ("kind", "What is told: condition, stage, treatment, status or death", "string"),
    ("name", "Of a stage: T, N, M or group; of a treatment: its sort", "string"),
    ("code", "The code, as scheme:value", "string"),
    ("meaning", "What the code means", "string"),
    ("starts_on", "The day it began, shifted as the dates of the images are", "date"),
    ("ends_on", "The day it ended, shifted likewise", "date"),
)


def counted(described: Description, shared: Shared) -> Node:
    """What no one types: it comes from the version that was counted."""
    listing, vocabulary = described.listing, described.vocabulary
    has_facts = bool(described.counted("condition"))
    node: Node = {
        "healthdcatap:hasStructuredData": [{"@value": has_facts}],
        "eucaim:hasBirthSex": shared.terms(map(vocabulary.sex, described.counted("sex"))),
        "eucaim:hasCondition": [shared.term(condition(described))],
        "eucaim:hasImageModality": shared.terms(map(vocabulary.modality, modalities(described))),
        "eucaim:hasEquipmentManufacturer": shared.terms(
            map(vocabulary.manufacturer, described.counted("manufacturer"))
        ),
        "eucaim:hasImageBodyPart": shared.terms(map(vocabulary.body_part, described.counted("body_part"))),
        "eucaim:hasAnnotationLabel": [
            at(iri) for iri in dict.fromkeys(map(vocabulary.label, described.counted("label"))) if iri
        ],
    }
    if has_facts:
        node["healthdcatap:hasVariables"] = [at(f"{described.addresses.terms}#clinical-facts")]
        for variable in clinical_facts(described.addresses.terms):
            shared.use(variable)
    if listing.subjects is not None:
        node["healthdcatap:numberOfUniqueIndividuals"] = [typed(listing.subjects, "nonNegativeInteger")]
    if listing.studies is not None:
        node["healthdcatap:numberOfRecords"] = [typed(listing.studies, "nonNegativeInteger")]
    years = [int(part) for group in described.counted("age") for part in _years(group)]
    if years:
        node["healthdcatap:minTypicalAge"] = [typed(min(years), "nonNegativeInteger")]
        node["healthdcatap:maxTypicalAge"] = [typed(max(years), "nonNegativeInteger")]
    return node


def modalities(described: Description) -> list[str]:
    """Those of images: marks and documents have a modality in DICOM, too."""
    return [value for value in described.counted("modality") if value not in NOT_IMAGES]


def _years(group: str) -> list[str]:
    """ "60-69" as its two ends; "90+" as its one."""
    return [part for part in group.rstrip("+").split("-") if part.isdecimal() and len(part) < 4]


def condition(described: Description) -> Term:
    """Exactly one: what a person knows the code of, what clinical facts count most, or the organ's cancer."""
    if code := described.one("condition_code"):
        return described.vocabulary.condition_of_code(code)
    if counted := described.most_counted("condition"):
        return described.vocabulary.condition(counted)
    return described.vocabulary.condition_of_organ(described.listing.organ)


def clinical_facts(terms: str) -> Iterator[Node]:
    """The variables of clinical facts: the same in every dataset that has some."""
    start = f"{terms}#clinical-facts"
    yield {"@id": start, "@type": ["csvw:TableGroup"], "csvw:table": [at(f"{start}-table")]}
    yield {
        "@id": f"{start}-table",
        "@type": ["csvw:Table"],
        "dct:title": [said("Clinical facts")],
        "csvw:tableSchema": [at(f"{start}-columns")],
    }
    yield {
        "@id": f"{start}-columns",
        "@type": ["csvw:Schema"],
        "csvw:column": [at(f"{start}-{name}") for name, _, _ in VARIABLES],
    }
    for name, description, kind in VARIABLES:
        yield {
            "@id": f"{start}-{name}",
            "@type": ["csvw:Column"],
            "csvw:name": [{"@value": name}],
            "csvw:title": [said(name)],
            "dct:description": [said(description)],
            "csvw:datatype": [{"@value": kind}],
        }
