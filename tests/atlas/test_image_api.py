"""REST of images: manifests, datasets, studies, uploads. Who gets what, and at how many queries."""

import gzip
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from atlas.archive import generations, sealing
from atlas.models import Instance, Series, Upload
from tests.atlas.conftest import zipped
from tests.atlas.held import nothing_found
from tests.atlas.slices import header, part_10, pixels, series
from tests.cast import signed_in


def manifest_of(client: Client, one: Series, **headers: str):
    return client.get(f"/api/v1/series/{one.public_id}/manifest/", headers=headers)


def test_the_manifest_is_served_as_stored(chest, manager):
    answer = manifest_of(signed_in(manager), chest, accept_encoding="gzip")
    assert answer["Content-Encoding"] == "gzip"
    manifest = json.loads(gzip.decompress(answer.content))
    assert manifest == generations.read_manifest(chest.manifest_key)
    assert manifest["frames"]["length"] == [96] * 5
    plain = manifest_of(signed_in(manager), chest, accept_encoding="identity")
    assert "Content-Encoding" not in plain
    assert plain.json() == manifest


def test_the_manifest_has_a_tag_that_changes_with_the_generation(chest, manager):
    client = signed_in(manager)
    tag = manifest_of(client, chest)["ETag"]
    assert manifest_of(client, chest, if_none_match=tag).status_code == 304
    Series.objects.filter(pk=chest.pk).update(generation=2)
    assert manifest_of(client, chest, if_none_match=tag).status_code == 200


def test_a_series_that_still_arrives_is_described_on_demand(take, manager):
    outcomes = take(series([(0, 0, z) for z in (0, 1)]))
    one = Series.objects.get(pk=outcomes[0].series_id)
    answer = manifest_of(signed_in(manager), one)
    assert answer.status_code == 200
    one.refresh_from_db()
    assert (one.state, one.generation, one.frame_count) == ("arriving", 1, 2)


def test_strangers_find_no_manifest_and_nobody_is_told_to_sign_in(chest, stranger):
    assert manifest_of(signed_in(stranger), chest).status_code == 404
    assert manifest_of(Client(), chest).status_code == 401


def test_datasets_and_studies_are_those_one_may_see(chest, manager, stranger):
    client = signed_in(manager)
    assert [one["slug"] for one in client.get("/api/v1/datasets/").json()["results"]] == ["chest-ct"]
    study = client.get("/api/v1/datasets/chest-ct/studies/").json()["results"][0]
    assert (study["subject"], study["date"], study["age_years"]) == ("NH-20931", "2026-01-14", 61)
    assert study["series"][0]["manifest"] == f"/api/v1/series/{chest.public_id}/manifest/"
    assert study["series"][0]["thumbnail"] == f"/thumbnails/{chest.public_id}/1"
    other = signed_in(stranger)
    assert other.get("/api/v1/datasets/").json()["results"] == []
    assert other.get("/api/v1/datasets/chest-ct/studies/").status_code == 404


def test_a_list_of_studies_costs_the_same_for_one_and_for_twenty(
    take, manager, django_assert_num_queries, django_assert_max_num_queries
):
    client = signed_in(manager)
    take([part_10(header(), pixels(0))])
    with django_assert_max_num_queries(8) as first:
        client.get("/api/v1/datasets/chest-ct/studies/")
    take([part_10(header(PatientID=f"P{number}"), pixels(number)) for number in range(20)])
    with django_assert_num_queries(len(first)):
        assert client.get("/api/v1/datasets/chest-ct/studies/").json()["count"] == 21


def begin(client: Client, slug: str = "chest-ct", files: int = 3) -> str:
    answer = client.post(
        f"/api/v1/datasets/{slug}/uploads/", {"files_total": files}, content_type="application/json"
    )
    assert answer.status_code == 201, answer.content
    return f"/api/v1/datasets/{slug}/uploads/{answer.json()['id']}/"


def send(client: Client, upload: str, name: str, content: bytes):
    return client.put(
        f"{upload}files/", content, content_type="application/octet-stream", query_params={"name": name}
    )


def test_an_upload_takes_files_reports_each_and_is_sealed_when_done(dataset, manager):
    from procrastinate.contrib.django.models import ProcrastinateJob

    client = signed_in(manager)
    upload = begin(client)
    first, second = series([(0, 0, 0), (0, 0, 1)])
    assert send(client, upload, "a/1.dcm", first).json() == [
        {"name": "a/1.dcm", "status": "stored", "reason": ""}
    ]
    assert send(client, upload, "a/1.dcm", first).json()[0]["status"] == "known"
    assert send(client, upload, "a/notes.txt", b"hello").json()[0]["status"] == "not_dicom"
    assert send(client, upload, "b.zip", zipped({"x/2.dcm": second})).json()[0]["name"] == "b.zip/x/2.dcm"
    state = client.get(upload).json()
    assert (state["files_read"], state["stored"], state["known"], state["refused"]) == (4, 2, 1, 1)
    assert state["findings"] == [{"file_name": "a/notes.txt", "reason": "This is not a DICOM file."}]
    assert client.post(f"{upload}done/").json()["state"] == "done"
    assert client.post(f"{upload}done/").status_code == 200
    jobs = ProcrastinateJob.objects.filter(
        task_name="atlas.seal_series", args={"series_id": Series.objects.get().pk}
    )
    assert jobs.count() == 1
    late = send(client, upload, "c.dcm", first)
    assert (late.status_code, late.json()["reason"][:11]) == (409, "This upload")


def test_a_sent_file_costs_a_fixed_number_of_queries(dataset, manager, django_assert_max_num_queries):
    client = signed_in(manager)
    upload = begin(client)
    files = series([(0, 0, z) for z in range(3)])
    send(client, upload, "1.dcm", files[0])
    with django_assert_max_num_queries(30):
        send(client, upload, "2.dcm", files[1])


def test_an_empty_body_and_a_file_without_name_are_answered_with_a_reason(dataset, manager):
    client = signed_in(manager)
    upload = begin(client)
    assert send(client, upload, "empty.dcm", b"").json()[0]["reason"] == "The file is empty."
    assert send(client, upload, "", b"x").status_code == 400


def test_only_those_who_may_import_can_upload(dataset, undeclared, manager, stranger):
    upload = begin(signed_in(manager))
    other = signed_in(stranger)
    assert send(other, upload, "1.dcm", b"x").status_code == 404
    assert other.get(upload).status_code == 404
    assert (
        other.post("/api/v1/datasets/chest-ct/uploads/", {}, content_type="application/json").status_code
        == 404
    )
    assert Client().get(upload).status_code == 401
    assert (
        signed_in(manager)
        .post("/api/v1/datasets/new/uploads/", {}, content_type="application/json")
        .status_code
        == 404
    )


def test_someone_who_may_look_but_not_import_is_refused(dataset, organisation, manager, monkeypatch):
    from accounts import permissions

    upload = begin(signed_in(manager))
    original = permissions.allows
    monkeypatch.setattr(
        permissions,
        "allows",
        lambda user, what, scope: what != "import_images" and original(user, what, scope),
    )
    assert send(signed_in(manager), upload, "1.dcm", b"x").status_code == 403


def test_an_undeclared_dataset_opens_no_upload(undeclared, manager):
    from accounts import permissions

    permissions.grant(user=manager, role="data_manager", scope=undeclared)
    answer = signed_in(manager).post("/api/v1/datasets/new/uploads/", {}, content_type="application/json")
    assert answer.status_code == 409
    assert "de-identified" in answer.json()["reason"]


@pytest.mark.django_db
def test_the_command_imports_seals_and_names_what_it_left_aside(dataset, tmp_path, capsys):
    for at, content in enumerate(series([(0, 0, z) for z in range(4)])):
        (tmp_path / f"{at}.dcm").write_bytes(content)
    (tmp_path / "SOURCE.txt").write_text("where these are from")
    call_command("import_dicom", str(tmp_path), dataset="chest-ct")
    said = capsys.readouterr().out
    assert "4 stored, 0 known already, 0 refused, 1 not DICOM." in said
    assert "SOURCE.txt: This is not a DICOM file." in said
    one = Series.objects.get()
    assert (one.state, one.frame_count) == ("ready", 4)
    assert Upload.objects.get().stored == 4


@pytest.mark.django_db
def test_the_command_fails_when_a_dicom_file_is_refused(dataset, tmp_path, capsys):
    (tmp_path / "1.dcm").write_bytes(part_10(header(PatientID=None), pixels(0)))
    (tmp_path / "2.dcm").write_bytes(part_10(header(), pixels(0)))
    with pytest.raises(CommandError, match="1 of the files"):
        call_command("import_dicom", str(tmp_path), dataset="chest-ct")
    assert "1.dcm: The header lacks, or has no valid, Patient ID." in capsys.readouterr().out
    assert Instance.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "slug", "said"), [("/nowhere", "chest-ct", "does not exist"), (".", "x", "Known: ")]
)
def test_the_command_says_what_is_wrong_with_its_arguments(dataset, path, slug, said):
    with pytest.raises(CommandError, match=said):
        call_command("import_dicom", path, dataset=slug)


@pytest.mark.django_db
def test_every_folder_of_odd_files_is_taken_or_refused_with_a_reason(dataset, test_data):
    from atlas.archive import intake, sources

    outcomes = list(intake.take_in(sources.in_paths([Path(test_data / "odd_mixed")]), dataset=dataset))
    assert len(outcomes) == sum(1 for path in (test_data / "odd_mixed").rglob("*") if path.is_file())
    assert all(outcome.reason for outcome in outcomes if outcome.status in ("refused", "not_dicom"))
    nothing_found()
    for one in Series.objects.all():
        assert sealing.seal(one.pk).state == "ready"


def test_the_schema_of_these_endpoints_has_no_warnings(db, capsys):
    import io

    from drf_spectacular.drainage import GENERATOR_STATS
    from drf_spectacular.generators import SchemaGenerator

    GENERATOR_STATS.reset()
    schema = SchemaGenerator(patterns=None).get_schema(public=True)
    assert "/api/v1/series/{public_id}/manifest/" in schema["paths"]
    ours = [
        line
        for line in io.StringIO(capsys.readouterr().err)
        if "/atlas/api/" in line and "could not resolve authenticator" not in line
    ]
    assert ours == []
