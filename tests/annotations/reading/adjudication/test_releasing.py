"""What of disputed and adjudicated cases a release holds."""

from annotations.cohort.policies import acceptable_submissions
from annotations.cohort.summary import preview
from annotations.models import Case, ReadingDesign
from annotations.reading.adjudication.telling import decisions_of
from tests.annotations.reading.adjudication.conftest import box


def held(reading):
    return [submission.read for submission in acceptable_submissions(reading.cast.project)]


def test_a_case_that_waits_for_adjudication_is_left_out_and_said_to_be(disputed):
    assert held(disputed) == []
    assert ("wait for adjudication", 1) in preview(disputed.cast.project, disputed.cast.lead).left_out


def test_an_adjudicated_case_is_held_once_by_its_reference_standard(disputed):
    adjudication = disputed.adjudication()
    ben = disputed.reads["ben"].public_id
    disputed.settle(adjudication, choice={"take": "read", "read": ben}, reason="He saw the rim.")
    disputed.cast.submit(adjudication, who="reviewer")
    assert held(disputed) == [adjudication]
    told = decisions_of(adjudication, identify=lambda public_id: f"reader-{public_id}")
    (lesion,) = told["lesions"]
    taken = lesion["choice"]["reader"]
    assert told["readers"][taken] == f"reader-{disputed.cast.ben.public_id}"
    assert (lesion["choice"]["take"], lesion["reason"]) == ("read", "He saw the rim.")
    assert lesion["marked_by"] == ["A", "B", "C"]


def test_of_readers_who_agree_one_read_is_held_and_all_where_nobody_decides(reading):
    for name in reading.reads:
        reading.draw(name, {2: box(4, 4, 10, 10)})
    reading.hand_in()
    reading.decided()
    assert held(reading) == [reading.case.reference.submission.read]
    ReadingDesign.objects.filter(pk=reading.design.pk).update(adjudication="never")
    reading.decided()
    assert set(held(reading)) == set(reading.reads.values())


def test_reads_of_hidden_references_are_no_labels(reading):
    Case.objects.filter(pk=reading.case.pk).update(purpose=Case.Purpose.HIDDEN_REFERENCE)
    reading.draw("anna", {2: box(4, 4, 10, 10)})
    reading.hand_in("anna")
    assert held(reading) == []
