"""FHIR R4 bundles as a registry that writes mCODE would send them."""

import json
from typing import Any

MCODE = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-"
SCT, LOINC = "http://snomed.info/sct", "http://loinc.org"
US = "urn:uuid:3b6f"


def concept(system: str, code: str, display: str = "") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, **({"display": display} if display else {})}]}


def patient(identifier: str = "SUBJ-001", **more: Any) -> dict[str, Any]:
    known = {"system": "http://hospital.example/ids", "value": identifier}
    return {"resourceType": "Patient", "id": "p1", "identifier": [known], **more}


def resource(kind: str, profile: str = "", **more: Any) -> dict[str, Any]:
    meta = {"meta": {"profile": [MCODE + profile]}} if profile else {}
    return {"resourceType": kind, **meta, "subject": {"reference": US}, **more}


def condition(**more: Any) -> dict[str, Any]:
    told = {
        "code": concept(SCT, "254637007", "Non-small cell lung cancer (disorder)"),
        "onsetDateTime": "2021-02-10",
    }
    return resource("Condition", "primary-cancer-condition", **{**told, **more})


def observation(
    profile: str, code: dict[str, Any], value: dict[str, Any], day: str, **more: Any
) -> dict[str, Any]:
    return resource(
        "Observation",
        profile,
        **{"status": "final", "code": code, "valueCodeableConcept": value, "effectiveDateTime": day, **more},
    )


def whole() -> list[dict[str, Any]]:
    """One of each that is kept."""
    ajcc = "http://cancerstaging.org"
    return [
        patient(deceasedDateTime="2022-01-05"),
        condition(),
        observation(
            "tnm-stage-group",
            concept(SCT, "399588009", "Pathologic TNM stage grouping"),
            concept(ajcc, "IIB"),
            "2021-03-25",
        ),
        observation(
            "tnm-primary-tumor-category",
            concept(LOINC, "21899-0"),
            concept(SCT, "1229864005", "American Joint Committee on Cancer pT2a (qualifier value)"),
            "2021-03-25",
        ),
        observation(
            "tnm-regional-nodes-category", concept(LOINC, "21900-6"), concept(ajcc, "N1"), "2021-03-25"
        ),
        observation(
            "tnm-distant-metastases-category", concept(LOINC, "21907-1"), concept(ajcc, "cM0"), "2021-03-01"
        ),
        resource(
            "Procedure",
            "cancer-related-surgical-procedure",
            status="completed",
            code=concept(SCT, "173171007", "Lobectomy of lung (procedure)"),
            performedDateTime="2021-03-20T09:30:00+01:00",
        ),
        resource(
            "Procedure",
            "radiotherapy-course-summary",
            status="completed",
            code=concept(SCT, "1217123003", "Radiotherapy course of treatment"),
            performedPeriod={"start": "2021-05-03", "end": "2021-06-11"},
        ),
        resource(
            "MedicationRequest",
            "cancer-related-medication-request",
            status="completed",
            intent="order",
            medicationCodeableConcept=concept(
                "http://www.nlm.nih.gov/research/umls/rxnorm", "2555", "cisplatin 50 MG/50 ML Injection"
            ),
            authoredOn="2021-05",
        ),
        observation(
            "cancer-disease-status",
            concept(LOINC, "97509-4"),
            concept(SCT, "271299001", "Worsening"),
            "2021-09-01",
        ),
    ]


KEPT = [
    ("condition", "", "SCT:254637007", "2021-02-10"),
    ("death", "", "SCT:419099009", "2022-01-05"),
    ("stage", "M", "UICC:M0", "2021-03-01"),
    ("stage", "N", "UICC:N1", "2021-03-25"),
    ("stage", "T", "UICC:T2a", "2021-03-25"),
    ("stage", "group", "UICC:IIB", "2021-03-25"),
    ("status", "worse", "SCT:271299001", "2021-09-01"),
    ("treatment", "chemotherapy", "RXNORM:2555", "2021-05-15"),
    ("treatment", "radiotherapy", "SCT:1217123003", "2021-05-03"),
    ("treatment", "surgery", "SCT:173171007", "2021-03-20"),
]


def bundle(*resources: dict[str, Any]) -> bytes:
    entries = [
        {**({"fullUrl": US} if one.get("resourceType") == "Patient" else {}), "resource": one}
        for one in resources
    ]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()
