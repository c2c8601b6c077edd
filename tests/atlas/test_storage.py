"""The port: objects that survive, ranges, and one image out of a larger object."""

import io
from dataclasses import dataclass

import pytest

from atlas.archive.storage import ObjectMissing, new_key, open_instance, storage


@dataclass
class Placed:
    object_key: str
    object_offset: int
    size: int


def test_an_image_in_a_pack_reads_like_a_file_of_its_own():
    key = new_key(".zip")
    storage().put_durable(key, b"header" * 5, b"an image", b"what follows")
    with open_instance(Placed(key, 30, 8)) as file:
        assert file.read() == b"an image"
        assert file.read() == b""
        assert file.seek(3) == 3
        assert file.read(100) == b"image"
        assert file.seek(-5, io.SEEK_END) == 3
        assert file.read(2) == b"im"
        assert file.tell() == 5
        with pytest.raises(ValueError, match="before an image"):
            file.seek(-1)
    assert file.closed


def test_an_image_in_an_object_of_its_own_is_that_object():
    key = new_key(".dcm")
    storage().put_durable(key, b"an image")
    with open_instance(Placed(key, 0, 8)) as file:
        assert file.read() == b"an image"


def test_a_pack_that_was_cut_short_is_an_error_not_a_shorter_image():
    key = new_key(".zip")
    storage().put_durable(key, b"0123456789")
    with open_instance(Placed(key, 6, 100)) as file, pytest.raises(EOFError):
        file.read()


def test_an_image_whose_object_is_lost_is_missing():
    with pytest.raises(ObjectMissing):
        open_instance(Placed(new_key(".zip"), 30, 8))


def test_a_derived_key_that_is_put_again_has_the_later_bytes_and_is_never_half_of_them():
    key = new_key()
    storage().put_durable(key, b"first")

    def breaks():
        yield b"sec"
        raise OSError(28, "No space left on device")

    with storage().open(key) as reader:
        with pytest.raises(OSError, match="No space"):
            storage().put_durable(key, breaks())
        assert storage().read_range(key, 0, 5) == b"first"
        storage().put_durable(key, b"second")
        assert reader.read() == b"first"
    assert storage().read_range(key, 0, 6) == b"second"
    assert [one.key for one in storage().keys(key)] == [key]
