"""The job that compares what readers handed in for a case: lesions, numbers, answers, rounds."""

import uuid

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from annotations.measures.agreement.lesions import Lesion
from annotations.models import (
    Annotation,
    Case,
    Comparison,
    Edit,
    Read,
    ReadingDesign,
    ReferenceStandard,
    Submission,
)
from annotations.reading.comparing import compare_case
from annotations.reading.comparison_rows import ANSWERS, NOT_ASSESSED
from annotations.reading.journal.answers import answer_id
from annotations.reading.lesions import lesions_of
from tests.annotations.reading.conftest import (
    COLUMN_MM,
    FRAME_OF_REFERENCE,
    ROW_MM,
    SLICE_MM,
    Cast,
    _series,
    edit,
    plane_value,
)

VOXEL_MM3 = ROW_MM * COLUMN_MM * SLICE_MM


@pytest.fixture(autouse=True)
def in_one_frame_of_reference(cast: Cast):
    cast.ct.frame_of_reference_uid = FRAME_OF_REFERENCE
    cast.ct.save()


def block(rows: range, columns: range) -> list[tuple[int, int]]:
    return [(row, column) for row in rows for column in columns]


def draws(cast: Cast, who: str, slices: range, voxels, *, series=None, read=None, **more) -> uuid.UUID:
    """A segment with these voxels on each of these slices, in one gesture."""
    series, annotation, group = series or cast.ct, uuid.uuid4(), uuid.uuid4()
    read = read or (cast.read if who == "anna" else cast.bens_read)
    edits = [edit(cast.segment(series=series.public_id, **more), annotation, group=group)]
    for index in slices:
        edits.append(edit(plane_value(voxels), annotation, sop=cast.sop(index, series), group=group))
    cast.apply(edits, who=who, read=read)
    return annotation


def hands_in(cast: Cast, who: str) -> Submission:
    read = cast.read if who == "anna" else cast.bens_read
    cast.submit(read, who)
    return Submission.objects.filter(read=read).latest("round")


def row(label: str = "tumour") -> Comparison:
    return Comparison.objects.get(label=label)


def test_a_submission_has_its_lesions_with_voxels_in_the_patient(cast):
    identity = draws(cast, "anna", range(2, 4), block(range(4, 6), range(10, 14)))
    [lesion] = lesions_of(hands_in(cast, "anna"))["tumour"]
    assert isinstance(lesion, Lesion)
    assert lesion.identity == str(identity)
    assert lesion.voxels.corner == (2, 4, 10)
    assert lesion.voxels.count == 16
    assert lesion.volume_mm3 == pytest.approx(16 * VOXEL_MM3)
    assert lesion.centroid_mm == pytest.approx((11.5 * COLUMN_MM, 4.5 * ROW_MM, 2.5 * SLICE_MM))
    assert lesion.space == FRAME_OF_REFERENCE


def test_a_measure_inside_a_segment_is_the_same_lesion_and_its_length_counts(cast):
    segment = draws(cast, "anna", range(1), block(range(4, 12), range(10, 20)))
    inside = [[10 * COLUMN_MM, 7 * ROW_MM, 0], [17 * COLUMN_MM, 7 * ROW_MM, 0]]
    outside = [[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]]
    for points in (inside, outside):
        cast.apply([edit(cast.length(points_patient_mm=points))])
    one, other = lesions_of(hands_in(cast, "anna"))["tumour"]
    assert one.identity == str(segment)
    assert len(one.annotations) == 2
    assert one.longest_mm == pytest.approx(7 * COLUMN_MM)
    assert other.voxels is None
    assert other.longest_mm == pytest.approx(2.0)


def test_what_was_left_as_absent_is_no_lesion(cast):
    cast.apply([edit(cast.segment(state="absent"))])
    assert lesions_of(hands_in(cast, "anna")) == {}


def test_two_readers_of_one_lesion_are_compared_in_millimetres(cast):
    draws(cast, "anna", range(2, 4), block(range(4, 8), range(10, 14)))
    draws(cast, "ben", range(2, 4), block(range(4, 8), range(11, 15)))
    first, second = hands_in(cast, "anna"), hands_in(cast, "ben")
    compare_case(cast.case.pk)
    found = row()
    assert (found.first, found.second) == (first, second)
    assert found.dice == pytest.approx(0.75)
    assert found.surface_dice == 1.0
    assert found.hd95_mm == pytest.approx(COLUMN_MM)
    assert found.first_volume_mm3 == pytest.approx(32 * VOXEL_MM3)
    assert (found.matched, found.unmatched, found.both_empty) == (1, 0, False)
    assert found.disagrees  # 0.75 is under the default of 0.80
    [lesion] = found.numbers["lesions"]
    assert lesion["dice"] == pytest.approx(0.75)
    assert lesion["first"]["volume_mm3"] == pytest.approx(lesion["second"]["volume_mm3"])
    node = row("node")
    assert (node.both_empty, node.dice, node.disagrees) == (True, None, False)


def test_a_lesion_that_one_reader_lacks_is_unmatched(cast):
    draws(cast, "anna", range(2, 4), block(range(4, 8), range(10, 14)))
    draws(cast, "ben", range(2, 4), block(range(4, 8), range(10, 14)))
    draws(cast, "ben", range(5, 6), block(range(20, 24), range(30, 34)))
    hands_in(cast, "anna"), hands_in(cast, "ben")
    compare_case(cast.case.pk)
    found = row()
    assert (found.matched, found.unmatched) == (1, 1)
    assert found.dice == pytest.approx(2 * 32 / (32 + 48))
    assert found.numbers["f1"] == pytest.approx(2 / 3)
    assert [bool(one["first"]) for one in found.numbers["lesions"]] == [True, False]
    assert found.disagrees


def test_whether_a_missing_lesion_disagrees_is_the_projects_rule(cast):
    ReadingDesign.objects.create(project=cast.project, unmatched_lesion=False)
    draws(cast, "ben", range(5, 6), block(range(20, 24), range(30, 34)))
    hands_in(cast, "anna"), hands_in(cast, "ben")
    compare_case(cast.case.pk)
    found = row()
    assert (found.dice, found.hd95_mm, found.unmatched) == (0.0, None, 1)
    assert found.numbers["hd95_missing"] == 1
    assert not found.disagrees


def test_readers_who_chose_different_series_of_one_place_are_compared_in_the_patient(cast):
    thick = _series(cast.ct.study, 4, "CT", in_patient=True)
    thick.frame_of_reference_uid = FRAME_OF_REFERENCE
    thick.save()
    draws(cast, "anna", range(2, 4), block(range(4, 8), range(10, 14)))
    draws(cast, "ben", range(2, 4), block(range(4, 8), range(10, 14)), series=thick)
    hands_in(cast, "anna"), hands_in(cast, "ben")
    compare_case(cast.case.pk)
    assert row().dice == 1.0
    assert row().numbers["series_differ"] is True


def test_series_without_a_common_place_are_not_compared_and_say_why(cast):
    other = _series(cast.ct.study, 4, "MR", in_patient=True)
    other.frame_of_reference_uid = "1.2.826.0.1.77"
    other.save()
    draws(cast, "anna", range(2, 4), block(range(4, 8), range(10, 14)))
    draws(cast, "ben", range(2, 4), block(range(4, 8), range(10, 14)), series=other)
    hands_in(cast, "anna"), hands_in(cast, "ben")
    compare_case(cast.case.pk)
    found = row()
    assert (found.dice, found.matched, found.unmatched) == (None, 0, 0)
    assert "frame of reference" in found.numbers["not_compared"]
    assert found.disagrees


def test_marks_on_images_without_position_are_compared_by_voxel_only(cast):
    draws(cast, "anna", range(1), block(range(4, 8), range(10, 14)), series=cast.us)
    draws(cast, "ben", range(1), block(range(4, 8), range(11, 15)), series=cast.us)
    hands_in(cast, "anna"), hands_in(cast, "ben")
    compare_case(cast.case.pk)
    found = row()
    assert found.dice == pytest.approx(0.75)
    assert (found.surface_dice, found.hd95_mm, found.first_volume_mm3) == (None, None, None)
    assert found.matched == 1


def test_what_was_not_assessed_is_no_agreement(cast):
    about = {"answer": "state", "of": "label", "id": "tumour", "value": "not_assessed"}
    cast.apply([edit(about, answer_id(answer="state", of="label", about="tumour"))])
    hands_in(cast, "anna"), hands_in(cast, "ben")
    compare_case(cast.case.pk)
    found = row()
    assert (found.both_empty, found.dice) == (False, None)
    assert found.numbers["not_compared"] == NOT_ASSESSED


def test_answers_about_the_case_are_kept_beside_the_labels(cast):
    cast.schema.questions = [
        {
            "key": "quality",
            "text": "Quality",
            "of": "case",
            "only": [],
            "type": "choice",
            "options": [{"key": f"q{n}", "name": f"Grade {n}", "code": None} for n in range(3)],
            "unit": "",
            "least": None,
            "most": None,
            "required": False,
            "when": None,
        }
    ]
    cast.schema.save()
    for who, read, said in (("anna", cast.read, "q0"), ("ben", cast.bens_read, "q2")):
        value = {"answer": "quality", "of": "case", "id": "", "value": said}
        identity = answer_id(answer="quality", of="case", about="")
        cast.apply([edit(value, identity)], who=who, read=read)
    draws(cast, "anna", range(1), block(range(4, 8), range(10, 14)))
    hands_in(cast, "anna"), hands_in(cast, "ben")
    compare_case(cast.case.pk)
    found = row(ANSWERS)
    quality = next(one for one in found.numbers["answers"] if one["question"] == "quality")
    assert (quality["first"], quality["second"], quality["level"]) == ("q0", "q2", "ordinal")
    presence = next(one for one in found.numbers["answers"] if one["question"] == "presence:tumour")
    assert (presence["first"], presence["second"]) == ("present", None)
    assert found.disagrees


def test_many_lesions_cost_no_more_queries_than_one(cast):
    def queries(lesions: int) -> int:
        for at in range(lesions):
            for who in ("anna", "ben"):
                draws(cast, who, range(1), block(range(3 * at, 3 * at + 2), range(10, 14)))
        hands_in(cast, "anna"), hands_in(cast, "ben")
        with CaptureQueriesContext(connection) as captured:
            compare_case(cast.case.pk)
        assert row().matched == lesions
        Comparison.objects.all().delete()
        Case.objects.update(compared_at=None)
        ReferenceStandard.objects.all().delete()
        Read.objects.update(state=Read.State.IN_PROGRESS, round=F("round") + 1)
        Annotation.objects.all().update(value=None)
        return len(captured)

    one = queries(1)
    Edit.objects.all().update(value=None, runs=None)
    assert queries(6) <= one


def test_comparing_twice_changes_nothing_and_costs_few_queries(cast, django_assert_max_num_queries):
    draws(cast, "anna", range(2, 4), block(range(4, 8), range(10, 14)))
    hands_in(cast, "anna"), hands_in(cast, "ben")
    compare_case(cast.case.pk)
    before = list(Comparison.objects.order_by("pk").values())
    compared_at = Case.objects.get(pk=cast.case.pk).compared_at
    with django_assert_max_num_queries(40):
        compare_case(cast.case.pk)
    assert list(Comparison.objects.order_by("pk").values()) == before
    assert Case.objects.get(pk=cast.case.pk).compared_at == compared_at


def test_a_changed_rule_judges_what_was_compared_anew(cast):
    draws(cast, "anna", range(2, 4), block(range(4, 8), range(10, 14)))
    draws(cast, "ben", range(2, 4), block(range(4, 8), range(11, 15)))
    hands_in(cast, "anna"), hands_in(cast, "ben")
    compare_case(cast.case.pk)
    assert row().disagrees
    ReadingDesign.objects.create(project=cast.project, dice_below=0.7)
    compare_case(cast.case.pk)
    assert not row().disagrees
    ReadingDesign.objects.update(diameter_apart_mm=0.1, dice_below=None)
    compare_case(cast.case.pk)
    assert not row().disagrees  # as long as each other


def test_a_new_round_takes_the_place_of_the_old_one(cast):
    draws(cast, "anna", range(2, 4), block(range(4, 8), range(10, 14)))
    draws(cast, "ben", range(2, 4), block(range(4, 8), range(10, 14)))
    hands_in(cast, "anna"), hands_in(cast, "ben")
    compare_case(cast.case.pk)
    assert row().dice == 1.0
    Read.objects.filter(pk=cast.read.pk).update(state=Read.State.RETURNED, round=2)
    draws(cast, "anna", range(5, 6), block(range(20, 24), range(30, 34)))
    again = hands_in(cast, "anna")
    compare_case(cast.case.pk)
    assert again in (row().first, row().second)
    assert row().unmatched == 1


def test_a_read_that_was_set_aside_counts_for_nothing(cast):
    hands_in(cast, "anna"), hands_in(cast, "ben")
    compare_case(cast.case.pk)
    assert Comparison.objects.exists()
    Read.objects.filter(pk=cast.read.pk).update(state=Read.State.SET_ASIDE)
    compare_case(cast.case.pk)
    assert not Comparison.objects.exists()


def test_every_reader_is_compared_with_the_reference_standard(cast):
    read = Read.objects.create(
        case=cast.case, reader=cast.lead, schema=cast.schema, kind=Read.Kind.ADJUDICATION
    )
    draws(cast, "lead", range(2, 4), block(range(4, 8), range(10, 14)), read=read)
    read.refresh_from_db()
    truth = Submission.objects.create(read=read, round=1, edit_number=read.last_edit_number, by=cast.lead)
    ReferenceStandard.objects.create(case=cast.case, submission=truth, how="adjudicated")
    draws(cast, "anna", range(2, 4), block(range(4, 8), range(10, 14)))
    hands_in(cast, "anna"), hands_in(cast, "ben")
    compare_case(cast.case.pk)
    against = Comparison.objects.filter(label="tumour", first=truth)
    assert {(one.second.read.reader, one.dice) for one in against} == {(cast.anna, 1.0), (cast.ben, 0.0)}
    assert Comparison.objects.filter(label="tumour").count() == 3
