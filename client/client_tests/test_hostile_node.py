"""A node, or whoever sits before it, that tries to write elsewhere, to get tokens, or to fill the disk."""

from pathlib import Path

import pytest

from atlas_client.errors import IntegrityError, NetworkError, UsageError
from atlas_client.fetching import fetch_release, verify
from atlas_client.paths import checked, require_apart
from atlas_client.remote import RemoteRelease, Selection, entry_of
from atlas_client.server import Server, node_url
from client_tests.fake_node import TOKEN, FakeNode, Request, serving, sha256

TRICKS = [
    "../outside.txt",
    "cases/../../outside.txt",
    "cases/..",
    "./labels.json",
    "/etc/cron.d/outside",
    "//server/share/outside",
    "C:/outside.txt",
    "C:outside.txt",
    "c:\\outside.txt",
    "..\\outside.txt",
    "cases\\..\\..\\outside.txt",
    "\\\\server\\share",
    "cases//labels.json",
    "cases/",
    "",
    "a\0b",
    "a\nb",
    "labels.json:stream",
    "CON",
    "cases/aux.txt",
    "cases/LPT1",
    "labels.json.",
    "labels.json ",
    " labels.json",
    "a" * 300,
    "a/" * 600 + "b",
    ".atlas-client/release.json",
    ".ATLAS-CLIENT/lock",
    "~|x",
    None,
    7,
    ["labels.json"],
]


def line(path: object, data: bytes = b"hostile", **more: object) -> dict:
    return {"path": path, "size": len(data), "sha256": sha256(data), "case": None, **more}


@pytest.mark.parametrize("path", TRICKS)
def test_a_name_that_leads_elsewhere_is_refused_and_nothing_is_written(
    node: FakeNode, release: RemoteRelease, tmp_path: Path, path: object
) -> None:
    node.lines = [line("labels.json", b"{}"), line(path)]
    node.before = lambda request: bool("/files/" in request.place and (request.give(b"hostile") or True))
    to = tmp_path / "deep" / "r"
    with pytest.raises(IntegrityError):
        fetch_release(release, to, Selection())
    written = [file for file in tmp_path.rglob("*") if file.is_file() and file.name != "lock"]
    assert written == []
    assert not node.of_files()


@pytest.mark.parametrize(
    "path",
    ["labels.json", "cases/0001/images/CT_4f0a.nii.gz", "tables/x.csv", "a..b", "…/é (1).txt", ".hidden"],
)
def test_names_as_releases_have_them_are_taken(path: str) -> None:
    assert checked(path) == path


@pytest.mark.parametrize(
    "paths", [["a/b", "A/b"], ["a", "a/b"], ["A", "a/b"], ["x", "x"], ["a/b/c", "a/b"], ["straße", "STRASSE"]]
)
def test_names_that_would_be_one_file_are_refused(paths: list[str]) -> None:
    with pytest.raises(IntegrityError):
        require_apart(paths)


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": -1},
        {"size": 1.5},
        {"size": True},
        {"size": "7"},
        {"size": 2**70},
        {"size": None},
        {"sha256": "0" * 63},
        {"sha256": "Z" * 64},
        {"sha256": None},
        {"case": "1"},
    ],
)
def test_a_line_that_could_not_be_checked_is_refused(wrong: dict) -> None:
    with pytest.raises(IntegrityError):
        entry_of(line("labels.json") | wrong)


# Links in the folder -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "link", ["cases", "cases/0001", "labels.json", ".atlas-client", ".atlas-client/parts"]
)
def test_a_link_in_the_folder_is_not_followed(node, release, tmp_path: Path, link: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "labels.json").write_bytes(b"mine")
    to = tmp_path / "r"
    place = to / link
    place.parent.mkdir(parents=True)
    place.symlink_to(outside / "labels.json" if link.endswith(".json") else outside)
    with pytest.raises(IntegrityError, match="is a link"):
        fetch_release(release, to, Selection())
    assert [file.name for file in outside.rglob("*")] == ["labels.json"]
    assert (outside / "labels.json").read_bytes() == b"mine"


def test_a_link_that_comes_while_a_file_does_is_not_followed(node, release, tmp_path: Path) -> None:
    outside, to = tmp_path / "outside", tmp_path / "r"
    outside.mkdir()

    def before(request: Request) -> bool:
        if "/files/cases/0001/" in request.place:
            (to / "cases").symlink_to(outside)
        return False

    node.before = before
    with pytest.raises(IntegrityError, match="is a link"):
        fetch_release(release, to, Selection(), workers=1)
    assert list(outside.rglob("*")) == []


def test_verify_reads_no_file_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(
        '{"files": [{"path": "../x", "size": 1, "sha256": "' + "0" * 64 + '"}]}'
    )
    with pytest.raises(IntegrityError):
        verify(tmp_path)


# The token -----------------------------------------------------------------------------------------------


def test_the_token_is_not_sent_where_a_node_sends_us(node, release, tmp_path: Path) -> None:
    elsewhere = FakeNode()
    heard: list[str | None] = []
    elsewhere.before = lambda request: bool(heard.append(request.headers.get("Authorization")))
    with serving(elsewhere):

        def before(request: Request) -> bool:
            if "/files/" in request.place:
                request.tell(302, {}, Location=f"{elsewhere.url}{request.place}")
                return True
            return False

        node.before = before
        with pytest.raises(NetworkError, match="sends elsewhere"):
            fetch_release(release, tmp_path / "r", Selection())
    assert heard == []


@pytest.mark.parametrize(
    "url", ["http://atlas.example", "ftp://atlas.example", "https://", "https://a:b@c", "http://10.0.0.7"]
)
def test_a_password_goes_to_no_address_in_the_clear(url: str) -> None:
    with pytest.raises(UsageError):
        node_url(url)


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("atlas.example", "https://atlas.example"),
        ("atlas.example:8443/", "https://atlas.example:8443"),
        ("localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("https://atlas.example/node", "https://atlas.example/node"),
    ],
)
def test_addresses_as_people_write_them(url: str, whole: str) -> None:
    assert node_url(url) == whole


def test_what_answers_is_no_node(node) -> None:
    for content in ([], {"hello": 1}, "text", None):
        node.before = lambda request, content=content: bool(request.tell(200, content) or True)
        with pytest.raises(NetworkError):
            RemoteRelease(Server(node.url, TOKEN, patience_s=0), "respond@2")
