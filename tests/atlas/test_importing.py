"""Imports that several processes share: every file once, with its outcome, and errors that are told."""

import os

import pytest
from django.core.management import call_command

from atlas.archive import importing
from atlas.archive.intake import IntakeClosed
from atlas.archive.received import KNOWN, NOT_DICOM, STORED
from atlas.models import Instance, Series, Upload
from tests.atlas.conftest import zipped
from tests.atlas.slices import series

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(tmp_path):
    files = series([(0, 0, z) for z in range(30)])
    for at, content in enumerate(files[:20]):
        (tmp_path / f"{at:02}.dcm").write_bytes(content)
    (tmp_path / "rest.zip").write_bytes(zipped({f"{at}.dcm": one for at, one in enumerate(files[20:])}))
    (tmp_path / "read me.txt").write_text("hello")
    return tmp_path


def test_every_file_is_taken_once_by_whoever_turn_it_is(folder, dataset):
    outcomes = list(importing.take_in_paths([folder], dataset=dataset, processes=3))
    assert sorted(one.status for one in outcomes) == [NOT_DICOM] + [STORED] * 30
    assert len({one.name for one in outcomes}) == 31
    assert Instance.objects.count() == Series.objects.get().instance_count == 30
    again = list(importing.take_in_paths([folder], dataset=dataset, processes=2))
    assert sorted(one.status for one in again) == [KNOWN] * 30 + [NOT_DICOM]


def test_the_command_shares_the_work_and_leaves_sealing_to_workers_when_asked(folder, dataset, capsys):
    call_command("import_dicom", str(folder), dataset="chest-ct", processes=2, seal_later=True)
    assert "30 stored" in capsys.readouterr().out
    assert Series.objects.get().state == Series.State.ARRIVING
    assert (Upload.objects.get().stored, Upload.objects.get().state) == (30, Upload.State.DONE)


def test_a_process_that_ends_is_noticed(folder, dataset, monkeypatch):
    monkeypatch.setattr(importing.intake, "take_in", lambda *args, **kwargs: os._exit(9))
    with pytest.raises(importing.ImportBroke, match="Start the import again"):
        list(importing.take_in_paths([folder], dataset=dataset, processes=2))


def test_a_closed_dataset_is_told_before_anything_begins(folder, undeclared):
    with pytest.raises(IntakeClosed):
        list(importing.take_in_paths([folder], dataset=undeclared, processes=2))
