"""What is told of a dataset in sentences: where it comes from, what it was collected for, and until when."""

from collections.abc import Iterator

from atlas.models import Dataset
from network.dcat.describing import Description, at, said, typed
from network.dcat.terms import LEGAL_BASES
from network.dcat.writing import Node, Value

DEIDENTIFIED: dict[str, str] = {
    Dataset.Deidentification.AT_THE_DOOR: (
        "What identifies was removed or replaced as the images arrived, by the "
        "Basic Application Level Confidentiality Profile of DICOM PS3.15 Annex E."
    ),
    Dataset.Deidentification.ALREADY_DONE: (
        "The images were de-identified before they arrived; each was checked for attributes that identify."
    ),
}


def provenance(described: Description) -> list[Value]:
    keys = [key for key in ("deidentified", "provenance") if _statement(described, key)]
    return [at(f"{described.iri}#{key}") for key in keys]


def law_and_purpose(described: Description) -> Node:
    node: Node = {}
    bases = [basis.key for basis in LEGAL_BASES if basis.key in described.several("legal_basis")]
    node["dpv:hasLegalBasis"] = [at(f"https://w3id.org/dpv#{key}") for key in bases]
    if described.one("purpose"):
        node["dpv:hasPurpose"] = [at(f"{described.iri}#purpose")]
    if described.one("retention_start") or described.one("retention_end"):
        node["healthdcatap:retentionPeriod"] = [at(f"{described.iri}#retention")]
    return node


def statements(described: Description) -> Iterator[Node]:
    iri = described.iri
    for key in ("deidentified", "provenance"):
        if words := _statement(described, key):
            yield {"@id": f"{iri}#{key}", "@type": ["dct:ProvenanceStatement"], "rdfs:label": [words]}
    if purpose := described.one("purpose"):
        words = said(purpose, described.one("language") or "en")
        yield {"@id": f"{iri}#purpose", "@type": ["dpv:Purpose"], "dct:description": [words]}
    start, end = described.one("retention_start"), described.one("retention_end")
    if start or end:
        yield {
            "@id": f"{iri}#retention",
            "@type": ["dct:PeriodOfTime"],
            "dcat:startDate": [typed(start, "date")] if start else [],
            "dcat:endDate": [typed(end, "date")] if end else [],
        }


def _statement(described: Description, key: str) -> Value | None:
    if key == "provenance":
        words = described.one("provenance")
        return said(words, described.one("language") or "en") if words else None
    dataset = described.listing.dataset
    told = DEIDENTIFIED.get(dataset.deidentification, "") if dataset else ""
    return said(told) if told else None
