"""STOW-RS: what is stored, under which UIDs, what is refused and why; by real clients and by hand."""

import errno
import io
import threading

import pydicom
import pytest
import requests
from dicomweb_client import DICOMwebClient
from django.db import DatabaseError
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from atlas.archive import committing, intake
from atlas.archive.storage import FileStorage, open_instance
from atlas.models import Dataset, Instance, Series
from tests.atlas.slices import header, part_10, pixels, series

pytestmark = pytest.mark.django_db(transaction=True)

DICOM = "application/dicom"


@pytest.fixture(autouse=True)
def nothing_remembered():
    """Tables are emptied between these tests, and the thread that commits gives its connection back."""
    yield
    thread = committing.committer._thread
    if thread is not None:
        thread.join(5)


@pytest.fixture
def door(organisation) -> Dataset:
    return Dataset.objects.create(
        organisation=organisation,
        name="At the door",
        slug="door",
        deidentification="at_the_door",
        deidentification_options=["dates", "patient_characteristics"],
    )


@pytest.fixture
def post(origin, token, manager):
    """POST parts to a dataset, as the data manager or with other headers."""
    own = token(manager)

    def post(parts, *, slug="chest-ct", study="", kind=DICOM, headers=None, body=None) -> requests.Response:
        edge = b"--edge\r\nContent-Type: " + kind.encode() + b"\r\n\r\n"
        sent = b"".join(edge + one + b"\r\n" for one in parts) + b"--edge--\r\n" if body is None else body
        content_type = f'multipart/related; type="{DICOM}"; boundary=edge'
        address = f"{origin}/dicomweb/datasets/{slug}/studies{'/' + study if study else ''}"
        wanted = {"Content-Type": content_type, **own, **(headers or {})}
        wanted = {name: value for name, value in wanted.items() if value}
        return requests.post(address, data=sent, headers=wanted, timeout=60)

    return post


def uids(answer: dict, sequence: str) -> list[str]:
    return [item["00081155"]["Value"][0] for item in answer.get(sequence, {"Value": []})["Value"]]


def test_images_are_stored_and_named_in_the_answer(post, dataset, origin):
    files = series([(0, 0, z) for z in range(5)])
    answer = post(files)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/dicom+json"
    stored = list(Instance.objects.order_by("pk"))
    assert sorted(uids(answer.json(), "00081199")) == sorted(one.sop_instance_uid for one in stored)
    assert len(stored) == 5
    assert (stored[0].rows, stored[0].columns, stored[0].bits_allocated) == (6, 8, 16)
    item = answer.json()["00081199"]["Value"][0]
    assert item["00081190"]["Value"][0].startswith(f"{origin}/dicomweb/datasets/chest-ct/studies/")
    assert "00081196" not in item  # nothing was changed
    assert Series.objects.get().instance_count == 5


def test_images_are_deidentified_at_the_door_and_the_answer_warns_of_it(post, door, manager, get):
    from accounts import permissions

    permissions.grant(user=manager, role="data_manager", scope=door)
    original = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    content = io.BytesIO()
    original.PatientName = "Nordmann^Kari"
    original.save_as(content)
    answer = post([content.getvalue()], slug="door")
    assert answer.status_code == 200
    item = answer.json()["00081199"]["Value"][0]
    assert item["00081196"]["Value"] == [0xB000]
    instance = Instance.objects.get()
    assert item["00081155"]["Value"] == [instance.sop_instance_uid]
    assert instance.sop_instance_uid != original.SOPInstanceUID
    with open_instance(instance) as file:
        kept = file.read()
    assert b"Nordmann" not in kept
    assert pydicom.dcmread(io.BytesIO(kept)).PixelData == original.PixelData
    again = post([content.getvalue()], slug="door")
    assert uids(again.json(), "00081199") == [instance.sop_instance_uid]
    assert Instance.objects.count() == 1


def test_dicomweb_client_stores_into_a_study(origin, token, manager, dataset):
    client = DICOMwebClient(f"{origin}/dicomweb/datasets/chest-ct", headers=token(manager))
    files = [pydicom.dcmread(io.BytesIO(one)) for one in series([(0, 0, z) for z in range(3)])]
    client.store_instances(files)
    found = client.search_for_instances()
    assert sorted(one["00080018"]["Value"][0] for one in found) == sorted(one.SOPInstanceUID for one in files)


def test_a_single_image_may_be_the_body(post, dataset):
    content = part_10(header(), pixels(1))
    answer = post([], body=content, headers={"Content-Type": DICOM})
    assert answer.status_code == 200
    assert Instance.objects.count() == 1


def test_what_can_not_be_taken_is_named_and_the_rest_is_stored(post, dataset):
    good, first = part_10(header(), pixels(1)), header()
    other = header(SOPInstanceUID=first.SOPInstanceUID, StudyInstanceUID=first.StudyInstanceUID)
    named = header(PatientBirthDate="19580307")
    post([part_10(first, pixels(1))])
    answer = post([good, b"hello", part_10(other, pixels(2)), part_10(named, pixels(3))])
    assert answer.status_code == 202
    content = answer.json()
    assert len(uids(content, "00081199")) == 1
    assert uids(content, "00081198") == [first.SOPInstanceUID, named.SOPInstanceUID]
    reasons = [item["00081197"]["Value"][0] for item in content["00081198"]["Value"]]
    assert reasons == [0x0111, 0xC000]
    assert "Birth Date" in content["00081198"]["Value"][1]["00000902"]["Value"][0]
    assert "19580307" not in answer.text
    assert content["0008119A"]["Value"][0]["00081197"]["Value"] == [0xC000]


def test_images_of_another_study_than_the_address_are_refused(post, dataset):
    mine, foreign = header(), header()
    answer = post([part_10(mine, pixels(1)), part_10(foreign, pixels(2))], study=mine.StudyInstanceUID)
    assert answer.status_code == 202
    assert uids(answer.json(), "00081198") == [foreign.SOPInstanceUID]
    assert post([part_10(header(), pixels(1))], study=generate_uid()).status_code == 409


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "text/plain"}, b"x", 415),
        (
            {"Content-Type": 'multipart/related; type="application/dicom+json"; boundary=edge'},
            b"--edge--",
            415,
        ),
        ({"Content-Type": "multipart/related; type=application/dicom"}, b"x", 400),
        ({"Content-Encoding": "gzip"}, b"x", 415),
        ({}, b"--edge--\r\n", 400),
        ({}, b"--edge\r\n\r\nhalf", 400),
        ({}, b"nothing of the kind" * 10_000, 400),
        ({"Accept": "application/dicom+xml"}, b"x", 406),
    ],
)
def test_requests_that_make_no_sense_are_told_so(post, dataset, headers, body, status):
    answer = post([], headers=headers, body=body)
    assert answer.status_code == status
    assert answer.json()["reason"].endswith(".")
    assert Instance.objects.count() == 0


def test_strangers_readers_and_sessions_store_nothing(post, dataset, token, stranger, undeclared, manager):
    from accounts import permissions
    from tests.cast import person

    content = part_10(header(), pixels(1))
    assert post([content], headers={"Authorization": ""}).status_code == 401
    assert post([content], headers={"Authorization": "", "Cookie": "sessionid=abc"}).status_code == 401
    assert post([content], headers={"Authorization": "Bearer atlas_unknown"}).status_code == 401
    assert post([content], headers=token(stranger)).status_code == 404
    assert post([content], slug="nowhere").status_code == 404
    viewer = person("vera")
    permissions.grant(user=manager, role="data_manager", scope=undeclared)
    assert post([content], headers=token(viewer)).status_code == 404
    closed = post([content], slug="new")
    assert (closed.status_code, Instance.objects.count()) == (409, 0)
    assert "declare" in closed.json()["reason"]


@pytest.mark.parametrize(
    ("trouble", "status"),
    [(OSError(errno.ENOSPC, "No space left on device"), 507), (RuntimeError("503"), 503)],
)
def test_when_storage_takes_nothing_the_sender_is_told_and_nothing_stays(
    post, dataset, monkeypatch, settings, trouble, status
):
    def refuse(*args):
        raise trouble

    monkeypatch.setattr(FileStorage, "put_durable", refuse)
    for files in (series([(0, 0, 0)]), series([(0, 0, z) for z in range(4)])):
        answer = post(files)
        assert answer.status_code == status
        assert answer.headers["retry-after"] == "60"
    assert Instance.objects.count() == 0
    monkeypatch.undo()
    assert post(files).status_code == 200


def test_when_the_index_takes_nothing_no_object_stays(post, dataset, monkeypatch, settings):
    def broken(*args):
        raise DatabaseError("gone")

    before = set(settings.OBJECTS_DIR.rglob("*.dcm"))
    monkeypatch.setattr(committing, "index", broken)
    assert post(series([(0, 0, z) for z in range(3)])).status_code == 503
    assert set(settings.OBJECTS_DIR.rglob("*.dcm")) == before


def test_four_senders_of_one_series_store_every_image_once(post, dataset, settings):
    files = series([(0, 0, z) for z in range(24)])
    before = len(list(settings.OBJECTS_DIR.rglob("*.dcm")))
    answers = []

    def send(each: int) -> None:
        for at in range(0, len(files), each):
            answers.append(post(files[at : at + each]).status_code)

    threads = [threading.Thread(target=send, args=(each,)) for each in (1, 1, 5, 24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) == {200}
    assert Instance.objects.count() == Series.objects.get().instance_count == 24
    assert len(list(settings.OBJECTS_DIR.rglob("*.dcm"))) - before == 24


def test_an_erased_series_can_be_sent_again(post, dataset):
    files = series([(0, 0, z) for z in range(3)])
    post(files[:2])
    Instance.objects.all().delete()
    Series.objects.all().delete()  # while this process remembers where it was
    assert post(files[2:]).status_code == 200
    assert Series.objects.get().instance_count == 1


def test_large_images_do_not_stay_in_memory(post, dataset, monkeypatch):
    from atlas.dicomweb import stow

    monkeypatch.setattr(stow, "PART_IN_MEMORY_BYTES", 100)
    monkeypatch.setattr(stow, "WRITE_BYTES", 50)
    content = part_10(header(), pixels(1, rows=200, columns=300))
    assert post([content, part_10(header(), pixels(2))]).status_code == 200
    assert stow._held_bytes == 0
    instance = Instance.objects.order_by("-size").first()
    with open_instance(instance) as file:
        assert file.read()[128:] == content[128:]


def test_a_sender_that_goes_away_leaves_the_server_alive(origin, token, manager, post, dataset):
    import socket
    from urllib.parse import urlsplit

    address = urlsplit(origin)
    head = (
        f"POST /dicomweb/datasets/chest-ct/studies HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: {token(manager)['Authorization']}\r\nContent-Length: 1000000\r\n"
        "Content-Type: multipart/related; type=application/dicom; boundary=edge\r\n\r\n--edge\r\n\r\nhalf"
    )
    with socket.create_connection((address.hostname, address.port)) as line:
        line.sendall(head.encode())
    assert post([part_10(header(), pixels(1))]).status_code == 200


def test_a_request_of_too_many_parts_is_refused(post, dataset, monkeypatch):
    from atlas.dicomweb import stow

    monkeypatch.setattr(stow, "PARTS_MAX", 3)
    assert post([b"x"] * 5).status_code == 413


def test_batches_of_one_request_are_committed_as_they_come(post, dataset, monkeypatch):
    from atlas.dicomweb import stow

    monkeypatch.setattr(stow, "COMMIT_AT", 4)
    monkeypatch.setattr(stow, "UNDER_WAY_MAX", 2)
    sizes = []
    commit = intake.commit
    monkeypatch.setattr(
        intake, "commit", lambda stored, into: (sizes.append(len(stored)), commit(stored, into))[1]
    )
    assert post(series([(0, 0, z) for z in range(11)])).status_code == 200
    assert sum(sizes) == Instance.objects.count() == 11
    assert max(sizes) <= 4
