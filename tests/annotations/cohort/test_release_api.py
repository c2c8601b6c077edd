"""Releases over REST: who may fetch, ranges, and the ZIP of everything."""

import hashlib
import json
import zipfile
from io import BytesIO

import pytest
from django.http import HttpResponseBase
from django.test import Client

from accounts.models import AuditRecord
from annotations.cohort import releases, uses, writer
from annotations.models import Case, CaseStudy, Release, ReleaseFile
from atlas.archive.zip_layout import Entry, ZipLayout
from tests.annotations.cohort.conftest import Cohort, Shared
from tests.cast import signed_in

BASE = "/api/v1/projects/respond/releases/"


@pytest.fixture(scope="module")
def shared_release(shared: Shared, shared_cohort: Cohort) -> Release:
    with shared.made():
        cohort = shared_cohort.again()
        read = cohort.read()
        cohort.draw(read)
        cohort.accept(read)
        release = releases.freeze(
            by=cohort.people["lead"], project=cohort.project, choice=releases.Choice(licence="CC BY 4.0")
        )
        writer.write_case(release.pk, cohort.case.pk)
        writer.finish(release.pk)
        release.refresh_from_db()
        assert release.state == Release.State.READY, release.problem
        for who in ("lead", "scientist"):
            uses.state_use(by=cohort.people[who], release=release, purpose="To train a model.", agrees=False)
    return release


@pytest.fixture
def release(shared_release: Release, cohort: Cohort) -> Release:
    return Release.objects.get(pk=shared_release.pk)


def body(response: HttpResponseBase) -> bytes:
    return b"".join(response) if response.streaming else response.content


def get(cohort: Cohort, who: str, address: str, **headers: str) -> HttpResponseBase:
    client = Client() if who == "nobody" else signed_in(cohort.people[who])
    return client.get(BASE + address, headers=headers)


@pytest.mark.parametrize("address", ["", "1/", "1/manifest/", "1/files/labels.json", "1/archive/"])
@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("lead", 200),
        ("scientist", 200),
        ("reviewer", 403),
        ("reader", 403),
        ("other_reader", 403),
        ("stranger", 404),
        ("nobody", 401),
    ],
)
def test_who_may_fetch(cohort: Cohort, release: Release, who: str, status: int, address: str) -> None:
    assert get(cohort, who, address).status_code == status


def test_the_manifest_leads_to_every_file(cohort: Cohort, release: Release) -> None:
    client = signed_in(cohort.people["scientist"])
    files = client.get(f"{BASE}1/manifest/").json()["files"]
    assert [file["path"] for file in files] == sorted(file["path"] for file in files)
    assert {file["path"] for file in files} == set(release.files.values_list("path", flat=True))
    assert len(files) > 5
    for file in files:
        answer = client.get(file["url"])
        stored = body(answer)
        assert hashlib.sha256(stored).hexdigest() == file["sha256"]
        assert int(answer.headers["Content-Length"]) == len(stored) == file["size"]
        assert answer.headers["ETag"] == f'"{file["sha256"]}"'


def test_the_detail_says_what_it_is(cohort: Cohort, release: Release) -> None:
    detail = get(cohort, "scientist", "1/").json()
    assert (detail["number"], detail["state"], detail["licence"]) == (1, "ready", "CC BY 4.0")
    assert (detail["cases_done"], detail["cases_total"]) == (1, 1)
    assert detail["manifest_sha256"] == release.manifest_sha256


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-0", 0, 0), ("bytes=5-99", 5, 99), ("bytes=100-", 100, None), ("bytes=-7", -7, None)],
)
@pytest.mark.parametrize("address", ["1/files/manifest.json", "1/archive/"])
def test_a_range_gives_exactly_these_bytes(
    cohort: Cohort, release: Release, address: str, asked: str, first: int, last: int | None
) -> None:
    whole = body(get(cohort, "scientist", address))
    answer = get(cohort, "scientist", address, range=asked)
    expected = whole[first:] if last is None else whole[first : last + 1]
    assert answer.status_code == 206
    assert body(answer) == expected
    start = first % len(whole)
    assert answer.headers["Content-Range"] == f"bytes {start}-{start + len(expected) - 1}/{len(whole)}"


def test_a_range_beyond_the_end_is_416(cohort: Cohort, release: Release) -> None:
    size = release.files.get(path="manifest.json").size
    answer = get(cohort, "scientist", "1/files/manifest.json", range=f"bytes={size}-")
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{size}"
    assert answer.json()["reason"] == f"There are {size} bytes; the range begins beyond them."


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (f"bytes={'9' * 5000}-", 416),
        (f"bytes=0-{'9' * 5000}", 206),
        (f"bytes=-{'9' * 5000}", 206),
        ("bytes=-0", 416),
        ("bytes=" + ",".join(["0-"] * 1000), 416),
        ("bytes=0-0,2-2,4-4", 416),
        ("bytes=\u0663-", 200),
        ("bytes=-5-7", 200),
        ("bytes=1e3-", 200),
    ],
)
def test_ranges_that_nobody_means(cohort: Cohort, release: Release, asked: str, status: int) -> None:
    answer = get(cohort, "scientist", "1/files/labels.json", range=asked)
    assert answer.status_code == status
    size = release.files.get(path="labels.json").size
    if status == 416:
        assert answer.json()["reason"]
    else:
        assert len(body(answer)) == size


@pytest.mark.parametrize("asked", ["bytes=9-3", "bytes=-", "bytes=0-1,5-6", "lines=1-2", "bytes=x"])
def test_what_is_no_single_range_gets_the_whole(cohort: Cohort, release: Release, asked: str) -> None:
    answer = get(cohort, "scientist", "1/files/labels.json", range=asked)
    assert answer.status_code == 200
    assert len(body(answer)) == release.files.get(path="labels.json").size


def test_if_range_and_if_none_match_go_by_the_digest(cohort: Cohort, release: Release) -> None:
    etag = f'"{release.files.get(path="labels.json").sha256}"'
    address = "1/files/labels.json"
    same = {"range": "bytes=0-3", "if-range": etag}
    assert get(cohort, "scientist", address, **same).status_code == 206
    assert get(cohort, "scientist", address, **(same | {"if-range": '"other"'})).status_code == 200
    assert get(cohort, "scientist", address, **{"if-none-match": etag}).status_code == 304
    assert get(cohort, "scientist", address, **{"if-none-match": '"other"'}).status_code == 200


def test_bytes_are_not_compressed_on_the_way_and_any_type_may_be_asked_for(
    cohort: Cohort, release: Release
) -> None:
    asked = {"accept-encoding": "gzip", "accept": "application/zip"}
    answer = get(cohort, "scientist", "1/files/manifest.json", **asked)
    assert answer.status_code == 200
    assert json.loads(body(answer))["format"] == "atlas release"


def test_a_head_request_tells_the_length_without_a_body(cohort: Cohort, release: Release) -> None:
    answer = signed_in(cohort.people["scientist"]).head(f"{BASE}1/archive/")
    assert body(answer) == b""
    assert int(answer.headers["Content-Length"]) == len(body(get(cohort, "scientist", "1/archive/")))


def test_the_archive_is_a_zip_of_every_file(cohort: Cohort, release: Release) -> None:
    answer = get(cohort, "scientist", "1/archive/")
    whole = body(answer)
    assert int(answer.headers["Content-Length"]) == len(whole)
    with zipfile.ZipFile(BytesIO(whole)) as archive:
        assert archive.testzip() is None
        found = {info.filename: archive.read(info) for info in archive.infolist()}
    rows = ReleaseFile.objects.filter(release=release)
    assert set(found) == {f"respond-release-1/{path}" for path in rows.values_list("path", flat=True)}
    for path, sha256 in rows.values_list("path", "sha256"):
        assert hashlib.sha256(found[f"respond-release-1/{path}"]).hexdigest() == sha256


def test_an_archive_fetched_in_pieces_is_the_same(cohort: Cohort, release: Release) -> None:
    whole = body(get(cohort, "scientist", "1/archive/"))
    step = 30_001
    pieces = [
        body(get(cohort, "scientist", "1/archive/", range=f"bytes={first}-{first + step - 1}"))
        for first in range(0, len(whole), step)
    ]
    assert len(pieces) > 3
    assert b"".join(pieces) == whole


def test_every_download_is_written_down_with_its_purpose(cohort: Cohort, release: Release) -> None:
    get(cohort, "scientist", "1/files/labels.json")
    get(cohort, "scientist", "1/archive/")
    get(cohort, "reader", "1/files/labels.json")
    lines = AuditRecord.objects.filter(verb="release.downloaded", object_id=release.pk).order_by("pk")
    file, use = release.files.get(path="labels.json"), release.uses.get(user__username="scientist")
    assert [(line.actor.username, line.facts) for line in lines] == [
        ("scientist", {"use": use.pk, "file": file.pk}),
        ("scientist", {"use": use.pk, "archive": True, "cases": 1}),
    ]


@pytest.mark.parametrize(
    "path",
    [
        "nothing.json",
        "../manifest.json",
        "%2e%2e/manifest.json",
        "cases/../manifest.json",
        "/manifest.json",
        "..\\manifest.json",
        "C:/manifest.json",
        "manifest.json%00",
        "cases/0001/",
        "manifest.json/",
        "MANIFEST.JSON",
        "%ff",
        "a" * 5000,
    ],
)
def test_an_unknown_file_is_404(cohort: Cohort, release: Release, path: str) -> None:
    answer = get(cohort, "scientist", f"1/files/{path}")
    assert answer.status_code == 404
    assert answer.json() == {"reason": "The release has no such file; its manifest names them all."}


@pytest.mark.parametrize(
    ("state", "sentence"), [("writing", "0 of 1 cases done"), ("failed", "Case 1: broken")]
)
def test_an_unfinished_release_answers_409_with_the_reason(
    cohort: Cohort, release: Release, state: str, sentence: str
) -> None:
    problem = "Case 1: broken" if state == "failed" else ""
    Release.objects.update(state=state, cases_done=0, ready_at=None, problem=problem)
    for address in ("1/manifest/", "1/files/manifest.json", "1/archive/"):
        answer = get(cohort, "scientist", address)
        assert answer.status_code == 409
        assert sentence in answer.json()["reason"]


def test_a_release_is_closed_to_a_lead_who_still_reads_one_of_its_cases(
    cohort: Cohort, release: Release
) -> None:
    own = cohort.read("lead")
    for address in ("1/manifest/", "1/files/manifest.json", "1/archive/"):
        answer = get(cohort, "lead", address)
        assert answer.status_code == 403
        assert "still reading case 1" in answer.json()["reason"]
    cohort.accept(own)
    assert get(cohort, "lead", "1/manifest/").status_code == 200


def test_reading_another_case_closes_nothing(cohort: Cohort, release: Release) -> None:
    other = Case.objects.create(project=cohort.project, subject=cohort.case.subject, number=2)
    CaseStudy.objects.create(case=other, study=cohort.series.study, position=1)
    cohort.read("lead", case=other)
    assert get(cohort, "lead", "1/manifest/").status_code == 200


def test_a_zip_beyond_four_gigabytes_has_zip64_fields_where_they_are_needed() -> None:
    """Python's zipfile reads the end of it; the large file itself is never made."""
    from datetime import datetime

    large = 5 * 2**30
    layout = ZipLayout(
        [Entry("large.bin", "a", large, 1), Entry("small.txt", "b", 3, 0x352441C2)], at=datetime(2026, 11, 22)
    )
    pieces = list(layout.pieces(large, layout.size - 1))
    tail = b"".join(piece.data or (b"abc" if piece.key == "b" else b"") for piece in pieces)
    in_large = sum(piece.length for piece in pieces if piece.key == "a")
    assert large + in_large + len(tail) == layout.size

    class Sparse(BytesIO):
        """The tail at its true offset."""

        def seek(self, offset: int, whence: int = 0) -> int:
            base = {0: 0, 1: self.at if hasattr(self, "at") else 0, 2: layout.size}[whence]
            self.at = base + offset
            return self.at

        def tell(self) -> int:
            return self.at

        def read(self, size: int = -1) -> bytes:
            start = self.at - (layout.size - len(tail))
            assert start >= 0, "only the tail is asked for"
            data = tail[start:] if size is None or size < 0 else tail[start : start + size]
            self.at += len(data)
            return data

    with zipfile.ZipFile(Sparse(b"")) as archive:
        assert [(info.filename, info.file_size) for info in archive.infolist()] == [
            ("large.bin", large),
            ("small.txt", 3),
        ]
        assert archive.read("small.txt") == b"abc"
