"""Fetching a release: going on, checking, leaving alone, and what is not done when something goes wrong."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from atlas_client import fetching, folder, remote, transfer
from atlas_client.errors import (
    AuthError,
    ClosedError,
    DiskError,
    IntegrityError,
    NetworkError,
    UsageError,
)
from atlas_client.fetching import fetch_release
from atlas_client.remote import RemoteRelease, Selection
from atlas_client.server import Server
from client_tests import fake_node
from client_tests.fake_node import PLACE, TOKEN, FakeNode, Request

CT = "cases/0001/images/CT_a.nii.gz"
EVERYTHING = Selection()


def files_in(to: Path) -> dict[str, bytes]:
    return {
        file.relative_to(to).as_posix(): file.read_bytes()
        for file in to.rglob("*")
        if file.is_file() and ".atlas-client" not in file.parts
    }


def get(release: RemoteRelease, to: Path, **how) -> fetching.Fetched:
    return fetch_release(release, to, EVERYTHING, workers=2, **how)


def test_every_file_comes_as_it_is(node: FakeNode, release: RemoteRelease, tmp_path: Path) -> None:
    done = get(release, tmp_path / "r")
    assert files_in(tmp_path / "r") == node.files
    assert (done.files, done.already_there, done.bytes) == (6, 0, sum(map(len, node.files.values())))
    assert not list((tmp_path / "r").rglob("*.part"))


def test_what_is_there_and_right_is_not_fetched_again(node, release, tmp_path: Path) -> None:
    get(release, tmp_path / "r")
    wrong = tmp_path / "r" / CT
    wrong.write_bytes(bytes(len(node.files[CT])))
    (tmp_path / "r" / "labels.json").unlink()
    (tmp_path / "r" / ".atlas-client" / "checked.json").unlink()  # as if the first call had been killed
    node.asked.clear()
    done = get(release, tmp_path / "r")
    assert {path for path, _ in node.of_files()} == {CT, "labels.json"}
    assert (done.files, done.already_there) == (2, 4)
    assert files_in(tmp_path / "r") == node.files


@pytest.mark.parametrize("breaks", [1, 3])
def test_a_download_that_breaks_off_goes_on_where_it_was(node, release, tmp_path: Path, breaks: int) -> None:
    left = [breaks]

    def before(request: Request) -> bool:
        if request.place.endswith(CT) and left[0]:
            left[0] -= 1
            request.give(node.files[CT], breaks_after=50_000)
            return True
        return False

    node.before = before
    get(release, tmp_path / "r")
    spans = [span for path, span in node.of_files() if path == CT]
    assert len(spans) == breaks + 1
    starts = [int(span.removeprefix("bytes=").rstrip("-") or 0) for span in spans]
    assert starts == sorted(starts)
    assert starts[-1] > 0
    assert files_in(tmp_path / "r") == node.files


def test_a_node_that_knows_no_ranges_begins_again(node, release, tmp_path: Path) -> None:
    first = [True]

    def before(request: Request) -> bool:
        if not request.place.endswith(CT):
            return False
        breaks = 50_000 if first[0] else None
        first[0] = False
        del request.headers["Range"]
        request.give(node.files[CT], breaks_after=breaks)
        return True

    node.before = before
    get(release, tmp_path / "r")
    assert files_in(tmp_path / "r") == node.files


def test_a_node_that_answers_another_range_begins_again(node, release, tmp_path: Path) -> None:
    asked = []

    def before(request: Request) -> bool:
        if not request.place.endswith(CT):
            return False
        asked.append(request.headers.get("Range"))
        if len(asked) == 1:
            request.give(node.files[CT], breaks_after=50_000)
            return True
        if len(asked) == 2:
            request.headers.replace_header("Range", "bytes=7-")
            request.give(node.files[CT])
            return True
        return False

    node.before = before
    get(release, tmp_path / "r")
    assert len(asked) == 3
    assert files_in(tmp_path / "r") == node.files


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_node_that_fails_for_a_while_is_asked_again(node, release, tmp_path: Path, status: int) -> None:
    left = {"manifest": 2, "file": 2}

    def before(request: Request) -> bool:
        kind = "manifest" if request.place.endswith("manifest/") else "file" if CT in request.place else ""
        if kind and left[kind]:
            left[kind] -= 1
            request.tell(status, {"reason": "Not now."}, Retry_After="1")
            return True
        return False

    node.before = before
    get(release, tmp_path / "r")
    assert files_in(tmp_path / "r") == node.files


def test_a_node_that_never_answers_is_given_up_and_what_is_whole_stays(node, release, tmp_path: Path) -> None:
    def before(request: Request) -> bool:
        if CT in request.place:
            request.tell(503, {"reason": "The disk of this node is gone."})
            return True
        return False

    node.before = before
    with pytest.raises(NetworkError, match="The disk of this node is gone"):
        get(release, tmp_path / "r")
    assert not (tmp_path / "r" / CT).exists()
    node.before = lambda request: False
    get(release, tmp_path / "r")
    assert files_in(tmp_path / "r") == node.files


def test_nobody_at_the_address(tmp_path: Path) -> None:
    server = Server("http://127.0.0.1:9", TOKEN, patience_s=1, sleep=lambda seconds: None)
    with pytest.raises(NetworkError, match="The connection to"):
        RemoteRelease(server, "respond@2")


def test_a_token_that_is_revoked_meanwhile_ends_it(node, release, tmp_path: Path) -> None:
    def before(request: Request) -> bool:
        if CT in request.place:
            request.tell(401, {"reason": "This token is unknown, ended or revoked. Make a new one."})
            return True
        return False

    node.before = before
    with pytest.raises(AuthError, match="ended or revoked"):
        get(release, tmp_path / "r")
    assert not (tmp_path / "r" / CT).exists()


def test_a_release_that_is_being_written_is_waited_for(node, monkeypatch, tmp_path: Path) -> None:
    node.state = "writing"
    told: list[str] = []

    def sleep(seconds: float) -> None:
        node.state = "ready"

    release = RemoteRelease(Server(node.url, TOKEN), "respond@2")
    release.wait_until_ready(told.append, sleep=sleep)
    assert told == ["respond@2 is being written: 1 of 3 cases."]
    get(release, tmp_path / "r")
    assert files_in(tmp_path / "r") == node.files


def test_while_tables_are_written_anew_cases_come_and_the_rest_is_waited_for(
    node, release, monkeypatch, tmp_path: Path
) -> None:
    """As when a case that nobody chose is taken out of the release meanwhile."""
    monkeypatch.setattr(remote, "POLL_S", 0.01)
    polls: list[str] = []

    def before(request: Request) -> bool:
        path = request.place.removeprefix(f"{PLACE}files/")
        if node.state == "ready" and not polls and path == CT:  # the first of the cases
            node.state = "writing"
        elif node.state == "writing" and request.place == PLACE:
            polls.append(path)
            if len(polls) > 3:
                node.files["manifest.json"] = b"written anew"
                node.state = "ready"
        elif node.state == "writing" and path in node.files and path not in node.cases:
            request.tell(409, {"reason": "It is being written anew."}, Retry_After="10")
            return True
        return False

    node.before = before
    get(release, tmp_path / "r")
    assert len(polls) > 3
    assert files_in(tmp_path / "r")["manifest.json"] == b"written anew"
    fetched = [path for path, _ in node.of_files() if path in node.cases]
    assert sorted(fetched) == sorted(node.cases), "what was fetched meanwhile is not fetched again"
    assert files_in(tmp_path / "r") == node.files


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_release_that_will_never_be_ready_is_not_waited_for(node, state: str) -> None:
    node.state = state
    release = RemoteRelease(Server(node.url, TOKEN), "respond@2")
    with pytest.raises(ClosedError, match=f"respond@2 is {state}"):
        release.wait_until_ready()


# Many small files ---------------------------------------------------------------------------------------


@pytest.fixture
def small(node: FakeNode) -> dict[str, bytes]:
    """200 files of a kilobyte more."""
    files = {f"cases/0001/annotations/{number:03d}.json": b"%d" % number * 400 for number in range(200)}
    node.files |= files
    node.cases |= dict.fromkeys(files, 1)
    return files


def test_many_small_files_come_in_few_requests(node, release, small, tmp_path: Path) -> None:
    done = get(release, tmp_path / "r")
    assert files_in(tmp_path / "r") == node.files
    assert (done.files, done.bytes) == (len(node.files), sum(map(len, node.files.values())))
    assert not set(small) & {path for path, _ in node.of_files()}
    assert len(node.asked) < 20
    node.asked.clear()
    for path in list(small)[:100]:
        (tmp_path / "r" / path).unlink()
    done = get(release, tmp_path / "r")
    assert (done.files, done.already_there) == (100, len(node.files) - 100)
    assert files_in(tmp_path / "r") == node.files


def test_what_comes_wrong_in_the_archive_comes_file_by_file(
    node, release, small, tmp_path, monkeypatch
) -> None:
    wrong = list(small)[7]
    give = fake_node.archive_of
    monkeypatch.setattr(
        fake_node, "archive_of", lambda files: give(files | {wrong: bytes(len(files[wrong]))})
    )
    get(release, tmp_path / "r")
    assert files_in(tmp_path / "r") == node.files
    assert set(small) & {path for path, _ in node.of_files()} == {wrong}


@pytest.mark.parametrize("what", ["none", "no zip", "another each time", "too much"])
def test_without_an_archive_that_is_one_they_come_file_by_file(
    node, release, small, tmp_path, what: str
) -> None:
    asked: list[str] = []

    def before(request: Request) -> bool:
        if request.place != f"{PLACE}archive/":
            return False
        asked.append(request.place)
        if what == "none":
            request.tell(404, {"reason": "There is none."})
        elif what == "no zip":
            request.give(b"no zip at all" * 100)
        elif what == "another each time":
            request.give(fake_node.archive_of(node.files), etag=str(len(asked)))
        else:
            request.tell(206, ["x" * 100_000], Content_Range="bytes 0-0/900")
        return True

    node.before = before
    get(release, tmp_path / "r")
    assert asked
    assert files_in(tmp_path / "r") == node.files


# Bytes that are not right -------------------------------------------------------------------------------


def test_wrong_bytes_are_never_called_done(node, release, tmp_path: Path) -> None:
    right = node.files[CT]

    def before(request: Request) -> bool:
        if CT in request.place:
            request.give(bytes(len(right)), etag=transfer.hashlib.sha256(right).hexdigest())
            return True
        return False

    node.before = before
    with pytest.raises(IntegrityError, match="came twice with other bytes"):
        get(release, tmp_path / "r")
    assert not (tmp_path / "r" / CT).exists()
    assert len([path for path, _ in node.of_files() if path == CT]) == 2
    node.before = lambda request: False
    get(release, tmp_path / "r")
    assert files_in(tmp_path / "r") == node.files


def test_a_part_that_was_spoiled_is_fetched_again(node, release, tmp_path: Path) -> None:
    left = [1]

    def before(request: Request) -> bool:
        if CT in request.place and left[0]:
            left[0] = 0
            request.give(node.files[CT], breaks_after=50_000)
            return True
        if CT in request.place:
            request.tell(503, {"reason": "Not now."})
            return True
        return False

    node.before = before
    with pytest.raises(NetworkError):
        get(release, tmp_path / "r")
    spoiled = max(
        (tmp_path / "r" / ".atlas-client" / "parts").glob("*.part"), key=lambda part: part.stat().st_size
    )
    assert spoiled.stat().st_size > 0
    spoiled.write_bytes(bytes(spoiled.stat().st_size))
    node.before = lambda request: False
    get(release, tmp_path / "r")
    assert files_in(tmp_path / "r") == node.files


def test_more_bytes_than_there_are_is_refused(node, release, tmp_path: Path) -> None:
    right = node.files[CT]

    def before(request: Request) -> bool:
        if CT in request.place:
            request.give(right + b"more", etag=transfer.hashlib.sha256(right).hexdigest())
            return True
        return False

    node.before = before
    with pytest.raises(IntegrityError, match="more bytes"):
        get(release, tmp_path / "r")
    assert not (tmp_path / "r" / CT).exists()


def test_a_release_that_changes_under_way_is_read_again(node, release, tmp_path: Path) -> None:
    """The first half of one content and the second of another never become one file."""
    new = bytes(reversed(node.files[CT])) + b"!"
    left = [1]

    def before(request: Request) -> bool:
        if CT in request.place and left[0]:
            left[0] = 0
            request.give(node.files[CT], breaks_after=50_000)
            node.files[CT] = new
            return True
        return False

    node.before = before
    get(release, tmp_path / "r")
    assert files_in(tmp_path / "r")[CT] == new
    assert files_in(tmp_path / "r") == node.files


def test_a_manifest_that_the_release_does_not_name_is_refused(node, release, tmp_path: Path) -> None:
    lines = node.manifest()
    next(line for line in lines if line["path"] == "manifest.json")["sha256"] = "0" * 64
    node.lines = lines
    with pytest.raises(IntegrityError, match=r"manifest\.json"):
        get(release, tmp_path / "r")
    assert files_in(tmp_path / "r") == {}


# The disk -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_no_broken_file(node, release, tmp_path: Path, monkeypatch, where: str) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")

    def fail(*arguments: object) -> None:
        raise full

    with monkeypatch.context() as patched:
        if where == "write":
            began = transfer._Part.__init__

            def init(part, file: Path, moved) -> None:
                began(part, file, moved)
                part.stream = Filling(part.stream, full)

            patched.setattr(transfer._Part, "__init__", init)
        elif where == "fsync":
            patched.setattr(transfer.os, "fsync", fail)
        else:
            whole = Path.replace
            patched.setattr(
                Path, "replace", lambda file, to: fail() if file.suffix == ".part" else whole(file, to)
            )
        with pytest.raises(DiskError, match="The disk is full"):
            get(release, tmp_path / "r")
    assert not any(path.startswith("cases/") for path in files_in(tmp_path / "r"))
    get(release, tmp_path / "r")
    assert files_in(tmp_path / "r") == node.files


class Filling:
    """A file on a disk with room for 60,000 bytes more."""

    def __init__(self, stream, full: OSError) -> None:
        self._stream, self._full, self._left = stream, full, 60_000

    def write(self, piece: bytes) -> int:
        self._stream.write(piece[: self._left])
        self._left -= len(piece)
        if self._left < 0:
            raise self._full
        return len(piece)

    def __getattr__(self, name: str):
        return getattr(self._stream, name)


def test_too_little_room_is_said_before_anything_is_fetched(node, release, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(fetching, "free_bytes", lambda root: 1000)
    with pytest.raises(DiskError, match="has room for"):
        get(release, tmp_path / "r")
    assert node.of_files() == []


def test_a_client_that_is_killed_goes_on(node, tmp_path: Path) -> None:
    """SIGKILL in the midst of a file; the next call fetches the rest of it."""

    def slow(request: Request) -> bool:
        if CT not in request.place or request.headers.get("Range"):
            return False
        data = node.files[CT]
        request.send_response(200)
        request.send_header("ETag", f'"{transfer.hashlib.sha256(data).hexdigest()}"')
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data[:150_000])
        request.wfile.flush()
        time.sleep(20)
        return True

    node.before = slow
    to = tmp_path / "r"
    environment = os.environ | {
        "ATLAS_URL": node.url,
        "ATLAS_TOKEN": TOKEN,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [sys.executable, "-m", "atlas_client", "get", "respond@2", "--to", str(to), "--workers", "1"]
    client = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not any(part.stat().st_size >= 100_000 for part in to.rglob("*.part")):
        assert time.monotonic() < deadline
        assert client.poll() is None
        time.sleep(0.02)
    client.send_signal(signal.SIGKILL)
    client.wait()
    assert not (to / CT).exists()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert files_in(to) == node.files
    assert [span for path, span in node.of_files() if path == CT][-1].startswith("bytes=1")


# Folders ------------------------------------------------------------------------------------------------


def test_another_release_in_the_folder_is_left_alone(node, release, tmp_path: Path) -> None:
    get(release, tmp_path / "r")
    other = RemoteRelease(Server(node.url.replace("127.0.0.1", "localhost"), TOKEN), "respond@2")
    with pytest.raises(UsageError, match="holds respond@2 of"):
        get(other, tmp_path / "r")


def test_two_clients_in_one_folder_are_one_too_many(node, release, tmp_path: Path) -> None:
    to = tmp_path / "r"
    to.mkdir()
    with folder.Folder(to).locked(), pytest.raises(UsageError, match="Another atlas-client"):
        get(release, to)


def test_withdrawn_files_go_and_are_named(node, release, tmp_path: Path) -> None:
    to = tmp_path / "r"
    get(release, to)
    node.withdrawn.add(CT)
    asked: list[list[str]] = []
    done = get(release, to, may_remove=lambda found: asked.append(found) or False)
    assert asked == [[CT]]
    assert done.kept_withdrawn == [CT]
    assert (to / CT).exists()
    done = get(release, to)
    assert done.removed == [CT]
    assert not (to / "cases" / "0001").exists()
    assert set(files_in(to)) == set(node.files) - {CT}


def test_a_case_that_is_withdrawn_under_way_is_left_out(node, release, tmp_path: Path) -> None:
    def before(request: Request) -> bool:
        if CT in request.place:
            node.withdrawn.add(CT)
        return False

    node.before = before
    get(release, tmp_path / "r")
    assert set(files_in(tmp_path / "r")) == set(node.files) - {CT}


def test_verify_names_what_is_wrong_and_what_is_missing(node, release, tmp_path: Path) -> None:
    to = tmp_path / "r"
    get(release, to)
    assert fetching.verify(to) == (6, [], [])
    now = (to / CT).stat()
    (to / CT).write_bytes(bytes(len(node.files[CT])))
    os.utime(to / CT, ns=(now.st_atime_ns, now.st_mtime_ns))  # as a disk that forgets changes no times
    (to / "labels.json").unlink()
    assert fetching.verify(to) == (4, [CT], ["labels.json"])


def test_the_pages_of_a_manifest_are_asked_for_here(node, release, monkeypatch) -> None:
    monkeypatch.setattr("atlas_client.remote.PAGE", 2)
    assert [entry.path for entry in release.entries(EVERYTHING)] == sorted(node.files)
    assert sum(path == f"{PLACE}manifest/" for _, path, _ in node.asked) == 3
