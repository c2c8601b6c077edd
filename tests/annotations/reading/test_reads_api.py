"""What the reading room gets: the contract's JSON, in a fixed number of queries."""

import base64
import gzip
import json
import uuid

import numpy as np
import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator

from annotations.api import journal_shapes, shapes
from annotations.api_urls import urlpatterns
from annotations.measures import masks
from annotations.models import (
    DerivedObject,
    ImportedMark,
    ImportedMeasurement,
    ImportedPlane,
    ImportedSegment,
    Read,
)

from .conftest import COLUMN_MM, COLUMNS, ROW_MM, ROWS, SLICE_MM, edit, plane_value


def keys_of(shape) -> set[str]:
    return set(shape().fields)


def test_the_read_is_what_the_contract_says(cast):
    read = cast.get("").json()
    assert set(read) == keys_of(shapes.ReadShape)
    assert read["you"] == {
        "id": cast.anna.public_id,
        "name": "Anna Of Cast",
        "initials": "AC",
        "capacity": "reader",
        "may_edit": True,
        "may_submit": True,
        "may_judge": False,
    }
    assert read["reader"] == {"name": "Anna Of Cast", "initials": "AC"}
    assert read["case"] == {"number": 314, "title": "Lung"}
    assert read["subject"] == {"pseudonym": cast.case.subject.pseudonym, "sex": "F", "age_years": 61}
    assert [label["key"] for label in read["schema"]["labels"]] == ["tumour", "node"]
    assert [(study["date"], study["days_from_first"]) for study in read["studies"]] == [
        ("2024-01-10", 0),
        ("2024-02-10", 31),
    ]
    [series] = read["studies"][0]["series"]
    assert set(series) == keys_of(shapes.SeriesOfReadShape)
    assert series["manifest"] == f"/api/v1/series/{cast.ct.public_id}/manifest/"
    assert series["thumbnail"] == f"/thumbnails/{cast.ct.public_id}/1"
    assert (read["imported"], read["comments"], read["next"]) == ([], [], None)


def test_objects_about_images_are_not_shown_as_images(cast):
    cast.us.modality = "SEG"
    cast.us.save()
    assert cast.get("").json()["studies"][1]["series"] == []


def test_the_next_read_comes_with_the_images_to_fetch_ahead(cast):
    other = cast.new_read()
    following = cast.get("").json()["next"]
    assert following["read"] == other.public_id
    assert following["url"] == f"/reads/{other.public_id}/"
    assert following["series"] == [f"/api/v1/series/{cast.ct.public_id}/manifest/"]
    returned = cast.new_read()
    Read.objects.filter(pk=returned.pk).update(state="returned", round=2)
    assert cast.get("").json()["next"]["read"] == returned.public_id


def test_a_reviewer_s_next_read_is_the_next_to_review(cast):
    cast.submit()
    cast.submit(cast.bens_read, who="ben")
    assert cast.get("", who="reviewer").json()["next"]["read"] == cast.bens_read.public_id


def test_opening_starts_the_reading_once(cast):
    assert cast.post("open/").json()["state"] == "in_progress"
    cast.read.refresh_from_db()
    opened_at = cast.read.opened_at
    cast.post("open/")
    cast.read.refresh_from_db()
    assert cast.read.opened_at == opened_at


def test_a_read_costs_the_same_queries_however_much_there_is(cast, django_assert_max_num_queries):
    cast.get("")
    with django_assert_max_num_queries(13):
        cast.get("")
    for number in range(5):
        cast.post("comments/", {"text": "x"}, who="lead")
        segment = imported_segment(cast, number)
        ImportedPlane.objects.create(
            segment=segment, sop_instance_uid="1.2", frame_number=1, rows=1, columns=1, runs=b"\x00\x01"
        )
        mark = imported_mark(cast, number=number + 1)
        report(cast, number + 1, [number_of("Volume", 3.5, "ml")], segments=[segment], marks=[mark])
        cast.new_read()
    with django_assert_max_num_queries(15):  # the numbers of segments, and of shapes
        assert len(cast.get("").json()["imported"]) == 10


def derived(cast):
    return DerivedObject.objects.get_or_create(series=cast.us, sop_instance_uid="1.2.7", kind="report")[0]


def imported_mark(cast, kind="length", points=((0.0, 0.0, 0.0), (8.0, 0.0, 0.0)), number=1, label="Axis"):
    place = {"sop": cast.sop(), "frame": 1, "frame_of_reference": "1.2", "points_patient_mm": points}
    return ImportedMark.objects.create(
        derived=derived(cast),
        series=cast.ct,
        number=number,
        kind=kind,
        label=label,
        origin="Imported report: Y.",
        place=place,
    )


def number_of(name, value, unit, derivation=""):
    return {"name": name, "value": value, "unit": unit, "derivation": derivation, "code": None}


def report(cast, number, numbers, *, segments=(), marks=()):
    group = ImportedMeasurement.objects.create(
        derived=derived(cast), series=cast.ct, number=number, label="L", numbers=numbers, origin="R."
    )
    group.segments.set(segments)
    group.marks.set(marks)
    return group


def imported_segment(cast, number):
    return ImportedSegment.objects.create(
        series=cast.ct,
        source_series=cast.us,
        source_sop_instance_uid="1.2.3",
        segment_number=number,
        label="Lesion",
        origin="Drawn at Hospital X.",
    )


def test_imported_segments_come_with_their_origin_and_slices_on_demand(cast):
    segment = imported_segment(cast, 1)
    runs = masks.encode(np.ones((2, 2), dtype=bool))
    ImportedPlane.objects.create(
        segment=segment, sop_instance_uid=cast.sop(), frame_number=1, rows=2, columns=2, runs=runs
    )
    [listed] = cast.get("").json()["imported"]
    assert listed == {
        "id": segment.public_id,
        "series": cast.ct.public_id,
        "label": "Lesion",
        "name": "Lesion",
        "kind": "segment",
        "origin": "“Lesion”. Drawn at Hospital X.",
        "slices": 1,
        "place": None,
        "measurements": [],
    }
    answer = cast.get(f"imported/{segment.public_id}/").json()
    assert answer == {"slices": [{"sop": cast.sop(), "frame": 1, "rle": base64.b64encode(runs).decode()}]}
    cast.apply([edit(cast.segment(origin={"from": "imported", "imported": segment.public_id}))])


def test_reported_numbers_stand_beside_what_they_measure(cast):
    segment = imported_segment(cast, 1)
    numbers = [number_of("Volume", 33.5824, "ml"), number_of("SUVbw", 6.01529, "g/ml", "Mean")]
    numbers += [number_of(f"Feature {index}", 1.0, "1") for index in range(3)]
    report(cast, 1, numbers, segments=[segment])
    [listed] = cast.get("").json()["imported"]
    assert listed["origin"] == (
        "“Lesion”. Volume 33.58 ml, SUVbw (mean) 6.015 g/ml, Feature 0 1, Feature 1 1 and 1 more, "
        "as reported. Drawn at Hospital X."
    )
    assert listed["measurements"][1] == {
        "name": "SUVbw",
        "value": 6.01529,
        "unit": "g/ml",
        "derivation": "Mean",
    }
    assert len(listed["measurements"]) == 5


@pytest.mark.parametrize(
    ("code", "name", "expected"),
    [
        ({"value": "108369006", "scheme": "SCT", "meaning": "Neoplasm"}, "GTV", "tumour"),
        (None, "TUMOUR", "tumour"),
        ({"value": "1", "scheme": "99X", "meaning": "?"}, "GTV", "GTV"),
    ],
)
def test_an_imported_segment_gets_the_label_that_means_the_same(cast, code, name, expected):
    cast.schema.labels[0]["code"] = {"value": "108369006", "scheme": "SCT", "meaning": "Neoplasm"}
    cast.schema.save()
    segment = imported_segment(cast, 1)
    segment.type_code, segment.label = code, name
    segment.save()
    [listed] = cast.get("").json()["imported"]
    assert (listed["label"], listed["name"]) == (expected, name)


def test_an_imported_length_is_outlined_and_not_copied_as_a_segment(cast):
    mark = imported_mark(cast)
    [listed] = cast.get("").json()["imported"]
    assert (listed["kind"], listed["slices"], listed["name"]) == ("length", 1, "Axis")
    assert listed["origin"] == "Length “Axis”. Imported report: Y."
    [only] = cast.get(f"imported/{mark.public_id}/").json()["slices"]
    plane = masks.decode(base64.b64decode(only["rle"]), ROWS, COLUMNS)
    assert plane[0, : int(8.0 / COLUMN_MM) + 1].all()
    assert not plane[1:].any()
    taken = cast.segment(origin={"from": "imported", "imported": mark.public_id})
    [result] = cast.send([edit(taken)]).json()["results"]
    assert result["status"] == "refused"
    assert "as a length" in result["reason"]


def test_an_imported_outline_may_be_copied_as_a_segment(cast):
    corners = [[-0.1, -0.1, 0.0], [2.1, -0.1, 0.0], [2.1, 2.1, 0.0], [-0.1, 2.1, 0.0]]
    mark = imported_mark(cast, kind="polygon", points=corners)
    [only] = cast.get(f"imported/{mark.public_id}/").json()["slices"]
    plane = masks.decode(base64.b64decode(only["rle"]), ROWS, COLUMNS)
    inside = plane[: int(2.1 / ROW_MM) + 1, : int(2.1 / COLUMN_MM) + 1]
    assert inside.all()
    assert plane.sum() == inside.size
    cast.apply([edit(cast.segment(origin={"from": "imported", "imported": mark.public_id}))])


def test_imported_segments_of_other_cases_are_not_there(cast):
    segment = ImportedSegment.objects.create(
        series=cast.other_series,
        source_series=cast.other_series,
        source_sop_instance_uid="1.2.3",
        segment_number=1,
        label="Lesion",
        origin="Elsewhere.",
    )
    assert cast.get("").json()["imported"] == []
    assert cast.get(f"imported/{segment.public_id}/").status_code == 404


# The list ---------------------------------------------------------------------------------------


def reads_listed(cast, who, query=""):
    response = cast.client(who).get(f"/api/v1/reads/{query}")
    assert response.status_code == 200, response.content
    return {(row["id"], row["capacity"]) for row in response.json()["results"]}


def test_everyone_gets_the_reads_that_concern_them(cast):
    cast.submit()
    a, b = cast.read.public_id, cast.bens_read.public_id
    assert reads_listed(cast, "anna") == {(a, "reader")}
    assert reads_listed(cast, "ben") == {(b, "reader")}
    assert reads_listed(cast, "reviewer") == {(a, "reviewer")}
    assert reads_listed(cast, "lead") == {(a, "lead"), (b, "lead")}
    assert reads_listed(cast, "lead", "?state=submitted&as=reviewer") == {(a, "lead")}
    assert reads_listed(cast, "lead", "?as=reader") == set()
    assert reads_listed(cast, "scientist") == reads_listed(cast, "outsider") == set()


@pytest.mark.parametrize("query", ["?state=done", "?as=boss", "?stat=submitted"])
def test_a_filter_that_makes_no_sense_is_refused_not_ignored(cast, query):
    assert cast.client("anna").get(f"/api/v1/reads/{query}").status_code == 400


def test_the_list_costs_the_same_queries_however_long(cast, django_assert_max_num_queries):
    for _ in range(10):
        cast.new_read()
    cast.client("anna")
    with django_assert_max_num_queries(7):
        assert len(reads_listed(cast, "anna")) == 11


# State ------------------------------------------------------------------------------------------


def test_the_state_is_fetched_again_only_when_it_changed(cast):
    cast.apply([edit(cast.length())])
    response = cast.get("state/")
    assert response["ETag"] == '"1"'
    again = cast.get("state/", headers={"If-None-Match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    cast.apply([edit(cast.length())])
    assert cast.get("state/", headers={"If-None-Match": response["ETag"]}).status_code == 200


def test_a_large_state_travels_gzipped_and_still_knows_its_etag(cast):
    cast.apply([edit(cast.length()) for _ in range(20)])
    response = cast.get("state/", headers={"Accept-Encoding": "gzip"})
    assert response["Content-Encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(response.content))["annotations"]) == 20
    assert response["Cache-Control"] == "private, no-cache"
    headers = {"Accept-Encoding": "gzip", "If-None-Match": response["ETag"]}
    assert cast.get("state/", headers=headers).status_code == 304


def test_a_mask_comes_back_as_it_was_drawn(cast):
    segment = uuid.uuid4()
    value = plane_value([(0, 0), (31, 47), (7, 9)])
    cast.apply([edit(cast.segment(), segment), edit(value, segment, sop=cast.sop(4))])
    [plane] = cast.get("state/").json()["planes"]
    assert plane == {"annotation": str(segment), "sop": cast.sop(4), "frame": 1, "version": 1, **value}
    decoded = masks.decode(base64.b64decode(plane["rle"]), ROWS, COLUMNS)
    assert sorted(zip(*np.nonzero(decoded), strict=True)) == [(0, 0), (7, 9), (31, 47)]


def test_history_tells_before_and_after(cast):
    mark, group = str(uuid.uuid4()), uuid.uuid4()
    first, second = cast.length(), cast.length(note="!")
    cast.apply([edit(first, mark)])
    cast.apply([edit(second, mark, seen=1, group=group)])
    history = cast.get("history/?groups=1").json()
    assert history["number"] == 2
    [gesture] = history["groups"]
    assert (gesture["group"], gesture["inverts"]) == (str(group), None)
    assert gesture["edits"] == [
        {"number": 2, "object": {"annotation": mark}, "version": 2, "before": first, "after": second}
    ]
    assert cast.get("history/?groups=all").status_code == 400


# Measurements -----------------------------------------------------------------------------------


def measured(cast, value, *planes):
    mark = uuid.uuid4()
    cast.apply([edit(value, mark), *(edit(plane, mark, sop=sop) for sop, plane in planes)])
    [found] = [one for one in cast.get("measurements/").json() if one["annotation"] == str(mark)]
    assert set(found) <= keys_of(journal_shapes.MeasurementShape)
    return found


def test_lengths_and_areas_are_computed_from_the_points_in_the_patient(cast):
    assert measured(cast, cast.length(end=(3.0, 4.0, 0.0)))["length_mm"] == pytest.approx(5)
    square = [[0, 0, 0], [10, 0, 0], [10, 10, 0], [0, 10, 0]]
    found = measured(cast, cast.length(kind="polygon", points_patient_mm=square))
    assert (found["area_mm2"], found["perimeter_mm"]) == (pytest.approx(100), pytest.approx(40))
    cross = [[0, -2, 0], [0, 2, 0], [-5, 0, 0], [5, 0, 0]]
    found = measured(cast, cast.length(kind="bidirectional", points_patient_mm=cross))
    assert (found["long_axis_mm"], found["short_axis_mm"]) == (pytest.approx(10), pytest.approx(4))


def on_image(cast, points):
    value = cast.length(series=cast.us.public_id, sop=cast.sop(0, cast.us), points_image=points)
    del value["points_patient_mm"]
    return value


def test_points_on_a_calibrated_image_give_pixels_and_millimetres(cast):
    found = measured(cast, on_image(cast, [[0.5, 0.5], [10.5, 0.5]]))
    assert (found["length_px"], found["length_mm"]) == (pytest.approx(10), pytest.approx(10 * COLUMN_MM))


def rewrite_manifest(series, **changes):
    from atlas.archive.storage import new_key, storage

    with storage().open(series.manifest_key) as file:
        manifest = json.loads(gzip.decompress(file.read()))
    series.manifest_key = new_key(".manifest")
    storage().put_durable(series.manifest_key, gzip.compress(json.dumps(manifest | changes).encode()))
    series.save()


def test_an_image_that_is_not_calibrated_has_pixels_and_a_reason(cast):
    rewrite_manifest(cast.us, spacing={"row_mm": None, "column_mm": None, "source": "none"})
    found = measured(cast, on_image(cast, [[0.5, 0.5], [10.5, 0.5]]))
    assert found["length_px"] == pytest.approx(10)
    assert "length_mm" not in found
    assert "not calibrated" in found["problem"]


def test_a_projection_that_knows_its_magnification_gives_estimates(cast):
    rewrite_manifest(cast.us, spacing={"row_mm": 0.2, "column_mm": 0.2, "source": "estimated"})
    found = measured(cast, on_image(cast, [[0.5, 0.5], [10.5, 0.5]]))
    assert (found["length_mm"], found["estimated"]) == (pytest.approx(2), True)


def test_spacing_at_the_detector_alone_gives_pixels_and_a_reason(cast):
    rewrite_manifest(cast.us, spacing={"row_mm": 0.2, "column_mm": 0.2, "source": "imager"})
    found = measured(cast, on_image(cast, [[0.5, 0.5], [10.5, 0.5]]))
    assert found["length_px"] == pytest.approx(10)
    assert "length_mm" not in found
    assert "not calibrated" in found["problem"]


def test_a_segment_over_two_phases_has_no_single_volume_and_within_one_has_its_own(cast):
    count = cast.ct.frame_count
    phases = [
        {"label": "Phase 1", "first": 0, "count": 2},
        {"label": "Phase 2", "first": 2, "count": count - 2},
    ]
    rewrite_manifest(cast.ct, phases=phases)
    within = [(cast.sop(0), plane_value([(0, 0), (0, 1)])), (cast.sop(1), plane_value([(5, 5)]))]
    found = measured(cast, cast.segment(), *within)
    assert found["volume_ml"] == pytest.approx(3 * ROW_MM * COLUMN_MM * SLICE_MM / 1000)
    found = measured(cast, cast.segment(), *within, (cast.sop(3), plane_value([(5, 5)])))
    assert "volume_ml" not in found
    assert "several phases" in found["problem"]


def test_a_segment_s_volume_counts_voxels_with_spacing_and_distance_of_slices(cast):
    slices = [(cast.sop(1), plane_value([(0, 0), (0, 1)])), (cast.sop(2), plane_value([(5, 5)]))]
    found = measured(cast, cast.segment(), *slices)
    assert (found["voxels"], found["slices"]) == (3, 2)
    assert found["volume_ml"] == pytest.approx(3 * ROW_MM * COLUMN_MM * SLICE_MM / 1000)


def test_a_segment_s_diameters_lie_in_one_slice_and_through_all(cast):
    row = plane_value([(4, 2), (4, 3), (4, 4), (9, 9)])  # the voxel apart doesn't lengthen it
    found = measured(cast, cast.segment(), (cast.sop(1), row), (cast.sop(2), plane_value([(4, 4)])))
    assert found["long_axis_mm"] == pytest.approx(3 * COLUMN_MM)
    assert found["short_axis_mm"] == pytest.approx(ROW_MM, abs=0.01)
    # From the lower face of one end to the upper face of the other: two voxels over, two slices through.
    assert found["longest_3d_mm"] == pytest.approx(np.hypot(2 * COLUMN_MM, 2 * SLICE_MM))
    rewrite_manifest(cast.ct, findings=[{"code": "x", "sentence": "Off.", "spoils": ["millimetres"]}])
    found = measured(cast, cast.segment(), (cast.sop(1), row))
    assert (found["long_axis_px"], "long_axis_mm" in found) == (pytest.approx(3), False)


def test_where_the_geometry_is_spoiled_there_is_a_reason_instead_of_a_volume(cast):
    rewrite_manifest(cast.ct, findings=[{"code": "gantry_tilt", "sentence": "Tilted.", "spoils": ["volume"]}])
    found = measured(cast, cast.segment(), (cast.sop(1), plane_value([(0, 0)])))
    assert "volume_ml" not in found
    assert "can't be trusted" in found["problem"]


def test_an_empty_segment_has_no_voxels_and_no_volume_but_is_there(cast):
    found = measured(cast, cast.segment(state="absent"))
    assert (found["voxels"], found["volume_ml"], found["problem"]) == (0, 0, None)


def test_the_schema_of_the_api_describes_reads_without_a_warning(db):
    GENERATOR_STATS.reset()
    schema = SchemaGenerator().get_schema(request=None, public=True)
    texts = {text for texts in GENERATOR_STATS._warn_cache.items() for text in map(str, texts)}
    warned = [text for text in texts if "annotations/api/reads" in text and "authenticator" not in text]
    assert warned == []
    paths = {path for path in schema["paths"] if "/reads/" in path}
    assert len(paths) == len([one for one in urlpatterns if str(one.pattern).startswith("reads/")])
