"""GET /api/v1/series/<id>/pack/: a series as one ZIP, whole or in ranges, for who has its dataset."""

import io
import zipfile

from django.db.models import Q
from django.test import Client

from accounts.models import AuditRecord
from atlas import policies
from atlas.archive import sealing
from atlas.archive.storage import storage
from atlas.models import Series
from tests.atlas.slices import series
from tests.atlas.test_packs import late_image
from tests.cast import signed_in


def get(client: Client, one: Series, **headers: str):
    answer = client.get(f"/api/v1/series/{one.public_id}/pack/", headers=headers)
    content = b"".join(answer) if answer.streaming else answer.content
    return answer, content


def test_the_pack_is_what_is_stored_and_can_be_opened(chest, manager):
    answer, content = get(signed_in(manager), chest)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"] == f'attachment; filename="CT-{chest.public_id}.zip"'
    assert content == storage().read_range(chest.pack_key, 0, storage().size(chest.pack_key))
    assert answer["Content-Length"] == str(len(content))
    with zipfile.ZipFile(io.BytesIO(content)) as pack:
        assert len(pack.namelist()) == 5
        assert pack.testzip() is None
    assert AuditRecord.objects.get(verb="series.downloaded").object_id == chest.pk


def test_a_broken_download_goes_on_where_it_stopped(chest, manager):
    client = signed_in(manager)
    whole, content = get(client, chest)
    answer, rest = get(client, chest, range="bytes=1000-", if_range=whole["ETag"])
    assert (answer.status_code, rest) == (206, content[1000:])
    answer, some = get(client, chest, range="bytes=10-19")
    assert (answer["Content-Range"], some) == (f"bytes 10-19/{len(content)}", content[10:20])
    assert get(client, chest, range=f"bytes={len(content)}-")[0].status_code == 416
    assert get(client, chest, if_none_match=whole["ETag"])[0].status_code == 304


def test_a_changed_series_is_not_mixed_with_what_was_downloaded_before(chest, manager, take):
    client = signed_in(manager)
    whole, _ = get(client, chest)
    take([late_image(chest, 12.5, 9)])
    sealing.seal(chest.pk)
    answer, content = get(client, chest, range="bytes=1000-", if_range=whole["ETag"])
    assert answer.status_code == 200
    assert len(zipfile.ZipFile(io.BytesIO(content)).namelist()) == 6


def test_a_series_that_still_arrives_has_no_pack_yet(take, manager):
    one = Series.objects.get(pk=take(series([(0, 0, 0)]))[0].series_id)
    answer, _ = get(signed_in(manager), one)
    assert answer.status_code == 409
    assert "Try again in a minute" in answer.json()["reason"]


def test_strangers_find_nothing_and_those_who_only_look_take_nothing_away(chest, stranger, monkeypatch):
    assert get(signed_in(stranger), chest)[0].status_code == 404
    assert get(Client(), chest)[0].status_code == 401
    monkeypatch.setitem(policies._roads, "a case to read", lambda user: Q(pk=chest.study_id))
    answer, _ = get(signed_in(stranger), chest)
    assert answer.status_code == 403
    assert "take it away" in answer.json()["reason"]
