"""Whether a case has a reference standard, or waits for somebody to judge."""

import pytest

from annotations.models import Case, ReadingDesign, ReferenceStandard
from annotations.reading.adjudication.deciding import decide
from annotations.reading.adjudication.rule import in_words
from annotations.reading.adjudication.words import sentence, sentences
from tests.annotations.reading.adjudication.conftest import box

SQUARE = {2: box(4, 4, 10, 10), 3: box(4, 4, 10, 10)}


def test_a_case_waits_until_all_its_readers_are_accepted(reading):
    for name in reading.reads:
        reading.draw(name, SQUARE)
    reading.hand_in("anna", "ben")
    assert not ReferenceStandard.objects.filter(case=reading.decided()).exists()
    reading.cast.submit(reading.reads["cara"], who="cara")
    assert reading.decided().compared_at is None  # handed in, but under review
    reading.cast.post(
        "review/", {"verdict": "accept", "round": 1}, who="reviewer", read=reading.reads["cara"]
    )
    assert reading.decided().compared_at is not None
    assert ReferenceStandard.objects.get(case=reading.case).how == "agreed"


def test_where_readers_agree_the_read_closest_to_the_others_is_the_reference(reading):
    reading.draw("anna", {2: box(4, 4, 10, 10)})
    reading.draw("ben", {2: box(4, 4, 10, 11)})  # between the two others
    reading.draw("cara", {2: box(4, 4, 10, 12)})
    reading.hand_in()
    case = reading.decided()
    assert not case.needs_adjudication
    assert case.disagreements == []
    assert case.reference.submission.read == reading.reads["ben"]


def test_deciding_twice_changes_nothing(reading):
    for name in reading.reads:
        reading.draw(name, SQUARE)
    reading.hand_in()
    reading.decided()
    first = ReferenceStandard.objects.get()
    reading.decided()
    again = ReferenceStandard.objects.get()
    assert (again.pk, again.submission_id, again.since) == (first.pk, first.submission_id, first.since)


def test_masks_that_overlap_too_little_need_a_person_and_the_case_says_why(disputed):
    case = disputed.case
    assert case.needs_adjudication
    assert not ReferenceStandard.objects.filter(case=case).exists()
    (sentence,) = sentences(case.disagreements)
    assert sentence.startswith("Tumour: marked by 3 of 3 readers, Dice from 0.5")


@pytest.mark.parametrize(
    ("rule", "needs"),
    [({}, True), ({"unmatched_lesion": False}, False), ({"adjudication": "never"}, False)],
)
def test_a_lesion_that_a_reader_lacks_disagrees_if_the_rule_says_so(reading, rule, needs):
    ReadingDesign.objects.filter(pk=reading.design.pk).update(**rule)
    reading.draw("anna", SQUARE)
    reading.draw("ben", SQUARE)
    reading.hand_in()
    assert reading.decided().needs_adjudication is needs


@pytest.mark.parametrize(("limit", "needs"), [(None, False), (0.9, True), (1.7, False)])
def test_diameters_apart_disagree_past_the_limit(reading, limit, needs):
    ReadingDesign.objects.filter(pk=reading.design.pk).update(dice_below=None, diameter_apart_mm=limit)
    for name, end in (("anna", 10.0), ("ben", 11.0), ("cara", 11.5)):
        reading.measure(name, end=(end, 0.0, 0.0))
    reading.hand_in()
    case = reading.decided()
    assert case.needs_adjudication is needs
    if needs:
        assert "diameters up to 1.5 mm apart" in sentence(case.disagreements[0])


def test_different_answers_about_a_mark_or_the_case_disagree(reading):
    for name, malignancy, quality in (("anna", 4, 7), ("ben", 4, 7), ("cara", 2, 7)):
        reading.answer(name, "malignancy", malignancy, about=reading.draw(name, SQUARE))
        reading.answer(name, "quality", quality, of="case")
    reading.hand_in()
    assert sentences(reading.decided().disagreements) == [
        "Tumour: marked by 3 of 3 readers, Dice from 1.00, different answers."
    ]
    ReadingDesign.objects.filter(pk=reading.design.pk).update(category_differs=False)
    assert not reading.decided().needs_adjudication


def test_an_answer_about_the_case_that_differs_is_a_disagreement_of_its_own(reading):
    for name, quality in (("anna", 7), ("ben", 3), ("cara", None)):
        if quality is not None:
            reading.answer(name, "quality", quality, of="case")
    reading.hand_in()
    assert sentences(reading.decided().disagreements) == ["“Image quality” is answered differently."]


def test_one_thing_under_two_labels_is_one_lesion(reading):
    reading.cast.schema.labels = [
        *reading.cast.schema.labels,
        reading.cast.schema.labels[0] | {"key": "cyst", "name": "Cyst"},
    ]
    reading.cast.schema.save()
    reading.draw("anna", SQUARE)
    reading.draw("ben", SQUARE)
    reading.draw("cara", SQUARE, label="cyst")
    reading.hand_in()
    assert sentences(reading.decided().disagreements) == [
        "Tumour: marked by 3 of 3 readers, Dice from 1.00, different labels."
    ]


def test_one_reader_is_enough_where_one_is_wanted(reading):
    ReadingDesign.objects.filter(pk=reading.design.pk).update(readers_per_case=1, adjudication="always")
    for name in ("ben", "cara"):
        reading.reads[name].delete()
    reading.draw("anna", SQUARE)
    reading.hand_in("anna")
    assert reading.decided().reference.how == "accepted"


def test_readers_who_agree_are_judged_all_the_same_where_the_design_says_always(reading):
    ReadingDesign.objects.filter(pk=reading.design.pk).update(adjudication="always")
    for name in reading.reads:
        reading.draw(name, SQUARE)
    reading.hand_in()
    case = reading.decided()
    assert (case.needs_adjudication, case.disagreements) == (True, [])


def test_all_who_found_nothing_agree(reading):
    reading.hand_in()
    assert reading.decided().reference.how == "agreed"


def test_hidden_references_are_never_decided(reading):
    Case.objects.filter(pk=reading.case.pk).update(purpose=Case.Purpose.HIDDEN_REFERENCE)
    reading.draw("anna", SQUARE)
    reading.hand_in()
    decide(reading.case)
    assert not reading.case.needs_adjudication


def test_the_rule_is_told_in_words(reading):
    design = reading.design
    assert in_words(design) == (
        "A case is adjudicated where Dice is under 0.80, a reader lacks a lesion or answers differ."
    )
    design.diameter_apart_mm, design.unmatched_lesion = 2.5, False
    assert "longest diameters are more than 2.5 mm apart" in in_words(design)
    design.adjudication = "never"
    assert in_words(design) == "Nothing is adjudicated."
