"""POST /reads/<id>/edits/: nothing drawn is lost, taken twice, or taken where it makes no sense."""

import uuid

import pytest

from annotations.models import Annotation, Edit, MaskPlane, ParkedEdit, Read

from .conftest import COLUMNS, ROWS, edit, plane_value


def test_the_first_edit_starts_the_reading(cast):
    cast.apply([edit(cast.length())])
    cast.read.refresh_from_db()
    assert cast.read.state == Read.State.IN_PROGRESS
    assert cast.read.opened_at is not None


def test_edits_are_numbered_in_order_and_objects_count_versions(cast):
    mark = uuid.uuid4()
    results = cast.apply([edit(cast.length(), mark), edit(cast.length(), mark, seen=1), edit(cast.length())])
    assert [(r["number"], r["version"]) for r in results] == [(1, 1), (2, 2), (3, 1)]


def test_sending_the_same_edits_again_changes_nothing_and_tells_the_same(cast):
    edits = [edit(cast.length()), edit(cast.length())]
    first = cast.apply(edits)
    again = cast.send(edits).json()
    assert [r["status"] for r in again["results"]] == ["duplicate"] * 2
    assert [(r["number"], r["version"]) for r in again["results"]] == [
        (r["number"], r["version"]) for r in first
    ]
    assert again["number"] == 2
    assert Edit.objects.filter(read=cast.read).count() == 2


def test_the_same_edit_twice_in_one_batch_is_taken_once(cast):
    one = edit(cast.length())
    results = cast.send([one, one]).json()["results"]
    assert [r["status"] for r in results] == ["applied", "duplicate"]


def test_a_stale_edit_is_kept_aside_and_answered_with_the_present_value(cast):
    mark = uuid.uuid4()
    newer = cast.length(end=(20.0, 0.0, 0.0))
    cast.apply([edit(cast.length(), mark), edit(newer, mark, seen=1)])
    stale = edit(cast.length(end=(30.0, 0.0, 0.0)), mark, seen=1)
    [result] = cast.send([stale]).json()["results"]
    assert (result["status"], result["version"], result["current"]) == ("conflict", 2, newer)
    assert ParkedEdit.objects.get(read=cast.read).body == stale
    assert cast.get("state/").json()["annotations"][0]["value"] == newer


def test_a_stale_mask_slice_is_answered_with_the_present_voxels(cast):
    segment, sop = uuid.uuid4(), cast.sop(2)
    present = plane_value([(1, 1)])
    cast.apply([edit(cast.segment(), segment), edit(present, segment, sop=sop)])
    [result] = cast.send([edit(plane_value([(2, 2)]), segment, sop=sop)]).json()["results"]
    assert result["status"] == "conflict"
    assert result["current"] == present


def test_a_conflict_on_one_object_lets_the_others_of_its_batch_through(cast):
    mark = uuid.uuid4()
    cast.apply([edit(cast.length(), mark)])
    results = cast.send([edit(cast.length(), mark), edit(cast.length())]).json()["results"]
    assert [r["status"] for r in results] == ["conflict", "applied"]


def test_a_conflicting_edit_sent_twice_is_kept_aside_once(cast):
    mark = uuid.uuid4()
    cast.apply([edit(cast.length(), mark)])
    stale = edit(cast.length(), mark)
    for _ in range(2):
        assert cast.send([stale]).json()["results"][0]["status"] == "conflict"
    assert ParkedEdit.objects.filter(read=cast.read).count() == 1


def test_edits_after_submission_are_kept_aside_with_a_reason_and_can_be_read(cast):
    cast.apply([edit(cast.length())])
    cast.submit()
    late = edit(cast.length())
    answer = cast.send([late]).json()
    assert answer["results"][0]["status"] == "parked"
    assert "submitted" in answer["results"][0]["reason"]
    assert answer["number"] == 1
    kept = cast.get("parked/").json()["results"]
    assert [one["edit"] for one in kept] == [late]


def test_a_retry_of_an_edit_that_made_it_before_submission_is_a_duplicate_not_parked(cast):
    edits = [edit(cast.length())]
    cast.apply(edits)
    cast.submit()
    assert cast.send(edits).json()["results"][0]["status"] == "duplicate"
    assert not ParkedEdit.objects.filter(read=cast.read).exists()


def test_a_deleted_mark_keeps_its_version_so_it_can_come_back(cast):
    mark = uuid.uuid4()
    value = cast.length()
    cast.apply([edit(value, mark), edit(None, mark, seen=1)])
    assert cast.get("state/").json()["annotations"] == []
    cast.apply([edit(value, mark, seen=2)])
    assert cast.get("state/").json()["annotations"] == [{"id": str(mark), "version": 3, "value": value}]


def test_an_undone_deletion_may_bring_back_slices_before_their_segment(cast):
    segment, sop, voxels = uuid.uuid4(), cast.sop(1), plane_value([(3, 4)])
    cast.apply([edit(cast.segment(), segment), edit(voxels, segment, sop=sop)])
    cast.apply([edit(None, segment, sop=sop, seen=1), edit(None, segment, seen=1)])
    cast.apply([edit(voxels, segment, sop=sop, seen=2), edit(cast.segment(), segment, seen=2)])
    [plane] = cast.get("state/").json()["planes"]
    assert (plane["rle"], plane["version"]) == (voxels["rle"], 3)


def test_segments_may_overlap(cast):
    sop = cast.sop(0)
    for _ in range(2):
        segment = uuid.uuid4()
        cast.apply([edit(cast.segment(), segment), edit(plane_value([(5, 5)]), segment, sop=sop)])
    assert len(cast.get("state/").json()["planes"]) == 2


def test_a_slice_without_a_voxel_is_no_slice(cast):
    segment = uuid.uuid4()
    cast.apply([edit(cast.segment(), segment), edit(plane_value(), segment, sop=cast.sop())])
    assert cast.get("state/").json()["planes"] == []


def test_an_empty_segment_that_says_absent_is_kept(cast):
    cast.apply([edit(cast.segment(state="absent"))])
    assert cast.get("state/").json()["annotations"][0]["value"]["state"] == "absent"


def _wrong(cast):
    segment, here = str(uuid.uuid4()), cast.sop()
    us = {"series": cast.us.public_id, "sop": cast.sop(0, cast.us)}
    image_points = {"points_patient_mm": None, "points_image": [[1.5, 1.5], [2.5, 2.5]]}
    yield "no 'wat'", edit(cast.length(label="wat"))
    yield "not for marks of kind length, only segment", edit(cast.length(label="mask"))
    yield "is one of segment", edit(cast.length(kind="spear"))
    yield "state is one of", edit(cast.length(state="maybe"))
    yield "series of this mark is not in the case", edit(cast.segment(series=cast.other_series.public_id))
    yield "no such image", edit(cast.length(sop="1.2.3"))
    yield "no such image", edit(cast.length(sop=cast.sop(0, cast.other_series)))
    yield "no frame 2", edit(cast.length(frame=2))
    yield "another series", edit(cast.length(sop=us["sop"]))
    yield "has 2 points", edit(cast.length(points_patient_mm=[[0, 0, 0]]))
    yield "has 3 to 10000", edit(cast.length(kind="polygon"))
    yield "3 numbers", edit(cast.length(end=(1.0, 2.0)))
    yield "beyond", edit(cast.length(end=(1e7, 0.0, 0.0)))
    yield "3 numbers", edit(cast.length(end=(True, 0.0, 0.0)))
    yield "either points", edit(cast.length(points_image=[[1, 1], [2, 2]]))
    yield "in millimetres there", edit(cast.length(**image_points))
    yield "as column and row", edit(cast.length(**us))
    yield "no place for secret", edit(cast.length(secret="name"))
    yield "no place for sop", edit(cast.segment(sop=here))
    yield "at most 4000", edit(cast.segment(note="x" * 4001))
    yield "origin", edit(cast.segment(origin={"from": "moon"}))
    yield "imported segment", edit(cast.segment(origin={"from": "imported", "imported": "000000000000"}))
    yield "isn't in this read", edit(plane_value([(0, 0)]), sop=here)
    yield "no such mark", edit(None)
    yield "UUID", edit(cast.segment(), group="x")
    yield "`at`", edit(cast.segment(), at="yesterday")
    yield "`seen`", edit(cast.segment(), segment, seen=-1)
    yield "`seen`", edit(cast.segment(), segment, seen="0")
    yield "`frame`", edit(plane_value([(0, 0)]), segment, sop=here, frame=0)
    yield "doesn't name", edit(cast.segment(), object=None)
    yield "is an object", edit([1])
    yield "characters", edit(cast.segment(note="a\0b"))


def test_what_makes_no_sense_is_refused_with_a_reason_and_kept_where_it_can_be(cast):
    cast.schema.labels = [*cast.schema.labels, {"key": "mask", "name": "Mask", "kinds": ["segment"]}]
    cast.schema.save()
    for reason, wrong in _wrong(cast):
        [result] = cast.send([wrong]).json()["results"]
        assert (result["status"], reason in result["reason"]) == ("refused", True), (reason, result)
        assert ParkedEdit.objects.filter(edit_id=wrong["id"]).exists() == (reason != "characters")
    assert not Edit.objects.filter(read=cast.read).exists()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (plane_value([(0, 0)], rows=COLUMNS, columns=ROWS), "its image"),
        ({**plane_value([(0, 0)]), "rle": "AAAA"}, "cover 0 pixels"),
        ({**plane_value([(0, 0)]), "rle": "no base64!"}, "base64"),
        ({**plane_value([(0, 0)]), "rows": 10**9}, "`rows`"),
        ({"rows": ROWS, "columns": COLUMNS}, "base64"),
    ],
)
def test_a_slice_that_does_not_fit_its_image_is_refused(cast, value, reason):
    segment = uuid.uuid4()
    cast.apply([edit(cast.segment(), segment)])
    [result] = cast.send([edit(value, segment, sop=cast.sop())]).json()["results"]
    assert (result["status"], reason in result["reason"]) == ("refused", True), result
    assert not MaskPlane.objects.exists()


def test_a_slice_of_a_mark_that_is_no_segment_is_refused(cast):
    mark = uuid.uuid4()
    cast.apply([edit(cast.length(), mark)])
    [result] = cast.send([edit(plane_value([(0, 0)]), mark, sop=cast.sop())]).json()["results"]
    assert "Only a segment" in result["reason"]


def test_a_mark_keeps_its_kind_and_series(cast):
    mark = uuid.uuid4()
    cast.apply([edit(cast.segment(), mark)])
    [result] = cast.send([edit(cast.segment(series=cast.us.public_id), mark, seen=1)]).json()["results"]
    assert "keeps its kind and its series" in result["reason"]


def test_marks_on_images_without_position_are_kept_as_column_and_row(cast):
    value = cast.length(
        series=cast.us.public_id, sop=cast.sop(0, cast.us), points_image=[[1.5, 1.5], [9.5, 1.5]]
    )
    del value["points_patient_mm"]
    cast.apply([edit(value)])
    assert Annotation.objects.get(read=cast.read).value == value


@pytest.mark.parametrize(
    "body", [[], {}, {"edits": 3}, {"edits": [{}]}, {"edits": [{"id": "x"}]}, {"edits": ["x"]}]
)
def test_a_batch_whose_edits_cannot_even_be_answered_is_an_error_in_words(cast, body):
    response = cast.post("edits/", body)
    assert response.status_code == 400
    assert response.json()["fields"]["edits"]


def test_too_many_edits_at_once_are_sent_back_whole(cast):
    response = cast.send([edit(cast.length()) for _ in range(1001)])
    assert response.status_code == 400
    assert "At most 1000" in response.content.decode()


def test_infinities_and_halves_of_characters_do_no_harm(cast):
    segment = edit(cast.segment())
    raw = {
        "1e999": '{"edits":[{"id":"%s","seen":1e999}]}',
        "surrogate": '{"edits":[{"id":"%s","value":{"note":"\\ud800"}}]}',
    }
    for text in raw.values():
        response = cast.client("anna").post(
            f"/api/v1/reads/{cast.read.public_id}/edits/",
            text % segment["id"],
            content_type="application/json",
        )
        assert response.json()["results"][0]["status"] == "refused"


def test_a_stroke_costs_few_queries(cast, django_assert_max_num_queries):
    segment, sop = uuid.uuid4(), cast.sop()
    cast.apply([edit(cast.segment(), segment), edit(plane_value([(0, 0)]), segment, sop=sop)])
    with django_assert_max_num_queries(14):  # with session, user, savepoint, and once an hour the audit trail
        cast.apply([edit(plane_value([(0, 1)]), segment, sop=sop, seen=1)])


def test_a_gesture_over_many_slices_costs_no_more_queries_than_one_over_one(
    cast, django_assert_max_num_queries
):
    segment = uuid.uuid4()
    cast.apply([edit(cast.segment(), segment)])
    group = uuid.uuid4()
    planes = [edit(plane_value([(1, i)]), segment, sop=cast.sop(i), group=group) for i in range(6)]
    marks = [edit(cast.length(sop=cast.sop(i % 6)), group=group) for i in range(300)]
    with django_assert_max_num_queries(15):
        cast.apply([*planes, *marks])
