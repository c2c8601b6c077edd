"""FHIR R4 bundles with mCODE's profiles: each resource is a fact, is refused with a reason, or is left."""

import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from atlas.clinical import fhir, importing
from atlas.clinical.errors import NotTaken
from atlas.clinical.reading import NOBODY, SEVERAL
from atlas.models import ClinicalFact, ClinicalImport
from tests.atlas.clinical.bundles import (
    KEPT,
    LOINC,
    SCT,
    bundle,
    concept,
    condition,
    observation,
    patient,
    resource,
    whole,
)
from tests.atlas.clinical.conftest import PATIENT, told
from tests.cast import study_of

pytestmark = pytest.mark.django_db


def test_a_bundle_gives_every_kind_of_fact_once(pseudonymous, dataset, sent) -> None:
    one = sent(dataset, bundle(*whole()))
    assert (one.kind, one.state, one.rows_refused) == ("fhir", "done", 0), one.findings
    assert told(pseudonymous.subject) == KEPT
    fact = ClinicalFact.objects.get(name="chemotherapy")
    assert (fact.meaning, fact.starts_precision) == ("Cisplatin", "month")
    assert ClinicalFact.objects.get(name="T").meaning == "pT2a"
    sent(dataset, bundle(*whole()))
    assert told(pseudonymous.subject) == KEPT


def test_a_named_patient_becomes_the_subject_of_the_images(named, keys, sent) -> None:
    someone = patient(PATIENT, name=[{"family": "Meier"}], birthDate="1950-03-04")
    one = sent(named, bundle(someone, condition()))
    assert one.rows_taken == 1, one.findings
    fact = ClinicalFact.objects.get()
    assert fact.subject.pseudonym == keys.subject(PATIENT)
    assert (fact.starts_on - named.studies.get().date).days == -19


def test_a_bundle_that_names_people_is_refused_where_files_should_be_pseudonymous(dataset, manager) -> None:
    content = bundle(patient(name=[{"family": "Meier"}]), condition())
    with pytest.raises(ValidationError) as raised:
        importing.begin(by=manager, dataset=dataset, name="b.json", content=content)
    assert "Patient.name" in raised.value.messages[0]
    assert "Meier" not in raised.value.messages[0]
    assert not ClinicalImport.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "column"),
    [
        (condition(onsetDateTime="Meier"), "Condition.onsetDateTime"),
        (condition(meier="x"), "Condition"),
        (condition(code=concept("http://own.example", "x1")), "Condition.code"),
        (condition(code=concept(SCT, "254637008")), "Condition.code"),
        (resource("Observation", "cancer-disease-status", status="final", code=concept(LOINC, "97509-4")),
         "Observation.valueCodeableConcept"),
        (observation("tnm-stage-group", concept(LOINC, "21908-9"), concept(SCT, "1"), "2021-01-01"),
         "Observation.valueCodeableConcept"),
        (condition(subject={"reference": "Patient/nobody"}), "subject"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_by_itself_and_told_without_its_value(
    pseudonymous, dataset, sent, wrong: dict[str, Any], column: str
) -> None:
    one = sent(dataset, bundle(patient(), condition(), wrong))
    assert (one.rows_taken, one.rows_refused) == (1, 1)
    assert (one.findings[0]["row"], one.findings[0]["column"]) == (3, column)
    assert "eier" not in json.dumps(one.findings)


def test_what_never_was_or_is_something_else_is_left_and_counted(pseudonymous, dataset, sent) -> None:
    refuted = concept("http://terminology.hl7.org/CodeSystem/condition-ver-status", "refuted")
    one = sent(
        dataset,
        bundle(
            patient(),
            condition(verificationStatus=refuted),
            resource("Procedure", "cancer-related-surgical-procedure", status="not-done"),
            resource("Condition", "secondary-cancer-condition", code=concept(SCT, "94222008")),
            {**condition(code=concept("http://hl7.org/fhir/sid/icd-10", "I10")), "meta": {}},
            resource("Encounter", status="finished"),
            resource("Meier"),
        ),
    )
    assert (one.state, one.rows_taken, one.rows_refused) == ("done", 0, 0)
    (note,) = one.findings
    assert note["row"] == 0
    assert "3 Condition, 1 Procedure, 1 Encounter, 1 unknown" in note["sentence"]
    assert "Meier" not in note["sentence"]


def test_identifiers_of_nobody_or_of_several_are_refused(pseudonymous, dataset, sent) -> None:
    study_of(dataset, "SUBJ-002")
    both = patient(identifier=[{"value": "SUBJ-001"}, {"value": "SUBJ-002"}])
    both["identifier"] = [{"value": "SUBJ-001"}, {"value": "SUBJ-002"}]
    for who, sentence in ((patient("SUBJ-003"), NOBODY), (both, SEVERAL)):
        one = sent(dataset, bundle(who, condition()))
        assert [found["sentence"] for found in one.findings] == [sentence]


def test_an_id_names_a_patient_only_where_there_is_no_identifier(pseudonymous, dataset, sent) -> None:
    """It is of the server that wrote the bundle: here it may be somebody else's Patient ID."""
    other = study_of(dataset, "SUBJ-002").subject
    unusable = {**patient(id="SUBJ-002"), "identifier": [{"system": "x"}]}
    for who in (patient("SUBJ-003", id="SUBJ-002"), unusable):
        one = sent(dataset, bundle(who, condition()))
        assert [found["sentence"] for found in one.findings] == [NOBODY]
    one = sent(dataset, bundle(patient("SUBJ-001", id="SUBJ-002"), condition()))
    assert (one.rows_taken, one.findings) == (1, [])
    assert ClinicalFact.objects.get().subject == pseudonymous.subject
    without = patient(id="SUBJ-002")
    del without["identifier"]
    assert sent(dataset, bundle(without, condition())).rows_taken == 1
    assert other.clinical_facts.count() == 1


def test_identifiers_beyond_what_is_looked_at_are_not_left_out_in_silence() -> None:
    many = [{"value": f"SUBJ-{at}"} for at in range(fhir.IDENTIFIERS_MAX + 1)]
    with pytest.raises(NotTaken, match="Entry 1: a patient has more than 20 identifiers"):
        fhir.read(bundle({**patient(), "identifier": many}, condition()))


HOSTILE = {
    "no bundle": b'{"resourceType": "Patient"}',
    "a list": b"[1]",
    "no JSON": b"{resourceType",
    "not in UTF-8": b'{"resourceType": "\xff"}',
    "no entries": b'{"resourceType": "Bundle"}',
    "entries that are none": b'{"resourceType": "Bundle", "entry": [1, null, {"resource": []}]}',
    "deep": b'{"resourceType":"Bundle","entry":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "a number without an end": b'{"resourceType":"Bundle","entry":[' + b"9" * 100_000 + b"]}",
    "not a number": b'{"resourceType":"Bundle","entry":[NaN]}',
    "too many": b'{"resourceType":"Bundle","entry":[' + b"{}," * fhir.ENTRIES_MAX + b"{}]}",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_json_is_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(NotTaken):
        fhir.read(content)


ODD: list[Any] = [
    None,
    7,
    "x",
    [],
    {},
    [[]],
    [{}],
    {"coding": 1},
    {"coding": [1]},
    {"coding": [{"code": []}]},
    True,
]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_no_shape_of_an_element_breaks_the_reading(odd: Any) -> None:
    """Whatever stands there, each resource is a fact, refused or left."""
    made = []
    for one in whole():
        for name in [*one, "identifier", "deceasedDateTime", "category"]:
            if name != "resourceType":
                made.append({**one, name: odd})
    for entry in fhir.read(bundle(patient(), *made)).entries():
        assert entry.fact is not None or entry.problem is not None


def both(*people: dict[str, Any], reference: str = "Patient/p1") -> bytes:
    """People without addresses of their own, and a condition of the one that is referred to."""
    entries = [{"resource": one} for one in (*people, condition(subject={"reference": reference}))]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def test_two_patients_of_one_id_are_both_refused_with_all_that_is_said_of_them(
    pseudonymous, dataset, sent
) -> None:
    """Nobody can tell whose it is: not even of the one who comes last."""
    study_of(dataset, "SUBJ-002", "2021-03-01")
    one = sent(dataset, both(patient("SUBJ-001", deceasedBoolean=True), patient("SUBJ-002")))
    assert (one.rows_taken, one.rows_refused) == (0, 3)
    assert [(told["row"], told["column"], told["sentence"]) for told in one.findings] == [
        (1, "Patient.id", fhir.DOUBLE),
        (2, "Patient.id", fhir.DOUBLE),
        (3, "subject", fhir.DOUBLE),
    ]
    assert not ClinicalFact.objects.exists()


def test_one_patient_who_is_in_the_bundle_twice_is_one_patient(pseudonymous, dataset, sent) -> None:
    one = sent(dataset, both(patient("SUBJ-001"), patient("SUBJ-001", gender="female")))
    assert (one.rows_taken, one.rows_refused) == (1, 0), one.findings


def test_whoever_is_named_before_somebody_of_the_same_id_is_found(dataset, manager) -> None:
    content = both(patient("SUBJ-001", name=[{"family": "Meier"}]), patient("SUBJ-001"))
    with pytest.raises(ValidationError, match="de-identified"):
        importing.begin(by=manager, dataset=dataset, name="b.json", content=content)
