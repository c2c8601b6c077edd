"""S3 beside files, against a real server: the same port, clear errors, nothing half-stored."""

import io
import os
import zipfile
from datetime import UTC, datetime, timedelta

import obstore
import pydicom
import pytest
from obstore.store import S3Store

from atlas.archive import generations, s3, sealing
from atlas.archive import storage as storages
from atlas.archive.storage import (
    ObjectMissing,
    StorageUnavailable,
    is_storage_trouble,
    new_key,
    open_instance,
    storage,
)
from atlas.models import Instance
from tests.atlas.s3_server import BUCKET, KEY, SECRET, free_port, running_s3_server
from tests.atlas.slices import pixels, series

LARGE = 3 * s3.MULTIPART_BYTES + 12_345


@pytest.fixture(scope="module")
def server():
    with running_s3_server() as address:
        yield address


@pytest.fixture
def bucket(server, settings, monkeypatch, request):
    """The node keeps its objects in S3, below a prefix of this test."""
    monkeypatch.setenv("ATLAS_S3_ENDPOINT", server)
    monkeypatch.setenv("ATLAS_S3_KEY", KEY)
    monkeypatch.setenv("ATLAS_S3_SECRET", SECRET)
    settings.OBJECTS_URL = f"s3://{BUCKET}/{request.node.name[:40]}"
    storages._s3_storage.cache_clear()
    yield
    storages._s3_storage.cache_clear()


def raw_store(server: str) -> S3Store:
    """Around Atlas: what is in the bucket, whoever put it there."""
    return S3Store(
        BUCKET,
        config={"endpoint": server, "access_key_id": KEY, "secret_access_key": SECRET, "region": "us-east-1"},
        client_options={"allow_http": True},
    )


def test_what_was_put_is_read_whole_and_in_ranges(bucket):
    key = new_key(".dcm")
    assert storage().put_durable(key, b"head", io.BytesIO(b" and body"), iter([b", and", b" tail"])) == 23
    assert storage().size(key) == 23
    assert storage().read_range(key, 5, 8) == b"and body"
    assert storage().read_range(key, 5, 0) == b""
    assert storage().read_range_if_cached(key, 0, 4) is None
    with storage().open(key) as file:
        assert file.read(4) == b"head"
        assert file.seek(-4, io.SEEK_END) == 19
        assert file.read() == b"tail"
    with storage().open(key, 5, 3) as file:
        assert file.read() == b"and"


def test_a_large_object_goes_up_in_parts_and_comes_back_the_same(bucket, tmp_path):
    content = os.urandom(LARGE)
    path = tmp_path / "large"
    path.write_bytes(content)
    key = new_key(".zip")
    assert storage().put_durable(key, b"x", path) == LARGE + 1
    assert storage().read_range(key, 1, LARGE) == content
    with storage().open(key, 1, LARGE) as file:
        file.seek(LARGE - 3)
        assert file.read(100) == content[-3:]


def test_ranges_beyond_the_end_are_errors(bucket):
    key = new_key()
    storage().put_durable(key, b"0123456789")
    with pytest.raises(EOFError):
        storage().read_range(key, 5, 6)
    with pytest.raises(EOFError):
        storage().read_range(key, 10, 1)
    with pytest.raises(EOFError):
        storage().open(key, 5, 100)


def test_what_is_not_there_is_missing_and_may_be_deleted_twice(bucket):
    key = new_key()
    with pytest.raises(ObjectMissing):
        storage().read_range(key, 0, 1)
    with pytest.raises(ObjectMissing):
        storage().open(key)
    with pytest.raises(ObjectMissing):
        storage().open(key, 3, 10)
    with pytest.raises(ObjectMissing):
        storage().size(key)
    storage().put_durable(key, b"x")
    storage().delete(key)
    storage().delete(key)
    with pytest.raises(ObjectMissing):
        storage().size(key)


def test_keys_are_listed_with_size_and_time_below_the_prefix_of_the_node_alone(bucket, server):
    obstore.put(raw_store(server), "of-someone-else", b"x")
    keys = {new_key(suffix) for suffix in (".dcm", ".zip", "")}
    for key in keys:
        storage().put_durable(key, b"12345")
    listed = list(storage().keys(""))
    assert {one.key for one in listed} == keys
    assert {one.size for one in listed} == {5}
    assert all(abs(one.modified - datetime.now(UTC)) < timedelta(minutes=5) for one in listed)
    some = sorted(keys)[0]
    assert [one.key for one in storage().keys(some[:10])] == [some]


def test_a_part_that_breaks_on_the_way_leaves_no_object(bucket):
    def breaks(count: int):
        yield from (os.urandom(1024 * 1024) for _ in range(count))
        raise OSError(5, "Input/output error")

    for megabytes in (1, 20):
        key = new_key()
        with pytest.raises(OSError, match="Input/output error"):
            storage().put_durable(key, breaks(megabytes))
        with pytest.raises(ObjectMissing):
            storage().size(key)


def test_a_store_that_refuses_is_a_sentence_and_stores_nothing(bucket, monkeypatch):
    monkeypatch.setenv("ATLAS_S3_SECRET", "wrong")
    storages._s3_storage.cache_clear()
    with pytest.raises(StorageUnavailable, match="The object store did not store an object") as raised:
        storage().put_durable(new_key(), b"x")
    assert is_storage_trouble(raised.value)
    with pytest.raises(StorageUnavailable):
        storage().put_durable(new_key(), bytes(LARGE))
    with pytest.raises(StorageUnavailable):
        storage().read_range(new_key(), 0, 1)


def test_a_store_that_does_not_answer_is_a_sentence(bucket, monkeypatch):
    monkeypatch.setenv("ATLAS_S3_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    storages._s3_storage.cache_clear()
    with pytest.raises(StorageUnavailable, match="Try again later"):
        storage().put_durable(new_key(), b"x")


def test_an_address_that_is_not_s3_is_said(settings):
    settings.OBJECTS_URL = "/srv/objects"
    with pytest.raises(ValueError, match="must be s3://bucket"):
        storage()


@pytest.mark.django_db(transaction=True)
def test_a_series_is_taken_in_sealed_packed_and_read_from_s3(bucket, take):
    files = series([(0, 0, z) for z in (5, 0, 10)])
    outcomes = take(files)
    one = sealing.seal(outcomes[0].series_id)
    assert (one.state, one.frame_count) == ("ready", 3)
    table = generations.read_frame_table(one.manifest_key)
    assert table.objects == [one.pack_key]
    assert [storage().read_range(one.pack_key, at, length) for _, at, length in table.frames] == [
        pixels(number).tobytes() for number in (1, 0, 2)
    ]
    with storage().open(one.pack_key) as file, zipfile.ZipFile(file) as pack:
        assert pack.testzip() is None
    for instance in Instance.objects.all():
        with open_instance(instance) as file:
            assert str(pydicom.dcmread(file).SOPInstanceUID) == instance.sop_instance_uid


@pytest.mark.django_db(transaction=True)
def test_a_series_waits_while_the_store_refuses(bucket, take, monkeypatch):
    series_id = take(series([(0, 0, 0)]))[0].series_id

    def refuses(*args, **options):
        raise StorageUnavailable("The object store did not store an object.")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(s3.S3Storage, "put_durable", refuses)
        assert sealing.seal(series_id).state == "arriving"
    assert sealing.seal(series_id).state == "ready"
