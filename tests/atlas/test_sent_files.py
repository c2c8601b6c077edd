"""Large files in pieces: what is acknowledged stays, what is missing is asked for, a worker takes it in."""

import errno
import io
import zipfile

import pytest
from django.test import Client

from atlas.archive import intake, pieces, sent_files, uploads
from atlas.archive.storage import ObjectMissing, storage
from atlas.models import Instance, Upload, UploadFile
from tests.atlas.conftest import zipped
from tests.atlas.slices import series
from tests.cast import signed_in

SIZE = 1000  # of a piece, in these tests


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch):
    monkeypatch.setattr(pieces, "PIECE_BYTES", SIZE)


@pytest.fixture
def archive() -> bytes:
    """A ZIP archive of three slices and a text."""
    files = {f"ct/{at}": content for at, content in enumerate(series([(0, 0, z) for z in range(3)]))}
    return zipped({**files, "ct/notes.txt": b"hello"}, zipfile.ZIP_STORED)


@pytest.fixture
def client(manager) -> Client:
    return signed_in(manager)


@pytest.fixture
def upload(client) -> str:
    made = client.post("/api/v1/datasets/chest-ct/uploads/", {}, content_type="application/json").json()
    return f"/api/v1/datasets/chest-ct/uploads/{made['id']}/"


def begun(client: Client, upload: str, content: bytes, name: str = "ct.zip", fingerprint: str = "1") -> dict:
    facts = {"name": name, "size": len(content), "fingerprint": fingerprint}
    answer = client.post(f"{upload}large-files/", facts, content_type="application/json")
    assert answer.status_code == 200, answer.content
    return answer.json()


def piece(client: Client, upload: str, file: dict, offset: int, content: bytes):
    return client.patch(
        f"{upload}large-files/{file['id']}/",
        content,
        content_type="application/octet-stream",
        query_params={"offset": offset},
    )


def send_all(client: Client, upload: str, content: bytes, **names: str) -> UploadFile:
    file = begun(client, upload, content, **names)
    for at in range(file["received"], len(content), SIZE):
        answer = piece(client, upload, file, at, content[at : at + SIZE])
        assert answer.status_code == 200, answer.content
    return UploadFile.objects.get(public_id=file["id"])


def done(client: Client, upload: str) -> dict:
    return client.post(f"{upload}done/").json()


def objects_of(file: UploadFile) -> list[bool]:
    found = []
    for key in pieces.keys_of(file):
        try:
            storage().size(key)
            found.append(True)
        except ObjectMissing:
            found.append(False)
    return found


def test_an_archive_in_pieces_is_taken_in_by_a_worker_and_ends_its_delivery(
    client, upload, archive, django_capture_on_commit_callbacks
):
    file = send_all(client, upload, archive)
    assert (file.received, file.is_taken_in) == (len(archive), False)
    assert done(client, upload)["state"] == "waiting"
    with django_capture_on_commit_callbacks(execute=True):
        sent_files.take_in(file.pk)
    state = client.get(upload).json()
    assert (state["state"], state["stored"], state["refused"], state["files_read"]) == ("done", 3, 1, 4)
    assert state["findings"] == [{"file_name": "ct.zip/ct/notes.txt", "reason": "This is not a DICOM file."}]
    assert state["series_arriving"] == 1
    assert not any(objects_of(file))  # the pieces are needless now


def test_saying_again_that_it_comes_tells_how_much_is_here(client, upload, archive):
    file = begun(client, upload, archive)
    assert (file["received"], file["piece_bytes"]) == (0, SIZE)
    piece(client, upload, file, 0, archive[:SIZE])
    again = begun(client, upload, archive)
    assert (again["id"], again["received"]) == (file["id"], SIZE)
    other = begun(client, upload, archive, fingerprint="changed since")
    assert (other["id"] != file["id"], other["received"]) == (True, 0)


def test_what_was_acknowledged_is_in_storage_byte_for_byte(client, upload, archive):
    file = begun(client, upload, archive)
    for at in (0, SIZE):
        piece(client, upload, file, at, archive[at : at + SIZE])
    stored = UploadFile.objects.get(public_id=file["id"])
    with pieces.opened(stored) as reader:
        assert reader.read() == archive[: 2 * SIZE]
        reader.seek(-SIZE - 7, io.SEEK_END)
        assert reader.read(20) == archive[SIZE - 7 : SIZE + 13]  # across two pieces
    assert set(pieces.keys_in_use()) == set(pieces.keys_of(stored))


@pytest.mark.parametrize(
    ("offset", "length"),
    [(SIZE, SIZE), (7, SIZE), (0, SIZE - 1), (0, SIZE + 1), (0, 0)],
    ids=["too far on", "in the middle", "too short", "too long", "empty"],
)
def test_a_wrong_piece_is_refused_says_where_to_go_on_and_leaves_nothing(
    client, upload, archive, offset, length
):
    file = begun(client, upload, archive)
    answer = piece(client, upload, file, offset, archive[:length])
    assert answer.status_code == 409
    assert answer.json()["received"] == 0
    stored = UploadFile.objects.get(public_id=file["id"])
    assert stored.received == 0
    assert not any(objects_of(stored))


def test_a_piece_whose_acknowledgement_was_lost_is_not_taken_twice(client, upload, archive):
    file = begun(client, upload, archive)
    piece(client, upload, file, 0, archive[:SIZE])
    answer = piece(client, upload, file, 0, archive[:SIZE])
    assert (answer.status_code, answer.json()["received"]) == (409, SIZE)


def test_what_is_no_image_is_refused_after_its_first_piece(
    client, upload, django_capture_on_commit_callbacks
):
    film = b"\x00\x00\x00\x18ftypmp42" + bytes(5 * SIZE)
    file = begun(client, upload, film, name="holiday.mp4")
    with django_capture_on_commit_callbacks(execute=True):
        answer = piece(client, upload, file, 0, film[:SIZE])
    assert (answer.status_code, answer.json()["reason"]) == (400, "This is not a DICOM file.")
    assert not any(objects_of(UploadFile.objects.get()))
    state = client.get(upload).json()
    assert (state["refused"], state["findings"][0]["file_name"]) == (1, "holiday.mp4")
    assert begun(client, upload, film, name="holiday.mp4")["is_taken_in"] is True  # nobody sends it again


def test_a_job_that_was_killed_goes_on_where_it_stopped(client, upload, archive, monkeypatch):
    file = send_all(client, upload, archive)
    monkeypatch.setattr(intake, "BATCH_FILES", 2)
    whole = intake.take_in

    def broken(found, *, dataset):
        for at, outcome in enumerate(whole(found, dataset=dataset)):
            if at == 2:
                raise KeyboardInterrupt
            yield outcome

    monkeypatch.setattr(intake, "take_in", broken)
    with pytest.raises(KeyboardInterrupt):
        sent_files.take_in(file.pk)
    monkeypatch.setattr(intake, "take_in", whole)
    sent_files.take_in(file.pk)
    counts = Upload.objects.get()
    assert (counts.files_read, counts.stored + counts.known, counts.refused) == (4, 3, 1)
    assert counts.known <= 1  # of the batch that was stored, but not counted any more
    sent_files.take_in(file.pk)  # a job may run twice
    assert Upload.objects.get().files_read == 4


def test_a_single_large_image_is_taken_in_too(client, upload):
    (image,) = series([(0, 0, 0)])
    sent_files.take_in(send_all(client, upload, image, name="big.dcm").pk)
    assert Instance.objects.count() == 1


def test_a_file_that_was_not_sent_to_its_end_is_named_when_the_delivery_ends(
    client, upload, archive, django_capture_on_commit_callbacks
):
    file = begun(client, upload, archive)
    piece(client, upload, file, 0, archive[:SIZE])
    with django_capture_on_commit_callbacks(execute=True):
        state = done(client, upload)
    assert state["state"] == "done"
    assert state["findings"] == [{"file_name": "ct.zip", "reason": "It was not sent to its end."}]
    assert not any(objects_of(UploadFile.objects.get()))
    late = piece(client, upload, file, SIZE, archive[SIZE : 2 * SIZE])
    assert late.status_code == 409
    assert "begin another" in late.json()["reason"]


def test_cancelling_keeps_what_is_stored_and_throws_the_rest_away(
    client, upload, archive, django_capture_on_commit_callbacks
):
    (image,) = series([(0, 0, 0)])
    client.put(f"{upload}files/", image, content_type="application/octet-stream", query_params={"name": "1"})
    file = begun(client, upload, archive)
    piece(client, upload, file, 0, archive[:SIZE])
    with django_capture_on_commit_callbacks(execute=True):
        state = client.delete(upload).json()
    assert (state["state"], state["stored"]) == ("done", 1)
    assert not any(objects_of(UploadFile.objects.get()))
    assert Instance.objects.count() == 1


def test_a_large_file_can_be_left_out(client, upload, archive):
    file = begun(client, upload, archive)
    piece(client, upload, file, 0, archive[:SIZE])
    assert client.delete(f"{upload}large-files/{file['id']}/").status_code == 204
    assert client.get(upload).json()["findings"][0]["reason"] == "Left out by its sender."


def test_a_full_disk_refuses_the_piece_and_keeps_nothing_of_it(client, upload, archive, monkeypatch):
    file = begun(client, upload, archive)

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as there:
        there.setattr(type(storage()), "put_durable", full)
        answer = piece(client, upload, file, 0, archive[:SIZE])
    assert (answer.status_code, answer.json()["reason"]) == (
        507,
        "The storage of this node is full; the piece was not stored.",
    )
    assert begun(client, upload, archive)["received"] == 0
    assert piece(client, upload, file, 0, archive[:SIZE]).json()["received"] == SIZE


def test_a_disk_that_stays_full_stops_the_delivery_with_a_sentence(client, upload, archive, monkeypatch):
    file = send_all(client, upload, archive)

    def full(*args, **kwargs):
        raise intake.OutOfSpace("The storage of this node is full; the image was not stored.")

    monkeypatch.setattr(intake, "take_in", full)
    context = type("Context", (), {"job": type("Job", (), {"attempts": 0})})
    with pytest.raises(intake.OutOfSpace):  # so that procrastinate tries again
        sent_files.take_in_sent_file(context, file.pk)
    assert client.get(upload).json()["state"] == "receiving"
    context.job.attempts = sent_files.ATTEMPTS_MAX - 1
    sent_files.take_in_sent_file(context, file.pk)
    state = client.get(upload).json()
    assert state["state"] == "failed"
    assert state["findings"][0]["reason"].startswith("The storage of this node is full;")


def test_a_sender_who_went_away_leaves_no_trace_in_the_counts(client, upload, monkeypatch):
    def gone(self, *args):
        raise ValueError("I/O operation on closed file.")

    monkeypatch.setattr("django.http.request.HttpRequest.read", gone)
    answer = client.put(
        f"{upload}files/", b"x", content_type="application/octet-stream", query_params={"name": "1"}
    )
    assert answer.status_code == 400
    assert Upload.objects.get().files_read == 0


def test_what_nobody_went_on_with_for_a_week_is_ended(client, upload, archive):
    file = begun(client, upload, archive)
    piece(client, upload, file, 0, archive[:SIZE])
    sent_files.forget_abandoned_files(timestamp=0)
    assert client.get(upload).json()["state"] == "receiving"
    UploadFile.objects.update(created_at="2026-01-01T00:00:00Z")
    sent_files.forget_abandoned_files(timestamp=0)
    assert client.get(upload).json()["state"] == "done"


def test_strangers_find_nothing_of_it(client, upload, archive, stranger):
    file = begun(client, upload, archive)
    other = signed_in(stranger)
    facts = {"name": "x", "size": 5, "fingerprint": "1"}
    assert other.post(f"{upload}large-files/", facts, content_type="application/json").status_code == 404
    assert piece(other, upload, file, 0, archive[:SIZE]).status_code == 404
    assert other.delete(f"{upload}large-files/{file['id']}/").status_code == 404
    assert other.delete(upload).status_code == 404
    assert UploadFile.objects.get().received == 0


def test_a_delivery_that_waits_is_ended_by_its_last_file_only(client, upload, archive, manager):
    first = send_all(client, upload, archive)
    (image,) = series([(0, 0, 0)])
    second = send_all(client, upload, image, name="big.dcm")
    uploads.finish(by=manager, upload=Upload.objects.get())
    sent_files.take_in(first.pk)
    assert Upload.objects.get().state == "reading"
    sent_files.take_in(second.pk)
    assert Upload.objects.get().state == "done"
