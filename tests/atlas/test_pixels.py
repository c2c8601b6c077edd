"""The pixel road: exact bytes for those who may, nothing for anyone else, addresses that stay true."""

import asyncio
import json
from datetime import timedelta

import numpy as np
import pydicom
import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import ApiToken, AuditRecord
from accounts.services.tokens import make_token
from atlas import access
from atlas.archive import generations, sealing, tasks
from atlas.archive.storage import ObjectMissing, storage
from atlas.dicomweb import decisions, pixels, streams
from atlas.models import Series
from tests.atlas.slices import header, part_10
from tests.atlas.slices import pixels as slice_pixels
from tests.cast import signed_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def forgetful(monkeypatch):
    """Each test begins without remembered decisions."""
    pixels._decisions.clear()
    access._remembered.clear()


class Answer:
    def __init__(self, messages: list[dict]) -> None:
        self.status = messages[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
        self.body = b"".join(message.get("body", b"") for message in messages[1:])

    @property
    def reason(self) -> str:
        return json.loads(self.body)["reason"]


async def call(path: str, *, method: str = "GET", **headers: str) -> Answer:
    messages: list[dict] = []

    async def send(message: dict) -> None:
        messages.append(message)

    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": lines}
    await pixels.application(scope, None, send)
    return Answer(messages)


def get(path: str, client: Client | None = None, **options: str) -> Answer:
    if client is not None:
        options["cookie"] = f"csrftoken=x; sessionid={client.cookies['sessionid'].value}"
    return async_to_sync(call)(path, **options)


def test_each_frame_is_the_bytes_of_its_file_in_display_order(chest, manager):
    client = signed_in(manager)
    # Files were made at z = 5, 0, 10, 2.5, 7.5 with pixels 0 to 4.
    for index, number in enumerate([1, 3, 0, 4, 2]):
        answer = get(f"/pixels/{chest.public_id}/1/{index}", client)
        assert answer.status == 200
        assert answer.body == slice_pixels(number).tobytes()
        assert answer.headers["content-length"] == str(len(answer.body))
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "Cookie" in answer.headers["vary"]


def test_a_run_of_frames_is_their_bytes_one_after_the_other(chest, manager):
    client = signed_in(manager)
    answer = get(f"/pixels/{chest.public_id}/1/1-3", client)
    assert answer.body == b"".join(slice_pixels(number).tobytes() for number in (3, 0, 4))
    assert get(f"/pixels/{chest.public_id}/1/0-4", client).headers["content-length"] == "480"


def test_a_long_run_comes_in_pieces(take, manager, monkeypatch):
    monkeypatch.setattr(streams, "CHUNK_BYTES", 1000)
    array = np.arange(3 * 20 * 30, dtype=np.int16).reshape(3, 20, 30)
    one = sealing.seal(take([part_10(header(ImagePositionPatient=None), array)])[0].series_id)
    assert get(f"/pixels/{one.public_id}/1/0-2", signed_in(manager)).body == array.tobytes()


def test_neighbours_in_one_object_are_read_at_once_and_others_in_turn(monkeypatch):
    monkeypatch.setattr(streams, "CHUNK_BYTES", 100)
    spans = [("a", 10, 30), ("a", 40, 30), b"between", ("a", 70, 30), ("b", 100, 250), ("b", 0, 10)]
    assert list(streams._chunks(spans)) == [
        ("a", 10, 60), b"between", ("a", 70, 30), ("b", 100, 100), ("b", 200, 100), ("b", 300, 50),
        ("b", 0, 10),
    ]  # fmt: skip


def test_an_object_that_goes_while_it_is_sent_breaks_the_connection(monkeypatch):
    """Less than was announced; neither the end of a whole answer nor a second beginning."""
    objects = storage()
    monkeypatch.setattr(objects, "read_range_if_cached", lambda *span: None)
    reads = []

    def read_once(key: str, offset: int, length: int) -> bytes:
        reads.append(offset)
        if len(reads) > 1:
            raise ObjectMissing("It is gone.")
        return b"\0" * length

    monkeypatch.setattr(objects, "read_range", read_once)
    messages: list[dict] = []

    async def send(message: dict) -> None:
        messages.append(message)

    async def ask() -> None:
        await streams.send_pieces(send, b"text/plain", [("a", 0, 100), ("b", 0, 100), ("c", 0, 100)], [])

    with pytest.raises(EOFError):
        async_to_sync(ask)()
    assert [message.get("more_body") for message in messages] == [None, True]


def test_a_compressed_frame_of_several_fragments_is_joined(take, manager):
    dataset = pydicom.dcmread(pydicom.data.get_testdata_file("JPEG2000.dcm"))
    whole = next(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=1))
    dataset.PixelData = pydicom.encaps.encapsulate([whole], fragments_per_frame=4)
    dataset["PixelData"].is_undefined_length = True
    dataset.PatientID = "P1"
    path = pydicom.filebase.DicomBytesIO()
    dataset.save_as(path)
    one = sealing.seal(take([path.getvalue()])[0].series_id)
    answer = get(f"/pixels/{one.public_id}/1/0", signed_in(manager))
    assert answer.body.rstrip(b"\0") == whole.rstrip(b"\0")
    assert answer.headers["content-length"] == str(len(answer.body))


def test_the_thumbnail_is_a_picture(chest, manager):
    answer = get(f"/thumbnails/{chest.public_id}/1", signed_in(manager))
    assert (answer.status, answer.headers["content-type"], answer.body[8:12]) == (200, "image/webp", b"WEBP")


def test_a_stranger_gets_404_and_nobody_401_whether_or_not_the_series_exists(chest, stranger):
    client = signed_in(stranger)
    for path in (f"/pixels/{chest.public_id}/1/0", f"/thumbnails/{chest.public_id}/1"):
        there, not_there = get(path, client), get(path.replace(chest.public_id, "0" * 12), client)
        assert (there.status, there.reason) == (not_there.status, not_there.reason) == (404, there.reason)
        assert get(path).status == get(path.replace(chest.public_id, "0" * 12)).status == 401


def test_a_role_taken_away_unheard_closes_the_road_within_seconds(chest, manager):
    client = signed_in(manager)
    path = f"/pixels/{chest.public_id}/1/0"
    clock = [1000.0]
    known = decisions.Decisions(clock=lambda: clock[0])

    async def asked() -> int:
        pixels._decisions[asyncio.get_running_loop()] = known
        return (await call(path, cookie=f"sessionid={client.cookies['sessionid'].value}")).status

    ask = async_to_sync(asked)
    assert ask() == 200
    manager.groups.clear()  # nobody announces it, as after a lost notification
    assert ask() == 200  # remembered
    clock[0] += decisions.DECISION_S + 0.1
    assert ask() == 404
    assert decisions.DECISION_S <= 30


def test_many_frames_at_once_ask_the_database_once(chest, manager, monkeypatch):
    asked: list[str] = []
    original = decisions._decide_now
    monkeypatch.setattr(
        decisions,
        "_decide",
        decisions.database_sync_to_async(
            lambda credentials, series_id: asked.append(series_id) or original(credentials, series_id),
            thread_sensitive=False,
        ),
    )
    cookie = f"sessionid={signed_in(manager).cookies['sessionid'].value}"

    async def all_frames() -> list[Answer]:
        paths = [f"/pixels/{chest.public_id}/1/{at % 5}" for at in range(40)]
        return await asyncio.gather(*(call(path, cookie=cookie) for path in paths))

    assert {answer.status for answer in async_to_sync(all_frames)()} == {200}
    assert len(asked) == 1


def test_a_token_opens_the_road_until_it_ends_or_is_revoked(chest, manager):
    token, secret = make_token(by=manager)
    path = f"/pixels/{chest.public_id}/1/0"
    assert get(path, authorization=f"Bearer {secret}").status == 200
    assert get(path, authorization="Bearer wrong").status == 401
    pixels._decisions.clear()
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert get(path, authorization=f"Bearer {secret}").status == 401


def test_a_superseded_generation_is_answered_for_a_day_and_a_future_one_unknown(chest, manager, take):
    client = signed_in(manager)
    assert get(f"/pixels/{chest.public_id}/2/0", client).status == 404
    before = get(f"/pixels/{chest.public_id}/1/0", client).body
    picture = get(f"/thumbnails/{chest.public_id}/1", client).body
    late = header(
        StudyInstanceUID=chest.study.study_instance_uid,
        SeriesInstanceUID=chest.series_instance_uid,
        ImagePositionPatient=[0, 0, -2.5],
    )
    take([part_10(late, slice_pixels(9))])
    sealing.seal(chest.pk)
    assert get(f"/pixels/{chest.public_id}/2/0", client).body == slice_pixels(9).tobytes()
    assert get(f"/pixels/{chest.public_id}/1/0", client).body == before
    assert get(f"/thumbnails/{chest.public_id}/1", client).body == picture
    for job in ProcrastinateJob.objects.filter(task_name="atlas.delete_superseded"):
        tasks.delete_superseded(**job.args)
    pixels._decisions.clear()
    assert get(f"/pixels/{chest.public_id}/2/0", client).body == slice_pixels(9).tobytes()
    old = get(f"/pixels/{chest.public_id}/1/0", client)
    assert (old.status, old.reason) == (410, "The series has changed since: read its manifest again.")


@pytest.mark.parametrize(
    ("path", "status"),
    [("1/5", 404), ("1/0-5", 416), ("1/3-1", 400), ("0/0", 404), ("1/-1", 404), ("1/a", 404), ("1/0/0", 404)],
)
def test_an_address_that_names_no_frame_says_why(chest, manager, path, status):
    answer = get(f"/pixels/{chest.public_id}/{path}", signed_in(manager))
    assert answer.status == status
    assert answer.reason


def test_head_has_the_length_and_no_body_and_nothing_can_be_written(chest, manager):
    client = signed_in(manager)
    path = f"/pixels/{chest.public_id}/1/0"
    head = get(path, client, method="HEAD")
    assert (head.status, head.headers["content-length"], head.body) == (200, "96", b"")
    put = get(path, client, method="POST")
    assert (put.status, put.headers["allow"]) == (405, "GET, HEAD")


def test_a_browser_that_has_the_frame_is_told_so(chest, manager):
    client = signed_in(manager)
    path = f"/pixels/{chest.public_id}/1/0"
    tag = get(path, client).headers["etag"]
    again = get(path, client, if_none_match=tag)
    assert (again.status, again.body) == (304, b"")


def test_a_lost_object_is_an_error_with_a_sentence_not_an_empty_image(chest, manager):
    table = generations.read_frame_table(chest.manifest_key)
    storage().delete(table.objects[0])
    answer = get(f"/pixels/{chest.public_id}/1/0", signed_in(manager))
    assert answer.status == 500
    assert "administrator" in answer.reason


def test_looking_is_recorded_once_an_hour_with_ids_only(chest, manager):
    client = signed_in(manager)
    for index in range(3):
        get(f"/pixels/{chest.public_id}/1/{index}", client)
    client.get(f"/api/v1/series/{chest.public_id}/manifest/")
    lines = AuditRecord.objects.filter(verb="series.viewed")
    assert [(line.actor, line.object_id, line.facts) for line in lines] == [
        (manager, chest.pk, {"dataset": chest.study.dataset_id})
    ]
    lines.update(at=timezone.now() - timedelta(hours=1))
    access._remembered.clear()
    client.get(f"/api/v1/series/{chest.public_id}/manifest/")
    assert lines.count() == 2


def test_every_length_in_the_manifest_is_what_the_road_delivers(take, manager, test_data):
    """Real files of many transfer syntaxes."""
    client = signed_in(manager)
    files = [path.read_bytes() for path in sorted((test_data / "compressed_wg04").glob("[CMNUX]*1_*.dcm"))]
    ids = {outcome.series_id for outcome in take(files) if outcome.series_id}
    delivered = 0
    for one in [sealing.seal(series_id) for series_id in ids]:
        manifest = generations.read_manifest(one.manifest_key)
        for index, length in enumerate(manifest["frames"]["length"]):
            answer = get(f"/pixels/{one.public_id}/{one.generation}/{index}", client)
            assert (answer.status, len(answer.body)) == (200, length)
            delivered += 1
    assert delivered >= 25
    assert Series.objects.filter(pk__in=ids).exclude(state="ready").count() == 0
