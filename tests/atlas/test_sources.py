"""Files, folders and ZIP archives, friendly and hostile."""

import io
import struct
import zipfile

import pytest

from atlas.archive import intake, sources
from atlas.archive.index import NOT_DICOM, REFUSED, STORED
from tests.atlas.conftest import zipped
from tests.atlas.slices import header, part_10, pixels, series


@pytest.fixture
def send(dataset):
    """Take a ZIP archive in: {name: (status, reason)}."""

    def send(content: bytes) -> dict[str, tuple[str, str]]:
        found = sources.in_zip(io.BytesIO(content), "sent.zip")
        return {one.name: (one.status, one.reason) for one in intake.take_in(found, dataset=dataset)}

    return send


def test_an_archive_with_nested_folders_and_other_files_goes_in(send):
    first, second = series([(0, 0, 0), (0, 0, 1)])
    files = {"a/b/1.dcm": first, "a/c/d/IM2": second, "a/notes.txt": b"hello", "__MACOSX/._1": b"\x00\x05"}
    outcome = send(zipped(files))
    assert outcome["sent.zip/a/b/1.dcm"][0] == STORED
    assert outcome["sent.zip/a/c/d/IM2"][0] == STORED
    assert outcome["sent.zip/a/notes.txt"] == (NOT_DICOM, "This is not a DICOM file.")
    assert outcome["sent.zip/__MACOSX/._1"][0] == NOT_DICOM


def test_a_name_that_points_outside_is_only_a_name(send, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["../../evil.dcm", "/etc/evil.dcm", "..\\evil.dcm"]
    outcome = send(zipped({name: part_10(header(), pixels(at)) for at, name in enumerate(names)}))
    assert [status for status, _ in outcome.values()] == [STORED] * 3
    assert list(tmp_path.parent.rglob("evil.dcm")) == []


def test_a_bomb_is_not_opened(send, monkeypatch):
    monkeypatch.setattr(sources, "ZIP_RATIO_FROM_BYTES", 1_000_000)
    bomb = part_10(header(), pixels(0)) + bytes(20_000_000)
    outcome = send(zipped({"bomb.dcm": bomb, "good.dcm": part_10(header(), pixels(1))}))
    assert outcome["sent.zip/bomb.dcm"][0] == REFUSED
    assert "unpacked" in outcome["sent.zip/bomb.dcm"][1]
    assert outcome["sent.zip/good.dcm"][0] == STORED


def test_a_bomb_of_many_small_parts_is_not_opened(send, monkeypatch):
    monkeypatch.setattr(sources, "ZIP_TOTAL_FROM_BYTES", 10_000_000)
    part = part_10(header(), pixels(0)) + bytes(1_000_000)
    outcome = send(zipped({f"{at}.dcm": part for at in range(20)}))
    assert list(outcome) == ["sent.zip"]
    assert "unpacked" in outcome["sent.zip"][1]


def test_a_bomb_of_something_else_is_given_up_after_its_first_bytes(send):
    outcome = send(zipped({"zeros": bytes(50_000_000)}))
    assert outcome["sent.zip/zeros"][0] == NOT_DICOM


def test_archives_in_archives_are_named_not_opened(send):
    inner = zipped({"1.dcm": part_10(header(), pixels(0))})
    assert send(zipped({"inner.zip": inner}))["sent.zip/inner.zip"] == (
        REFUSED,
        "This is a ZIP archive inside another one. Send it by itself.",
    )


def test_an_encrypted_member_is_refused_with_advice(send):
    content = bytearray(zipped({"1.dcm": part_10(header(), pixels(0))}))
    local, central = content.find(b"PK\x03\x04"), content.find(b"PK\x01\x02")
    content[local + 6] |= 1
    content[central + 8] |= 1
    assert "without a password" in send(bytes(content))["sent.zip/1.dcm"][1]


@pytest.mark.parametrize("damage", ["cut", "no directory", "flipped bytes"])
def test_a_damaged_archive_is_refused_with_a_sentence(send, damage):
    content = bytearray(zipped({"1.dcm": part_10(header(), pixels(0))}, zipfile.ZIP_STORED))
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "no directory":
        content = content[: content.find(b"PK\x01\x02")]
    else:
        content[300:310] = b"XXXXXXXXXX"
    (outcome,) = send(bytes(content)).values()
    assert outcome[0] == REFUSED
    assert "damaged" in outcome[1]


def test_an_archive_that_claims_an_endless_directory_is_not_listed(send):
    content = bytearray(zipped({"1.dcm": b"x"}))
    at = content.rfind(b"PK\x05\x06")
    content[at + 12 : at + 16] = struct.pack("<I", 0xFFFFFFF0)
    (outcome,) = send(bytes(content)).values()
    assert "more files than" in outcome[1]


def test_a_dicomdir_is_named_as_a_table_of_contents(dataset):
    import pydicom

    path = pydicom.data.get_testdata_file("DICOMDIR")
    content = open(path, "rb").read()  # noqa: PTH123, SIM115
    (outcome,) = intake.take_in([intake.from_bytes("DICOMDIR", content)], dataset=dataset)
    assert outcome.status == NOT_DICOM
    assert "table of contents" in outcome.reason


def test_a_folder_is_walked_in_order_with_archives_opened_and_dead_links_named(tmp_path, dataset):
    first, second, third = series([(0, 0, 0), (0, 0, 1), (0, 0, 2)])
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "1.dcm").write_bytes(first)
    (tmp_path / "a.zip").write_bytes(zipped({"2.dcm": second}))
    (tmp_path / "c.dcm").write_bytes(third)
    (tmp_path / "dead").symlink_to(tmp_path / "nowhere")
    outcomes = list(intake.take_in(sources.in_paths([tmp_path]), dataset=dataset))
    name = tmp_path.name
    assert [(one.name, one.status) for one in outcomes] == [
        (f"{name}/a.zip/2.dcm", STORED),
        (f"{name}/c.dcm", STORED),
        (f"{name}/dead", REFUSED),
        (f"{name}/b/1.dcm", STORED),
    ]
