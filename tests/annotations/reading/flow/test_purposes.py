"""Hidden references and training cases: who sets them, who learns of them, and what training teaches."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404

from annotations.models import Case, Read, ReferenceStandard, Submission
from annotations.reading import journal
from annotations.reading.comparing import compare_case
from annotations.reading.purposes import HAS_A_READ, NO_TRUTH, READS_IT, count_by_purpose, set_purpose
from tests.annotations.reading.conftest import FRAME_OF_REFERENCE, edit, plane_value

Purpose = Case.Purpose


def sets(cast, purpose, by="lead"):
    found = set_purpose(by=getattr(cast, by), project=cast.project, cases=[cast.case], purpose=purpose)
    cast.case.refresh_from_db()
    return [why for _, why in found]


def test_what_came_with_the_images_becomes_the_reference_standard(cast, came_with_the_images):
    assert sets(cast, Purpose.HIDDEN_REFERENCE) == []
    assert cast.case.purpose == Purpose.HIDDEN_REFERENCE
    reference = ReferenceStandard.objects.get(case=cast.case)
    read = reference.submission.read
    assert (read.kind, read.state, read.reader) == ("adjudication", "accepted", cast.lead)
    state = journal.state_at(read, reference.submission.edit_number)
    assert [mark.value["label"] for mark in state.annotations] == ["tumour"]
    assert {plane.sop_instance_uid for plane in state.planes} == {cast.sop(1), cast.sop(2)}
    assert sets(cast, Purpose.TRAINING) == []
    assert Read.objects.filter(kind="adjudication").count() == 1


def test_a_case_without_a_truth_tests_nobody(cast):
    assert sets(cast, Purpose.HIDDEN_REFERENCE) == [NO_TRUTH]
    assert cast.case.purpose == Purpose.ORDINARY
    assert not Read.objects.filter(kind="adjudication").exists()


def test_nothing_half_taken_over_stays(cast, came_with_the_images):
    came_with_the_images.planes.update(rows=1)
    [why] = sets(cast, Purpose.TRAINING)
    assert why.startswith("What came with its images can't be taken over")
    assert not Read.objects.filter(kind="adjudication").exists()


def test_a_lead_sets_nothing_on_a_case_that_they_read(cast, came_with_the_images):
    own = Read.objects.create(case=cast.case, reader=cast.lead, schema=cast.schema)
    assert sets(cast, Purpose.TRAINING) == [READS_IT]
    Read.objects.filter(pk=own.pk).update(state="accepted")
    assert sets(cast, Purpose.TRAINING) == [HAS_A_READ]


@pytest.mark.parametrize(
    ("who", "refusal"), [("reviewer", PermissionDenied), ("anna", PermissionDenied), ("outsider", Http404)]
)
def test_nobody_else_sets_it(cast, who, refusal, came_with_the_images):
    with pytest.raises(refusal):
        sets(cast, Purpose.TRAINING, by=who)


def test_a_purpose_that_is_none_is_refused(cast):
    with pytest.raises(ValidationError):
        sets(cast, "decoration")


def test_a_lead_counts_what_they_do_not_read_themselves(cast, came_with_the_images):
    sets(cast, Purpose.TRAINING)
    assert count_by_purpose(cast.lead, cast.project) == {"training": 1}
    Read.objects.filter(reader=cast.ben).update(reader=cast.outsider)
    assert count_by_purpose(cast.outsider, cast.project) == {}


def test_the_page_of_the_case_sets_it(cast, came_with_the_images):
    url = f"/projects/{cast.project.slug}/cases/314/"
    assert "What it is for" in cast.client("lead").get(url).content.decode()
    assert "What it is for" not in cast.client("reviewer").get(url).content.decode()
    assert cast.client("lead").post(f"{url}purpose/", {"purpose": "training"}).status_code == 302
    cast.case.refresh_from_db()
    assert cast.case.purpose == Purpose.TRAINING


# Training -----------------------------------------------------------------------------------------


@pytest.fixture
def training(cast, came_with_the_images):
    cast.ct.frame_of_reference_uid = FRAME_OF_REFERENCE
    cast.ct.save()
    sets(cast, Purpose.TRAINING)
    mark = edit(cast.segment())
    inside = [(row, column) for row in range(3, 9) for column in range(4, 8)]  # half of the truth
    planes = [
        edit(plane_value(inside), mark["object"]["annotation"], sop=cast.sop(index)) for index in (1, 2)
    ]
    cast.apply([mark, *planes])


def test_once_handed_in_the_reader_sees_how_they_compare(cast, training):
    assert cast.get("").json()["is_training"] is True
    assert cast.get("feedback/").status_code == 404
    assert cast.submit()["state"] == "accepted"
    assert cast.get("feedback/").json()["ready"] is False
    compare_case(cast.case.pk)
    told = cast.get("feedback/").json()
    tumour = next(label for label in told["labels"] if label["label"] == "tumour")
    assert tumour["dice"] == pytest.approx(2 * 48 / (48 + 96))
    assert tumour["reference_volume_mm3"] == pytest.approx(2 * tumour["your_volume_mm3"])
    assert len(told["reference"]["planes"]) == 2


def test_who_has_not_handed_in_sees_nothing_of_it(cast, training):
    cast.submit()
    assert cast.get("feedback/", who="ben", read=cast.bens_read).status_code == 404
    assert cast.get("feedback/", who="ben").status_code == 404
    assert cast.get("feedback/", who="lead").status_code == 404


def test_a_hidden_reference_answers_as_an_ordinary_case(cast, training):
    cast.submit()
    for purpose in (Purpose.ORDINARY, Purpose.HIDDEN_REFERENCE):
        Case.objects.filter(pk=cast.case.pk).update(purpose=purpose)
        answer = cast.get("feedback/")
        assert (answer.status_code, cast.get("").json()["is_training"]) == (404, False)
    assert "nothing to compare" in answer.json()["reason"]


def test_training_changes_nothing_about_the_reference(cast, training):
    before = ReferenceStandard.objects.get(case=cast.case).submission
    cast.submit()
    compare_case(cast.case.pk)
    assert ReferenceStandard.objects.get(case=cast.case).submission == before
    assert Submission.objects.filter(read=cast.read).count() == 1
