"""The pages of clinical facts: sent, mapped, tried, read, taken back; and a subject's timeline."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import permissions
from accounts.models import AuditRecord
from annotations.models import Case, CaseStudy, LabelSchema, Read
from atlas.clinical import tasks
from atlas.models import ClinicalFact, ClinicalImport, Dataset, Project
from tests.atlas.clinical.bundles import bundle, whole
from tests.atlas.clinical.test_tables_in import WIDE
from tests.cast import person, signed_in, study_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(manager) -> Client:
    return signed_in(manager)


def send(client: Client, dataset: Dataset, content: bytes, name: str = "facts.csv"):
    file = SimpleUploadedFile(name, content)
    return client.post(f"/datasets/{dataset.slug}/clinical/", {"file": file}, follow=True)


def body(answer) -> str:
    return answer.content.decode()


def test_a_table_is_sent_tried_read_and_told_of(page, dataset, pseudonymous) -> None:
    answer = send(page, dataset, WIDE.encode())
    one = ClinicalImport.objects.get()
    assert "What the columns hold" in body(answer)
    assert "SUBJ-001" not in body(answer)  # who somebody is stays hidden
    assert "2021-02-10" in body(answer)
    roles = {
        f"role-{at}": one.mapping["columns"].get(name, "") for at, name in enumerate(one.mapping["names"])
    }
    address = f"/datasets/chest-ct/clinical/{one.public_id}/"
    tried = page.post(address, {**roles, "accept": "rows", "do": "try"})
    assert "Malignant neoplasm of bronchus and lung" in body(tried)
    assert ClinicalFact.objects.count() == 0
    assert page.post(address, {**roles, "accept": "rows", "do": "start"}).status_code == 302
    assert "Waits for a worker" in body(page.get(address))
    tasks.read_file(one.pk)
    assert "1\xa0row taken, 0 refused; 8\xa0facts of this file are kept." in body(page.get(address))
    assert "table.csv" in body(page.get("/datasets/chest-ct/clinical/"))
    assert page.post(f"{address}throw-away/").status_code == 302
    assert ClinicalFact.objects.count() == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04 and more", "Save it as “CSV UTF-8”"),
        (b"Patient ID,2021-02-03\n1,2\n", "The first line holds values"),
        (b"", "Choose a file"),
        (b'{"resourceType": "Patient"}', "no FHIR bundle"),
        (b"Patient ID,Date of birth\nSUBJ-001,1950-03-04\n", "is not de-identified"),
    ],
)
def test_what_is_no_table_is_refused_on_the_page(page, dataset, content: bytes, said: str) -> None:
    assert said in body(send(page, dataset, content))
    assert not ClinicalImport.objects.exists()


def test_a_mapping_that_says_nothing_comes_back_with_a_sentence(page, dataset, pseudonymous) -> None:
    send(page, dataset, WIDE.encode())
    address = f"/datasets/chest-ct/clinical/{ClinicalImport.objects.get().public_id}/"
    answer = page.post(address, {"role-1": "condition.code", "do": "start"})
    assert answer.status_code == 400
    assert "Say which column holds the Patient ID." in body(answer)
    assert '<select name="role-1"' in body(answer)
    assert page.post(address, {"role-0": "subject", "role-1": "nonsense", "do": "start"}).status_code == 400


def test_a_mapping_is_saved_and_used_as_a_template(page, dataset, pseudonymous) -> None:
    send(page, dataset, b"who,a\nSUBJ-001,C34.1\n")
    address = f"/datasets/chest-ct/clinical/{ClinicalImport.objects.get().public_id}/"
    template = json.dumps({"columns": {"who": "subject", "a": "condition.code"}, "accept": "file"})
    used = page.post(address, {"template": SimpleUploadedFile("t.json", template.encode())})
    assert "Malignant neoplasm" in body(used)
    for wrong in ("[]", "{", '{"columns": {"no such": "subject"}}', '{"columns": 7}', '{"x": 1}'):
        answer = page.post(address, {"template": SimpleUploadedFile("t.json", wrong.encode())})
        assert answer.status_code == 400, wrong
    assert set(page.get(f"{address}mapping.json").json()) == {
        "columns", "dates", "condition_codes", "treatment_codes", "issuer", "accept"
    }  # fmt: skip


def test_refused_rows_are_listed_and_saved_without_formulas(page, dataset, pseudonymous, sent) -> None:
    one = sent(dataset, "Patient ID,=cmd|ICD10\nSUBJ-001,x\n", {"columns": {
        "Patient ID": "subject", "=cmd|ICD10": "condition.code"
    }})  # fmt: skip
    address = f"/datasets/chest-ct/clinical/{one.public_id}/"
    assert "This is no code of" in body(page.get(address))
    lines = b"".join(page.get(f"{address}refused.csv").streaming_content).decode().splitlines()
    assert lines[0] == "row,column,reason"
    assert lines[1].startswith("2,column 2,")


def test_html_in_a_table_is_text(page, dataset, pseudonymous) -> None:
    answer = send(page, dataset, b"Patient ID,<script>a</script>\nSUBJ-001,<b>b</b>\n", "<i>x</i>.csv")
    assert "<script>a" not in body(answer)
    assert "<b>b" not in body(answer)
    assert "<i>x" not in body(answer)


def test_a_timeline_shows_studies_and_facts_to_scale_and_as_a_table(
    page, dataset, pseudonymous, sent
) -> None:
    study_of(dataset, "SUBJ-001", "2021-09-02", "PT CT")
    sent(dataset, bundle(*whole()))
    subject = pseudonymous.subject
    answer = page.get(f"/datasets/chest-ct/subjects/{subject.public_id}/")
    marks = {mark.what: mark for lane in answer.context["timeline"].drawing.lanes for mark in lane.marks}
    day = (marks["Worse"].x - marks["CT"].x) / 184
    assert marks["Surgery: Lobectomy of lung"].x == pytest.approx(marks["CT"].x + 19 * day, abs=0.2)
    assert marks["Radiotherapy: Radiotherapy course of treatment"].width == pytest.approx(39 * day, abs=0.2)
    assert "pT2a pN1 Stage IIB" in marks
    said = body(answer)
    assert 'style="' not in said
    for event in answer.context["timeline"].events:
        assert f'href="#{event.key}"' in said
        assert f'id="{event.key}"' in said
    assert "day −19" in said or "day -19" in said
    assert f"/subjects/{subject.public_id}/" in body(page.get("/datasets/chest-ct/"))


def test_a_timeline_costs_the_same_for_many_facts(page, dataset, pseudonymous, sent) -> None:
    address = f"/datasets/chest-ct/subjects/{pseudonymous.subject.public_id}/"
    page.get(address)
    with CaptureQueriesContext(connection) as few:
        page.get(address)
    rows = "".join(f"SUBJ-001,C34.1,20{at:02}-01-01\n" for at in range(30))
    sent(dataset, f"Patient ID,ICD10,Diagnosis date\n{rows}")
    study_of(dataset, "SUBJ-001", "2022-09-02", "PT CT")
    with CaptureQueriesContext(connection) as many:
        page.get(address)
    assert len(many) <= len(few)


def test_a_page_says_so_where_nothing_has_a_date(page, dataset) -> None:
    study = study_of(dataset, "SUBJ-003", None)
    answer = page.get(f"/datasets/chest-ct/subjects/{study.subject.public_id}/")
    assert "Nothing has a date" in body(answer)


def test_facts_are_kept_from_who_still_reads_the_subjects_images(
    page, manager, dataset, pseudonymous, sent
) -> None:
    sent(dataset, WIDE)
    project = Project.objects.create(
        organisation=dataset.organisation, name="P", slug="p", created_by=manager
    )
    permissions.grant(user=manager, role="reader", scope=project)
    schema = LabelSchema.objects.create(project=project, version=1, labels=[], created_by=manager)
    case = Case.objects.create(project=project, subject=pseudonymous.subject, number=1)
    CaseStudy.objects.create(case=case, study=pseudonymous, position=1)
    read = Read.objects.create(case=case, reader=manager, schema=schema)
    address = f"/datasets/chest-ct/subjects/{pseudonymous.subject.public_id}/"
    answer = page.get(address)
    assert "You still read images of this subject" in body(answer)
    assert "Malignant neoplasm" not in body(answer)
    api = f"/api/v1/datasets/chest-ct/subjects/{pseudonymous.subject.public_id}/facts/"
    assert {one["kind"] for one in page.get(api).json()} == {"study"}
    read.delete()
    assert "Malignant neoplasm" in body(page.get(address))


def test_who_saw_a_subjects_facts_is_written_down_once_an_hour(page, manager, dataset, pseudonymous) -> None:
    address = f"/datasets/chest-ct/subjects/{pseudonymous.subject.public_id}/"
    page.get(address)
    page.get(address)
    (line,) = AuditRecord.objects.filter(verb="subject.facts_viewed")
    assert (line.actor, line.object_id, line.facts) == (
        manager, pseudonymous.subject.pk, {"dataset": dataset.pk}
    )  # fmt: skip


def test_a_subject_of_another_dataset_is_not_there(page, dataset, organisation, pseudonymous) -> None:
    other = Dataset.objects.create(
        organisation=organisation, name="O", slug="o", deidentification="already_done"
    )
    study = study_of(other, "SUBJ-008")
    assert page.get(f"/datasets/chest-ct/subjects/{study.subject.public_id}/").status_code == 404
    assert page.get(f"/datasets/o/subjects/{study.subject.public_id}/").status_code == 404
    assert signed_in(person("z")).get(
        f"/datasets/chest-ct/subjects/{pseudonymous.subject.public_id}/"
    ).status_code == 404  # fmt: skip


# The same over the API ---------------------------------------------------------------------------


def test_a_program_sends_maps_and_follows_a_file(page, dataset, pseudonymous) -> None:
    made = page.post("/api/v1/datasets/chest-ct/clinical/?name=f.csv", WIDE.encode(), "text/csv")
    assert made.status_code == 201
    told = made.json()
    assert (told["kind"], told["state"], told["mapping"]["columns"]["ICD10"]) == (
        "csv",
        "mapping",
        "condition.code",
    )
    address = f"/api/v1/datasets/chest-ct/clinical/{told['id']}/"
    wrong = page.put(f"{address}mapping/", {"columns": {"T": "stage.T"}}, "application/json")
    assert wrong.status_code == 400
    assert "Patient ID" in wrong.json()["reason"]
    right = page.put(f"{address}mapping/", told["mapping"], "application/json")
    assert (right.status_code, right.json()["state"]) == (200, "waiting")
    tasks.read_file(ClinicalImport.objects.get().pk)
    assert page.get(address).json()["rows_taken"] == 1
    assert len(page.get("/api/v1/datasets/chest-ct/clinical/").json()) == 1
    facts = page.get(f"/api/v1/datasets/chest-ct/subjects/{pseudonymous.subject.public_id}/facts/").json()
    assert {"kind": "condition", "days_since_first_study": -19} in [
        {"kind": one["kind"], "days_since_first_study": one["days_since_first_study"]} for one in facts
    ]
    assert page.delete(address).json()["state"] == "undone"
    assert not ClinicalFact.objects.exists()


def test_a_file_that_is_too_large_is_refused_while_it_is_read(page, dataset, monkeypatch) -> None:
    from atlas.clinical import importing

    monkeypatch.setattr(importing, "BYTES_MAX", 10)
    answer = page.post("/api/v1/datasets/chest-ct/clinical/", WIDE.encode(), "text/csv")
    assert (answer.status_code, answer.json()["reason"]) == (400, "The file is too large. Split it.")
