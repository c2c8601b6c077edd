"""How a dataset's images are de-identified: who chooses, what is recorded, what a look at a file shows."""

import io
import logging

import pydicom
import pytest
from pydicom.dataset import Dataset as Dataset_

from accounts.models import AuditRecord, User
from atlas.archive.storage import storage
from atlas.models import Dataset, Instance
from tests.atlas.conftest import zipped
from tests.atlas.slices import header, part_10, pixels
from tests.cast import signed_in, study_of

PAGE = "/datasets/chest-ct/deidentification/"
PREVIEW = f"{PAGE}preview/"


def choose(user: User, deidentification: str, *options: str):
    return signed_in(user).post(PAGE, {"deidentification": deidentification, "options": options})


def look(user: User, content: bytes, *options: str):
    return signed_in(user).generic(
        "POST", PREVIEW, content, "application/octet-stream", query_params={"option": options}
    )


def test_a_manager_chooses_and_everyone_who_takes_images_in_sees_who_chose_what(owner, manager, dataset):
    assert choose(owner, "at_the_door", "dates", "safe_private").status_code == 302
    dataset.refresh_from_db()
    assert dataset.deidentification == "at_the_door"
    assert dataset.deidentification_options == ["dates", "safe_private"]
    record = AuditRecord.objects.get(verb="dataset.deidentification")
    assert record.actor == owner
    assert record.facts == {"deidentification": "at_the_door", "options": "dates safe_private"}
    page = signed_in(manager).get(PAGE).content.decode()
    assert "Nina Berg" in page
    assert "Keep dates, moved; Keep private attributes known to be safe" in page
    assert 'class="btn primary"' not in page  # a data manager looks, and saves nothing


def test_options_are_kept_only_where_atlas_de_identifies(owner, dataset):
    choose(owner, "already_done", "dates")
    dataset.refresh_from_db()
    assert dataset.deidentification_options == []


def test_an_unknown_choice_or_option_changes_nothing_and_is_said(owner, dataset):
    page = choose(owner, "at_the_door", "dates", "everything").content.decode()
    assert "everything is not one of the available choices" in page
    assert "maybe is not one of the available choices" in choose(owner, "maybe").content.decode()
    dataset.refresh_from_db()
    assert dataset.deidentification == "already_done"


def test_studies_that_are_here_are_counted_where_the_consequences_stand(owner, dataset):
    study_of(dataset, "L-1")
    page = signed_in(owner).get(PAGE).content.decode()
    assert "To the 1\N{NO-BREAK SPACE}study here" in page
    assert "as another subject" in page


@pytest.mark.parametrize(("who", "statuses"), [("manager", (200, 403)), ("stranger", (404, 404))])
def test_only_a_manager_of_the_organisation_chooses(request, dataset, who, statuses):
    user = request.getfixturevalue(who)
    assert signed_in(user).get(PAGE).status_code == statuses[0]
    assert choose(user, "undeclared").status_code == statuses[1]
    dataset.refresh_from_db()
    assert dataset.deidentification == "already_done"


def test_a_new_dataset_that_atlas_de_identifies_goes_on_to_its_options(owner, organisation):
    facts = {"name": "Liver", "organ": "liver", "deidentification": "at_the_door"}
    answer = signed_in(owner).post("/organisations/karlsund/datasets/new/", facts)
    assert answer.headers["Location"] == "/datasets/liver/deidentification/"
    assert Dataset.objects.get(slug="liver").deidentification_options == []


def test_a_look_shows_every_attribute_before_and_after(manager, dataset):
    file = part_10(header(PatientName="Berglund^Sigrid", PatientID="770312-1234"), pixels(0))
    seen = look(manager, file, "patient_characteristics").json()
    assert seen["kind"] == "CT Image Storage"
    by_name = {
        keyword: (action, before, after) for _, keyword, _, action, before, after, _ in seen["changes"]
    }
    assert by_name["PatientName"][1] == "Berglund^Sigrid"
    assert by_name["PatientName"][0] in ("emptied", "changed")
    assert "Berglund" not in by_name["PatientName"][2]
    assert by_name["PatientID"][0] == "changed"
    assert by_name["PatientAge"][0] == "kept"
    assert by_name["StudyDate"][0] in ("emptied", "removed", "changed")
    assert by_name["Modality"] == ("kept", "CT", "CT")
    assert any("Name" in sentence for sentence in seen["check"])


def test_an_option_changes_what_is_seen(manager, dataset):
    file = part_10(header(), pixels(0))

    def age(*options: str) -> str:
        return next(
            row[3] for row in look(manager, file, *options).json()["changes"] if row[1] == "PatientAge"
        )

    assert age("patient_characteristics") == "kept"
    assert age() != "kept"


def test_two_looks_draw_two_pseudonyms_so_that_nobody_can_try_names(manager, dataset):
    file = part_10(header(), pixels(0))
    seen = [look(manager, file).json()["changes"] for _ in range(2)]
    first, second = (next(row[5] for row in changes if row[1] == "PatientID") for changes in seen)
    assert first != second


def test_nothing_of_a_file_that_was_looked_at_is_kept_or_logged(manager, dataset, caplog, settings):
    caplog.set_level(logging.DEBUG)
    file = part_10(header(PatientName="Berglund^Sigrid"), pixels(0))
    answer = look(manager, file)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert not Instance.objects.exists()
    assert set(AuditRecord.objects.values_list("verb", flat=True)) <= {"account.signed_in"}
    assert "Berglund" not in caplog.text
    stored = storage().folder.rglob("*") if storage().folder.exists() else []
    assert not any(b"Berglund" in path.read_bytes() for path in stored if path.is_file())


def test_a_private_attribute_and_a_sequence_are_shown_at_their_place(manager, dataset):
    made = header()
    made.private_block(0x0019, "A MAKER", create=True).add_new(0x01, "LO", "Room of Dr Berglund")
    item = Dataset_()
    item.OperatorsName = "Ek^Nils"
    made.RequestAttributesSequence = [item]
    seen = look(manager, part_10(made, pixels(0)), "dates").json()["changes"]
    by_path = {path: (action, before) for path, _, _, action, before, *_ in seen}
    assert by_path["00191001"] == ("removed", "Room of Dr Berglund")
    below = {path: action for path, (action, _) in by_path.items() if path.startswith("00400275")}
    assert set(below.values()) <= {"removed", "emptied"}
    assert below


def test_what_would_be_refused_says_so(manager, dataset):
    document = header(SOPClassUID="1.2.840.10008.5.1.4.1.1.104.1", Modality="DOC")
    document.EncapsulatedDocument = b"%PDF-1.7 Sigrid Berglund"
    document.MIMETypeOfEncapsulatedDocument = "application/pdf"
    seen = look(manager, part_10(document)).json()
    assert seen["changes"] == []
    assert "document" in seen["refusal"].lower()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"hello", "not a DICOM file"),
        (zipped({"1.dcm": b"x"}), "Drop one DICOM file of it"),
        (part_10(header(), pixels(0))[:300], "holds none of the attributes"),
    ],
    ids=["a text", "an archive", "a file cut off"],
)
def test_what_can_not_be_shown_is_said(manager, dataset, content, sentence):
    answer = look(manager, content)
    assert answer.status_code == 400
    assert sentence in answer.json()["reason"]


def test_an_unknown_option_is_said(manager, dataset):
    answer = look(manager, part_10(header(), pixels(0)), "everything")
    assert (answer.status_code, "everything" in answer.json()["reason"]) == (400, True)


def test_strangers_get_no_look(stranger, dataset):
    assert look(stranger, part_10(header(), pixels(0))).status_code == 404


def test_a_file_that_was_de_identified_by_others_passes(manager, dataset):
    dataset_ = pydicom.dcmread(io.BytesIO(part_10(header(), pixels(0))))
    dataset_.PatientIdentityRemoved = "YES"
    buffer = io.BytesIO()
    dataset_.save_as(buffer)
    assert look(manager, buffer.getvalue()).json()["check"] == []
