"""Tables of clinical facts: taken row by row, pseudonymised and moved in time as the images are."""

import datetime
import json

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.utils import timezone

from accounts import permissions
from atlas.archive.erasing import erase
from atlas.archive.storage import storage
from atlas.clinical import headings, importing, tasks
from atlas.clinical.errors import NotTaken
from atlas.clinical.reading import NOBODY, ROWS_AT_ONCE
from atlas.models import ClinicalFact, ClinicalImport, Dataset, Subject
from tests.atlas.clinical.conftest import PATIENT, VISIT, told
from tests.cast import person, study_of

pytestmark = pytest.mark.django_db

WIDE = """Patient ID,ICD10,Diagnosis date,T,N,M,Stage,Surgery date,Status,Status date,Death date
SUBJ-001,C34.1,2021-02-10,pT2a,N1,M0,IIB,2021-03-20,PD,2021-09-01,2022-01-05
"""
ALL_OF_WIDE = [
    ("condition", "", "ICD10:C34.1", "2021-02-10"),
    ("death", "", "SCT:419099009", "2022-01-05"),
    ("stage", "M", "UICC:M0", None),
    ("stage", "N", "UICC:N1", None),
    ("stage", "T", "UICC:T2a", None),
    ("stage", "group", "UICC:IIB", None),
    ("status", "worse", "SCT:271299001", "2021-09-01"),
    ("treatment", "surgery", "SCT:387713003", "2021-03-20"),
]


def test_a_row_holds_several_facts_and_its_columns_are_guessed(pseudonymous, dataset, sent) -> None:
    one = sent(dataset, WIDE)
    assert (one.state, one.rows_taken, one.rows_refused) == ("done", 1, 0), one.findings
    assert told(pseudonymous.subject) == ALL_OF_WIDE


def test_a_named_patient_becomes_the_subject_of_the_images_and_dates_move_with_them(
    named, keys, sent
) -> None:
    day = VISIT + datetime.timedelta(days=40)
    one = sent(named, f"Patient ID,ICD10,Diagnosis date\n{PATIENT},C50.9,{day:%d.%m.%Y}\n")
    assert one.rows_taken == 1, one.findings
    fact = ClinicalFact.objects.get()
    study = named.studies.get()
    assert fact.subject.pseudonym == keys.subject(PATIENT)
    assert (fact.starts_on - study.date).days == 40
    assert fact.starts_on == day + datetime.timedelta(days=keys.shift_days(PATIENT))


def test_where_images_lose_their_dates_facts_lose_theirs(named, keys, sent) -> None:
    Dataset.objects.filter(pk=named.pk).update(deidentification_options=[])
    named.refresh_from_db()
    sent(named, f"Patient ID,ICD10,Diagnosis date\n{PATIENT},C50.9,2021-04-10\n")
    assert told(Subject.objects.get(pseudonym=keys.subject(PATIENT))) == [
        ("condition", "", "ICD10:C50.9", None)
    ]


def test_the_issuer_decides_whose_it_is(named, keys, sent) -> None:
    study_of(named, keys.subject("7", "CLINIC"), "2019-01-01")
    table = "Patient ID,ICD10\n7,C50.9\n"
    assert sent(named, table).findings == [{"row": 2, "column": "Patient ID", "sentence": NOBODY}]
    assert sent(named, table, issuer="CLINIC").rows_taken == 1


def test_what_was_written_as_issuer_goes_with_the_file(named, keys, sent, manager) -> None:
    """Anything may be written there."""
    one = sent(named, f"Patient ID,ICD10\n{PATIENT},C50.9\n", issuer="Dr Meier's list")
    assert one.mapping["issuer"] == ""
    waits = importing.begin(by=manager, dataset=named, name="t.csv", content=b"Patient ID,ICD10\n1,C50.9\n")
    ClinicalImport.objects.filter(pk=waits.pk).update(mapping={**waits.mapping, "issuer": "Dr Meier"})
    importing.throw_away(by=manager, one=waits)
    assert "Meier" not in str(list(ClinicalImport.objects.values_list("mapping", flat=True)))


def test_rows_are_refused_one_by_one_with_row_column_and_a_reason(pseudonymous, dataset, sent) -> None:
    one = sent(
        dataset,
        "Patient ID,ICD10,Diagnosis date,T\n"
        "SUBJ-001,C34.1,2021-02-10,T2\n"
        "SUBJ-001,lung,2021-02-10,T2\n"
        "SUBJ-001,C34.1,2021-02-30,T2\n"
        "SUBJ-001,C34.1,2021-02-10,T9\n"
        "Meier,C34.1,2021-02-10,T2\n"
        ",C34.1,2021-02-10,T2\n"
        "SUBJ-001,,,\n"
        "SUBJ-001,C34.1,2021-02-10,T2,more\n",
    )
    assert (one.rows_total, one.rows_taken, one.rows_refused) == (8, 1, 7)
    places = [(found["row"], found["column"]) for found in one.findings]
    assert places == [
        (3, "ICD10"), (4, "Diagnosis date"), (5, "T"), (6, "Patient ID"), (7, "Patient ID"), (8, ""), (9, ""),
    ]  # fmt: skip
    said = " ".join(str(found["sentence"]) for found in one.findings)
    assert not any(value in said for value in ("Meier", "lung", "2021", "T9", "SUBJ"))
    assert "no such day" in one.findings[1]["sentence"]


def test_a_file_may_be_taken_whole_or_not_at_all(pseudonymous, dataset, sent) -> None:
    table = "Patient ID,ICD10\nSUBJ-001,C34.1\nSUBJ-002,C34.1\n"
    one = sent(dataset, table, accept="file")
    assert (one.state, one.rows_taken, one.rows_refused) == ("failed", 0, 1)
    assert ClinicalFact.objects.count() == 0
    assert sent(dataset, table, accept="rows").rows_taken == 1


def test_a_file_sent_twice_changes_nothing_and_runs_again_without_harm(pseudonymous, dataset, sent) -> None:
    first = sent(dataset, WIDE)
    second = sent(dataset, WIDE)
    assert second.rows_taken == 1
    assert told(pseudonymous.subject) == ALL_OF_WIDE
    assert (first.facts.count(), second.facts.count()) == (0, len(ALL_OF_WIDE))
    tasks.read_file(second.pk)  # the job of a killed worker
    second.refresh_from_db()
    assert (second.state, second.rows_taken) == ("done", 1)


def test_a_job_killed_in_the_middle_reads_again_from_the_start(
    pseudonymous, dataset, manager, monkeypatch
) -> None:
    rows = "".join(
        f"SUBJ-001,C34.1,{2000 + at % 20}-01-{at % 28 + 1:02}\n" for at in range(ROWS_AT_ONCE + 50)
    )
    one = importing.begin(
        by=manager, dataset=dataset, name="a", content=f"Patient ID,ICD10,Diagnosis date\n{rows}".encode()
    )
    importing.start(by=manager, one=one, how=one.mapping)
    keep, calls = tasks._keep, []

    def killed(*args):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        keep(*args)

    monkeypatch.setattr(tasks, "_keep", killed)
    with pytest.raises(KeyboardInterrupt):
        tasks.read_file(one.pk)
    kept = ClinicalFact.objects.count()
    monkeypatch.undo()
    tasks.read_file(one.pk)
    one.refresh_from_db()
    assert (one.state, one.rows_taken) == ("done", ROWS_AT_ONCE + 50)
    assert 0 < kept <= ClinicalFact.objects.count() == 140


def test_the_sent_file_is_sealed_while_it_waits_and_gone_once_it_was_read(
    pseudonymous, dataset, manager, django_capture_on_commit_callbacks
) -> None:
    one = importing.begin(by=manager, dataset=dataset, name="f.csv", content=WIDE.encode())
    sealed = storage().read_range(one.object_key, 0, storage().size(one.object_key))
    assert b"SUBJ-001" not in sealed
    assert b"C34" not in sealed
    key = one.object_key
    importing.start(by=manager, one=one, how=one.mapping)
    with django_capture_on_commit_callbacks(execute=True):
        tasks.read_file(one.pk)
    one.refresh_from_db()
    assert one.object_key == ""
    assert key not in {each.key for each in storage().keys("")}


MEIER = """Patient ID,Hans Meier,\N{CYRILLIC CAPITAL LETTER ZE} T
SUBJ-001,C34.1,T2
SUBJ-001,Meier,
SUBJ-001,C34.1,seven
"""
HIS = {"columns": {
    "Patient ID": "subject", "Hans Meier": "condition.code", "\N{CYRILLIC CAPITAL LETTER ZE} T": "stage.T"
}}  # fmt: skip


def test_nothing_that_people_wrote_around_a_table_outlasts_it(pseudonymous, dataset, manager, sent) -> None:
    """Neither its own name nor headings that are no words of the field: any may name a patient."""
    one = importing.begin(by=manager, dataset=dataset, name="Meier, Hans.TSV", content=MEIER.encode())
    assert one.file_name == "Meier, Hans.TSV"
    assert one.mapping["names"] == ["Patient ID", "column 2", "column 3"]
    importing.start(by=manager, one=one, how={**one.mapping, **HIS})
    tasks.read_file(one.pk)
    one.refresh_from_db()
    assert (one.file_name, one.state, one.rows_taken) == ("table.tsv", "done", 1)
    assert [found["column"] for found in one.findings] == ["column 2", "column 3"]
    assert one.mapping["columns"] == {
        "Patient ID": "subject", "column 2": "condition.code", "column 3": "stage.T"
    }  # fmt: skip
    kept = json.dumps(
        list(ClinicalImport.objects.filter(pk=one.pk).values("file_name", "mapping", "findings"))
    )
    assert "Meier" not in kept
    assert "\\u0417" not in kept


def test_a_file_that_nobody_reads_loses_its_name_as_well(dataset, manager) -> None:
    for name, content, after in (
        ("Meier.csv", b"Patient ID,ICD10\n1,C34\n", "table.csv"),
        ("Meier.x", b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient"}}]}',
         "bundle.json"),
    ):  # fmt: skip
        one = importing.begin(by=manager, dataset=dataset, name=name, content=content)
        assert importing.throw_away(by=manager, one=one).file_name == after


def test_a_column_is_named_by_heading_or_place_and_never_by_both() -> None:
    columns = ("who", "column 1", "T")
    assert headings.kept(columns) == ("column 1", "column 2", "T")
    told = headings.by_kept({"columns": {"who": "subject", "T": "stage.T"}}, columns)
    assert told == {"columns": {"column 1": "subject", "T": "stage.T"}}
    for given in ({"column 1": "subject"}, {"who": "subject", "column 1": "stage.T"}):
        with pytest.raises(NotTaken, match="may be two columns"):
            headings.by_kept({"columns": given}, columns)


def test_erasing_a_subject_cleans_what_earlier_files_left(pseudonymous, dataset, manager, sent) -> None:
    one = sent(dataset, WIDE)
    ClinicalImport.objects.filter(pk=one.pk).update(
        file_name="Meier.csv",
        mapping={"columns": {"Patient ID": "subject", "Meier": "stage.T"}, "names": ["Patient ID", "Meier"]},
        findings=[{"row": 2, "column": "Meier", "sentence": "No."}],
    )
    erase(pseudonymous.subject)
    one.refresh_from_db()
    assert one.file_name == "table.csv"
    assert one.mapping == {
        "columns": {"Patient ID": "subject", "column 2": "stage.T"}, "names": ["Patient ID", "column 2"]
    }  # fmt: skip
    assert one.findings == [{"row": 2, "column": "column 2", "sentence": "No."}]


def test_a_mapping_is_remembered_for_the_next_table_of_these_columns(
    pseudonymous, dataset, manager, sent
) -> None:
    table = "who,a,b\nSUBJ-001,C34.1,03/04/2021\n"
    how = {"columns": {"who": "subject", "a": "condition.code", "b": "condition.date"}, "dates": "mdy"}
    assert sent(dataset, table, how).rows_taken == 1
    again = importing.begin(by=manager, dataset=dataset, name="next.csv", content=table.encode())
    assert again.mapping["columns"] == {
        "column 1": "subject", "column 2": "condition.code", "column 3": "condition.date"
    }  # fmt: skip
    assert again.mapping["dates"] == "mdy"
    like = importing.begin(by=manager, dataset=dataset, name="o.csv", content=b"x,y,z\nSUBJ-001,1,2\n")
    assert like.mapping["columns"] == {}
    assert ClinicalFact.objects.get().starts_on == datetime.date(2021, 3, 4)


def test_a_table_that_names_people_is_refused_where_files_should_be_pseudonymous(dataset, manager) -> None:
    table = b"Patient ID,Nachname,ICD10\nSUBJ-001,Meier,C34.1\n"
    with pytest.raises(ValidationError) as raised:
        importing.begin(by=manager, dataset=dataset, name="f.csv", content=table)
    assert "Nachname" in raised.value.messages[0]
    assert "Meier" not in raised.value.messages[0]
    assert not ClinicalImport.objects.exists()


def test_of_words_only_those_of_medicine_are_kept(pseudonymous, dataset, sent) -> None:
    sent(
        dataset,
        "Patient ID,ICD10,Diagnosis\nSUBJ-001,D05.1,Hans Meiers carcinoma of the breast 0171 5551234\n",
    )
    assert ClinicalFact.objects.get().meaning == "carcinoma of the breast"


def test_dates_to_come_are_refused_where_dates_are_real(named, sent) -> None:
    ahead = timezone.localdate() + datetime.timedelta(days=30)
    one = sent(named, f"Patient ID,ICD10,Diagnosis date\n{PATIENT},C50.9,{ahead}\n")
    assert one.findings[0]["sentence"] == "A date lies in the future."


def test_taking_back_removes_what_only_this_file_said(pseudonymous, dataset, manager, sent) -> None:
    first = sent(dataset, WIDE)
    sent(dataset, "Patient ID,ICD10,Diagnosis date\nSUBJ-001,C34.1,2021-02-10\n")
    importing.throw_away(by=manager, one=first)
    assert told(pseudonymous.subject) == [("condition", "", "ICD10:C34.1", "2021-02-10")]
    first.refresh_from_db()
    assert first.state == "undone"


def test_erasing_a_subject_erases_its_facts_and_files_that_wait(pseudonymous, dataset, manager, sent) -> None:
    other = study_of(dataset, "SUBJ-002").subject
    sent(dataset, WIDE + "SUBJ-002,C50.9,,,,,,,,,\n")
    waiting = importing.begin(by=manager, dataset=dataset, name="f.csv", content=WIDE.encode())
    erasure = erase(pseudonymous.subject)
    assert erasure.counts["clinical facts"] == len(ALL_OF_WIDE)
    assert set(ClinicalFact.objects.values_list("subject", flat=True)) == {other.pk}
    waiting.refresh_from_db()
    assert (waiting.state, waiting.object_key) == ("failed", "")


def test_what_nobody_maps_within_a_week_is_deleted(pseudonymous, dataset, manager) -> None:
    one = importing.begin(by=manager, dataset=dataset, name="f.csv", content=WIDE.encode())
    tasks.forget_clinical_files(0)
    one.refresh_from_db()
    assert one.state == "mapping"
    ClinicalImport.objects.update(created_at=one.created_at - datetime.timedelta(days=8))
    tasks.forget_clinical_files(0)
    one.refresh_from_db()
    assert (one.state, one.object_key) == ("failed", "")


def test_only_those_who_take_images_in_take_facts_in(
    pseudonymous, dataset, manager, stranger, member
) -> None:
    one = importing.begin(by=manager, dataset=dataset, name="f.csv", content=WIDE.encode())
    for user, error in ((stranger, Http404), (member, PermissionDenied)):
        with pytest.raises(error):
            importing.begin(by=user, dataset=dataset, name="f.csv", content=WIDE.encode())
        with pytest.raises(error):
            importing.start(by=user, one=one, how=one.mapping)
        with pytest.raises(error):
            importing.throw_away(by=user, one=one)


def test_a_subject_without_images_in_this_dataset_is_nobody(
    pseudonymous, dataset, organisation, sent
) -> None:
    elsewhere = Dataset.objects.create(
        organisation=organisation, name="O", slug="other", deidentification="already_done"
    )
    permissions.grant(user=person("x"), role="data_manager", scope=elsewhere)
    study_of(elsewhere, "SUBJ-009")
    one = sent(dataset, "Patient ID,ICD10\nSUBJ-009,C34.1\n")
    assert one.findings == [{"row": 2, "column": "Patient ID", "sentence": NOBODY}]
