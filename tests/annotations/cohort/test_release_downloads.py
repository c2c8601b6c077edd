"""What of a release each may fetch: by format, part and case; sequestered, withdrawn, not yet agreed to."""

import csv
import hashlib
import json
import zipfile
import zlib
from io import BytesIO, StringIO

import pyarrow.parquet as pq
import pytest
from django.http import HttpResponseBase
from django.test import Client
from django.utils import timezone

from accounts.models import AuditRecord
from accounts.services.tokens import make_token
from annotations.cohort import facts, releases
from annotations.models import Release, ReleaseCase, ReleaseDownload, ReleaseFile, ReleaseUse, Submission
from atlas.archive.storage import new_key, storage
from tests.annotations.cohort.test_release_api import body
from tests.annotations.pages import text_of
from tests.cast import signed_in
from tests.scene import Scene, build

BASE = "/api/v1/projects/respond/releases/"
CASES = {1: "train", 2: "train", 3: "validation", 4: "test"}


@pytest.fixture
def scene(db, settings, tmp_path) -> Scene:
    settings.OBJECTS_DIR = tmp_path / "objects"
    return build()


def put(release: Release, path: str, format_: str, case: ReleaseCase | None = None, **more) -> ReleaseFile:
    data = f"{path} ".encode() * 500
    key = new_key()
    storage().put_durable(key, data)
    return ReleaseFile.objects.create(
        release=release,
        release_case=case,
        format=format_,
        path=path,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        crc32=zlib.crc32(data),
        object_key=key,
        **more,
    )


@pytest.fixture
def release(scene: Scene) -> Release:
    """Release 2: four cases in three parts, in two formats; the test part's marks are sequestered."""
    release = Release.objects.create(
        project=scene.project,
        number=2,
        title="Second look",
        licence="CC BY 4.0",
        agreement="Nobody is to be recognised.",
        formats=["nifti", "seg"],
        sequestered=Release.Sequestered.MARKS,
        state=Release.State.READY,
        cases_total=4,
        cases_done=4,
        frozen_by=scene.people["lead"],
        ready_at=timezone.now(),
        manifest_sha256="0" * 64,
    )
    put(release, "labels.json", "")
    put(release, "manifest.json", "")
    for case in scene.cases:
        part = CASES[case.number]
        row = ReleaseCase.objects.create(release=release, case=case, number=case.number, part=part)
        put(release, f"cases/000{case.number}/images/CT.nii.gz", "nifti", row)
        put(release, f"cases/000{case.number}/masks/CT.nii.gz", "nifti", row, is_sequestered=part == "test")
        put(release, f"cases/000{case.number}/seg/CT.dcm", "seg", row, is_sequestered=part == "test")
    return release


def ask(scene: Scene, who: str, address: str, **headers: str) -> HttpResponseBase:
    return signed_in(scene.people[who]).get(f"{BASE}2/{address}", headers=headers)


def state(scene: Scene, who: str, address: str = "2/use/", **sent) -> HttpResponseBase:
    return signed_in(scene.people[who]).post(
        BASE + address, json.dumps(sent), content_type="application/json"
    )


@pytest.fixture
def agreed(scene: Scene, release: Release) -> Release:
    for who in ("lead", "scientist"):
        assert state(scene, who, purpose="To find nodules.", agrees=True).status_code == 200
    return release


def names(answer: HttpResponseBase) -> set[str]:
    with zipfile.ZipFile(BytesIO(body(answer))) as archive:
        assert archive.testzip() is None
        return {name.removeprefix("respond-release-2/") for name in archive.namelist()}


def paths(answer: HttpResponseBase) -> set[str]:
    return {file["path"] for file in answer.json()["files"]}


# The purpose and the agreement -------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["lead", "scientist"])
@pytest.mark.parametrize("address", ["files/labels.json", "archive/"])
def test_nobody_downloads_before_they_have_said_what_for(scene, release, who: str, address: str) -> None:
    answer = ask(scene, who, address)
    assert answer.status_code == 403
    assert "Say what you want release 2 for and accept its agreement" in answer.json()["reason"]
    assert state(scene, who, purpose=" To find\nnodules. ", agrees=True).status_code == 200
    assert ReleaseUse.objects.get().purpose == "To find nodules."
    assert ask(scene, who, address).status_code == 200


def test_the_manifest_can_be_looked_at_before(scene, release) -> None:
    assert ask(scene, "scientist", "manifest/").status_code == 200
    told = ask(scene, "scientist", "").json()
    assert told["agreement"] == {"text": "Nobody is to be recognised.", "is_accepted": False}
    assert told["use"] is None
    state(scene, "scientist", purpose="To find nodules.", agrees=True)
    told = ask(scene, "scientist", "").json()
    assert told["agreement"]["is_accepted"] is True
    assert told["use"]["purpose"] == "To find nodules."


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"agrees": True}, "purpose"),
        ({"purpose": "   ", "agrees": True}, "purpose"),
        ({"purpose": "x" * 1001, "agrees": True}, "purpose"),
        ({"purpose": "To find nodules."}, "agrees"),
        ({"purpose": "To find nodules.", "agrees": False}, "agrees"),
    ],
)
def test_a_use_without_a_purpose_or_the_agreement_is_refused(scene, release, sent: dict, field: str) -> None:
    answer = state(scene, "scientist", **sent)
    assert answer.status_code == 400
    assert set(answer.json()["fields"]) == {field}
    assert not ReleaseUse.objects.exists()


def test_an_agreement_that_changed_is_asked_for_again(scene, agreed) -> None:
    Release.objects.filter(pk=agreed.pk).update(agreement="And nothing is passed on.")
    answer = ask(scene, "scientist", "files/labels.json")
    assert answer.status_code == 403
    assert "Accept the agreement" in answer.json()["reason"]
    assert ask(scene, "scientist", "").json()["agreement"]["is_accepted"] is False


def test_what_was_stated_can_be_said_better_and_is_written_down(scene, agreed) -> None:
    state(scene, "scientist", purpose="To find nodules and nodes.", agrees=True)
    use = ReleaseUse.objects.get(user=scene.people["scientist"])
    assert use.purpose == "To find nodules and nodes."
    lines = AuditRecord.objects.filter(verb="release.use_stated", actor=scene.people["scientist"])
    assert [line.facts for line in lines] == [{"use": use.pk, "agreed": True}] * 2


# What was fetched ---------------------------------------------------------------------------------------


def test_ranges_of_a_case_make_one_row_and_one_line_a_day(scene, agreed) -> None:
    for path in ("images/CT.nii.gz", "masks/CT.nii.gz"):
        for first in range(0, 900, 100):
            answer = ask(scene, "scientist", f"files/cases/0001/{path}", range=f"bytes={first}-{first + 99}")
            assert answer.status_code == 206
    rows = ReleaseDownload.objects.filter(user=scene.people["scientist"])
    assert [row.release_case.number for row in rows] == [1]
    assert AuditRecord.objects.filter(verb="release.downloaded").count() == 1
    ask(scene, "lead", "files/cases/0001/seg/CT.dcm")
    assert ReleaseDownload.objects.count() == 2
    rows.update(day="2026-01-01")
    ask(scene, "scientist", "files/cases/0001/seg/CT.dcm")
    assert rows.count() == 2


def test_an_archive_counts_for_every_case_in_it(scene, agreed) -> None:
    ask(scene, "scientist", "archive/?parts=train,validation", range="bytes=0-9")
    ask(scene, "scientist", "archive/?parts=train,validation", range="bytes=10-19")
    rows = ReleaseDownload.objects.values_list("release_case__number", flat=True)
    assert sorted(rows, key=lambda number: number or 0) == [None, 1, 2, 3]
    line = AuditRecord.objects.get(verb="release.downloaded")
    assert line.facts == {"use": ReleaseUse.objects.get(user=line.actor).pk, "archive": True, "cases": 3}


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("head", {}, 200),
        ("get", {"range": "bytes=999999-"}, 416),
        ("get", {"if-none-match": "*"}, 304),
    ],
)
def test_who_gets_no_bytes_has_downloaded_nothing(scene, agreed, method, headers, status) -> None:
    client = signed_in(scene.people["scientist"])
    for address in ("files/cases/0001/seg/CT.dcm", "archive/"):
        assert getattr(client, method)(f"{BASE}2/{address}", headers=headers).status_code == status
    assert not ReleaseDownload.objects.exists()
    assert not AuditRecord.objects.filter(verb="release.downloaded").exists()


# Choosing ------------------------------------------------------------------------------------------------

ALWAYS = {"labels.json", "manifest.json"}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("formats=seg&parts=train", {"cases/0001/seg/CT.dcm", "cases/0002/seg/CT.dcm"}),
        ("format=seg&part=train", {"cases/0001/seg/CT.dcm", "cases/0002/seg/CT.dcm"}),
        ("formats=seg,nifti&cases=3&cases=0001", {
            f"cases/000{case}/{file}"
            for case in (1, 3)
            for file in ("images/CT.nii.gz", "masks/CT.nii.gz", "seg/CT.dcm")
        }),
        ("parts=validation&formats=seg", {"cases/0003/seg/CT.dcm"}),
        ("parts=none", set()),
        ("cases=99", set()),
        ("parts=test", {"cases/0004/images/CT.nii.gz"}),
    ],
)  # fmt: skip
def test_manifest_and_archive_hold_what_was_chosen(scene, agreed, asked: str, expected: set[str]) -> None:
    assert paths(ask(scene, "scientist", f"manifest/?{asked}")) == expected | ALWAYS
    assert names(ask(scene, "scientist", f"archive/?{asked}")) == expected | ALWAYS


@pytest.mark.parametrize("address", ["manifest/", "archive/"])
@pytest.mark.parametrize(
    ("asked", "field", "sentence"),
    [
        ("formats=nrrd", "formats", "The release has no format 'nrrd'. It has nifti, seg."),
        ("formats=seg,", "formats", "A word is missing"),
        ("formats=", "formats", "A word is missing"),
        ("parts=valid", "parts", "There is no part 'valid'. Parts are train, validation, test, none."),
        ("cases=x", "cases", "Cases are named by their number."),
        ("cases=-1", "cases", "Cases are named by their number."),
        ("cases=" + "9" * 5000, "cases", "Cases are named by their number."),
        ("cases=" + ",".join(["1"] * 1001), "cases", "at most 1000"),
        ("splits=train", "splits", "This address doesn't know that. It knows formats, parts, cases"),
    ],
)
def test_what_there_is_not_is_refused_with_a_reason(scene, agreed, address, asked, field, sentence) -> None:
    answer = ask(scene, "scientist", f"{address}?{asked}")
    assert answer.status_code == 400
    assert sentence in answer.json()["fields"][field][0]


def test_each_choice_is_an_archive_of_its_own(scene, agreed) -> None:
    tags = {
        ask(scene, "scientist", f"archive/{asked}").headers["ETag"]
        for asked in ("", "?formats=seg", "?formats=nifti", "?parts=train", "?cases=1")
    }
    assert len(tags) == 5
    first, again = (ask(scene, "scientist", "archive/?formats=seg") for _ in range(2))
    assert first.headers["ETag"] == again.headers["ETag"]


# The manifest ---------------------------------------------------------------------------------------------


def test_the_manifest_comes_in_pages_that_miss_nothing(scene, agreed) -> None:
    found, address = [], "manifest/?limit=4"
    while address:
        page = ask(scene, "scientist", address).json()
        assert page["count"] == 12
        found += [file["path"] for file in page["files"]]
        address = page["next"] and page["next"].partition(f"{BASE}2/")[2]
    assert found == sorted(found)
    assert len(set(found)) == len(found) == 12


def test_the_manifest_as_csv_and_parquet_says_the_same_as_json(scene, agreed) -> None:
    agreed.release_cases.filter(number=2).update(withdrawn_at=timezone.now())
    agreed.files.filter(release_case__number=2).update(withdrawn_at=timezone.now())
    files = ask(scene, "scientist", "manifest/?cases=1,2").json()["files"]
    assert sum(file["withdrawn_at"] is not None for file in files) == 3
    table = pq.read_table(BytesIO(body(ask(scene, "scientist", "manifest/?cases=1,2&as=parquet"))))
    rows = table.to_pylist()
    text = body(ask(scene, "scientist", "manifest/?cases=1,2&as=csv")).decode()
    lines = list(csv.DictReader(StringIO(text)))
    assert len(files) == len(rows) == len(lines) == 8
    for file, row, line in zip(files, rows, lines, strict=True):
        assert list(file) == list(row) == list(line)
        for name in ("path", "format", "part", "case", "size", "sha256", "url"):
            assert file[name] == row[name]
            assert line[name] == ("" if file[name] is None else str(file[name]))
        assert bool(file["withdrawn_at"]) == bool(row["withdrawn_at"]) == bool(line["withdrawn_at"])


def test_an_unknown_kind_of_manifest_is_refused(scene, agreed) -> None:
    answer = ask(scene, "scientist", "manifest/?as=xml")
    assert answer.status_code == 400
    assert "json, csv, parquet" in answer.json()["fields"]["as"][0]


# What is sequestered --------------------------------------------------------------------------------------


def test_the_sequestered_part_is_for_leads_only(scene, agreed) -> None:
    hidden = {"cases/0004/masks/CT.nii.gz", "cases/0004/seg/CT.dcm"}
    for path in hidden:
        answer = ask(scene, "scientist", f"files/{path}")
        assert answer.status_code == 403
        assert "sequestered test part" in answer.json()["reason"]
        assert ask(scene, "lead", f"files/{path}").status_code == 200
    assert not hidden & paths(ask(scene, "scientist", "manifest/"))
    assert not hidden & names(ask(scene, "scientist", "archive/"))
    assert hidden <= paths(ask(scene, "lead", "manifest/"))
    assert hidden <= names(ask(scene, "lead", "archive/"))


def test_the_detail_counts_what_each_may_fetch(scene, agreed) -> None:
    def told(who: str) -> tuple[dict, dict]:
        detail = ask(scene, who, "").json()
        formats = {one["format"]: one["files"] for one in detail["formats"]}
        return formats, {one["part"]: (one["cases"], one["files"]) for one in detail["parts"]}

    assert told("scientist") == (
        {"nifti": 7, "seg": 3, "": 2},
        {"train": (2, 6), "validation": (1, 3), "test": (1, 1)},
    )
    assert told("lead") == (
        {"nifti": 8, "seg": 4, "": 2},
        {"train": (2, 6), "validation": (1, 3), "test": (1, 3)},
    )
    detail = ask(scene, "scientist", "").json()
    files = ask(scene, "scientist", "manifest/").json()["files"]
    assert sum(one["bytes"] for one in detail["formats"]) == sum(file["size"] for file in files)


# What is withdrawn ----------------------------------------------------------------------------------------


def withdraw(release: Release, number: int) -> None:
    releases.withdraw_case(release, number, because="Consent was withdrawn.")
    Release.objects.filter(pk=release.pk).update(state=Release.State.READY)  # as once it is written anew


def test_a_withdrawn_file_is_gone_and_still_listed(scene, agreed) -> None:
    path = "cases/0001/seg/CT.dcm"
    assert ask(scene, "scientist", f"files/{path}").status_code == 200
    withdraw(agreed, 1)
    answer = ask(scene, "scientist", f"files/{path}")
    assert answer.status_code == 410
    reason = answer.json()["reason"]
    assert reason.startswith("Case 1 was withdrawn from this release on ")
    assert "Consent was withdrawn." in reason
    assert "Delete your copies" in reason
    listed = {file["path"]: file["withdrawn_at"] for file in ask(scene, "lead", "manifest/").json()["files"]}
    assert listed[path]
    assert listed["cases/0002/seg/CT.dcm"] is None
    gone = ask(scene, "scientist", "").json()["withdrawn_cases"]
    assert [(one["case"], one["reason"]) for one in gone] == [(1, "Consent was withdrawn.")]


def test_while_what_spans_the_cases_is_written_anew_files_of_the_other_cases_are_given_out(
    scene, agreed
) -> None:
    releases.withdraw_case(agreed, 1, because="Consent was withdrawn.")
    assert ask(scene, "scientist", "files/cases/0001/seg/CT.dcm").status_code == 410
    stays = "cases/0002/seg/CT.dcm"
    assert body(ask(scene, "scientist", f"files/{stays}")) == f"{stays} ".encode() * 500
    assert ask(scene, "scientist", f"files/{stays}", Range="bytes=10-").status_code == 206
    assert ask(scene, "scientist", "files/cases/0004/seg/CT.dcm").status_code == 403  # sequestered
    for address in ("files/labels.json", "files/nothing", "manifest/", "archive/", "archive/?cases=2"):
        answer = ask(scene, "scientist", address)
        assert (answer.status_code, answer["Retry-After"]) == (409, "10"), address
        assert "Files of the other cases can be fetched meanwhile." in answer.json()["reason"]
    page = text_of(signed_in(scene.people["scientist"]), "/projects/respond/releases/2/")
    assert "What spans the cases is written anew" in page
    assert f"/files/{stays}" in page
    assert "/files/labels.json" not in page


def test_nothing_of_a_release_that_was_never_ready_is_given_out(scene, agreed) -> None:
    Release.objects.filter(pk=agreed.pk).update(state=Release.State.WRITING, ready_at=None)
    for address in ("files/cases/0002/seg/CT.dcm", "files/labels.json", "manifest/", "archive/"):
        answer = ask(scene, "scientist", address)
        assert (answer.status_code, answer["Retry-After"]) == (409, "10"), address
        assert "4 of 4 cases done" in answer.json()["reason"]


def test_a_withdrawal_begins_an_archive_again(scene, agreed) -> None:
    before = ask(scene, "scientist", "archive/?formats=seg")
    etag, whole = before.headers["ETag"], body(before)
    asked = {"range": "bytes=100-", "if-range": etag}
    assert body(ask(scene, "scientist", "archive/?formats=seg", **asked)) == whole[100:]
    withdraw(agreed, 1)
    after = ask(scene, "scientist", "archive/?formats=seg", **asked)
    assert after.status_code == 200
    assert after.headers["ETag"] != etag
    held = names(after)
    assert "cases/0001/seg/CT.dcm" not in held
    assert "cases/0002/seg/CT.dcm" in held


# The list of all ------------------------------------------------------------------------------------------


def test_the_list_of_all_holds_what_each_may_know(scene, release) -> None:
    def listed(who: str) -> list[str]:
        answer = signed_in(scene.people[who]).get("/api/v1/releases/")
        return [one["name"] for one in answer.json()["results"]]

    assert listed("scientist") == listed("lead") == ["respond@2", "respond@1"]
    assert listed("stranger") == listed("reader") == listed("manager") == []
    for project, expected in (("respond", 2), ("another", 0), ("", 2)):
        _, secret = make_token(by=scene.people["scientist"], scope="releases", project=project)
        answer = Client().get("/api/v1/releases/", headers={"Authorization": f"Bearer {secret}"})
        assert answer.json()["count"] == expected


# Freezing -------------------------------------------------------------------------------------------------


def test_a_lead_freezes_by_the_api_and_stops_it(scene) -> None:
    for submission in Submission.objects.all():
        facts.fill(submission.pk)  # as a job does; cases are parted by them
    choice = {
        "title": "Third look",
        "licence": "CC BY 4.0",
        "content": "readers",
        "formats": ["nifti", "json"],
        "split": {"kind": "parts", "train": 50, "validation": 0, "test": 50, "seed": "7"},
        "sequestered": "marks",
    }
    answer = state(scene, "lead", "", **choice)
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert {key: told[key] for key in ("title", "licence", "content", "sequestered")} == {
        key: choice[key] for key in ("title", "licence", "content", "sequestered")
    }
    assert told["split"]["seed"] == "7"
    release = Release.objects.get(number=told["number"])
    assert (release.state, release.formats) == ("writing", ["nifti", "json"])
    assert state(scene, "scientist", f"{release.number}/cancel/").status_code == 403
    stopped = state(scene, "lead", f"{release.number}/cancel/")
    assert stopped.status_code == 200
    assert stopped.json()["state"] == "cancelled"
    again = state(scene, "lead", f"{release.number}/cancel/")
    assert again.status_code == 400
    assert "nothing to cancel" in again.json()["reason"]
    refused = signed_in(scene.people["scientist"]).get(f"{BASE}{release.number}/manifest/")
    assert refused.status_code == 409
    assert "was cancelled" in refused.json()["reason"]


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        ({"format": ["nifti"]}, "A release has no such choice."),
        ({"formats": ["nrrd"]}, "There is no format 'nrrd'"),
        ({"formats": []}, "at least 1"),
        ({"content": "everything"}, "not a valid choice"),
        ({"split": {"kind": "parts", "trian": 100}}, "A split has no field 'trian'"),
        ({"split": {"kind": "parts", "train": 90, "validation": 0, "test": 0}}, "make 90 percent together"),
        ({"split": [1]}, "A split is an object"),
        ({"sequestered": "marks"}, "Only a test part can be sequestered"),
    ],
)
def test_a_choice_that_is_not_understood_freezes_nothing(scene, choice: dict, sentence: str) -> None:
    answer = state(scene, "lead", "", **choice)
    assert answer.status_code == 400
    assert sentence in json.dumps(answer.json(), ensure_ascii=False)
    assert not Release.objects.filter(number__gt=1).exists()
