"""`manage.py verify_archive`: finds what is lost, changed or nobody's, and repairs what can be."""

import os
import time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import AuditRecord, Organisation
from atlas.archive import generations, packs, sealing
from atlas.archive.storage import new_key, storage
from atlas.models import Dataset, Instance
from tests.atlas.slices import series


@pytest.fixture(autouse=True)
def empty_storage(settings, tmp_path, db):
    settings.OBJECTS_DIR = tmp_path / "objects"
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")


def verify(*options: str) -> tuple[int, str]:
    """Exit code and what it said."""
    out = StringIO()
    try:
        call_command("verify_archive", *options, stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def path_of(key: str):
    return storage().folder / key


def age(key: str, hours: float = 2) -> None:
    then = time.time() - hours * 3600
    os.utime(path_of(key), (then, then))


def age_all() -> None:
    for one in list(storage().keys("")):
        age(one.key)


def flip(key: str, at: int) -> None:
    content = bytearray(path_of(key).read_bytes())
    content[at] ^= 1
    path_of(key).write_bytes(content)


def test_an_archive_in_order_is_said_to_be(chest, take):
    take(series([(0, 0, 0)]))  # and one still loose
    age_all()
    code, said = verify()
    assert code == 0
    assert "Read 6 images of 2 series" in said
    assert "All of them are as they were stored." in said
    assert "ORPHAN" not in said
    assert AuditRecord.objects.filter(verb="archive.verified").count() == 1


@pytest.mark.parametrize("at", ["first", "last"])
def test_one_changed_bit_in_a_pack_is_found_in_its_image_alone(chest, at):
    image = Instance.objects.order_by("object_offset")[2]
    flip(chest.pack_key, image.object_offset + (0 if at == "first" else image.size - 1))
    code, said = verify()
    assert code == 1
    assert said.count("CHANGED") == 1
    assert f"series {chest.public_id}, image {image.pk}" in said
    assert image.sop_instance_uid not in said


def test_a_lost_image_is_found_marked_and_the_others_are_shown_again(take):
    outcomes = take(series([(0, 0, z) for z in range(3)]))
    one = sealing.seal(outcomes[0].series_id, rests=False)
    lost = Instance.objects.order_by("pk")[1]
    storage().delete(lost.object_key)
    code, said = verify("--repair")
    assert code == 1
    assert f"LOST       series {one.public_id}, image {lost.pk}" in said
    one.refresh_from_db()
    assert one.frame_count == 2
    assert "1 of its images has changed or been lost" in one.findings[-1]["sentence"]
    code, _ = verify("--repair")
    one.refresh_from_db()
    assert [finding["code"] for finding in one.findings].count("damaged") == 1
    assert code == 1  # it stays lost


@pytest.mark.parametrize("which", ["manifest", "frame table", "thumbnail"])
def test_a_lost_manifest_is_made_anew(chest, which):
    key = {
        "manifest": chest.manifest_key,
        "frame table": generations.frame_table_key(chest.manifest_key),
        "thumbnail": chest.thumbnail_key,
    }[which]
    storage().delete(key)
    assert verify()[0] == 1
    code, said = verify("--repair")
    assert (code, "1 series were described anew" in said) == (0, True)
    code, said = verify()
    assert (code, "All of them" in said) == (0, True)


def test_orphans_older_than_an_hour_go_with_repair_alone(chest):
    old, young, partial = new_key(".dcm"), new_key(".zip"), new_key(".dcm") + ".ab12.partial"
    for key in (old, young, partial):
        storage().put_durable(key, b"nobody's")
    age(old)
    age(partial)
    code, said = verify()
    assert code == 0
    assert said.count("ORPHAN") == 2
    assert "can be deleted with --repair" in said
    assert path_of(old).exists()
    code, said = verify("--repair")
    assert (code, "2 objects that nobody names" in said) == (0, True)
    assert not path_of(old).exists()
    assert not path_of(partial).exists()
    assert path_of(young).exists()


def test_what_waits_for_its_deletion_or_belongs_to_a_kept_generation_is_no_orphan(chest, take):
    from tests.atlas.test_packs import late_image

    take([late_image(chest, 12.5, 9)])
    sealing.seal(chest.pk)
    before = {one.key for one in storage().keys("")}
    age_all()
    code, said = verify("--repair")
    assert (code, "ORPHAN" in said) == (0, False)
    assert {one.key for one in storage().keys("")} == before


def test_a_pack_written_by_a_process_that_was_killed_is_an_orphan(take):
    take(series([(0, 0, z) for z in range(3)]))
    pack = packs.write_pack(list(Instance.objects.all()))
    age_all()
    code, said = verify("--repair")
    assert (code, said.count("ORPHAN")) == (0, 1)
    assert not path_of(pack.key).exists()
    assert "ORPHAN" not in verify()[1]


def test_one_organisation_can_be_checked_alone(chest, take):
    other = Organisation.objects.create(name="Elsewhere", slug="elsewhere", country="NO")
    dataset = Dataset.objects.create(
        organisation=other, name="Other", slug="other", deidentification="already_done"
    )
    take(series([(0, 0, 0)]), into=dataset)
    storage().delete(Instance.objects.get(organisation=other).object_key)
    storage().put_durable(orphan := new_key(), b"x")
    age(orphan)
    assert verify("--organisation", chest.organisation.slug)[0] == 0
    code, said = verify("--organisation", "elsewhere", "--repair")
    assert (code, said.count("LOST"), "ORPHAN" in said) == (1, 1, False)
    assert path_of(orphan).exists()
    with pytest.raises(CommandError, match="There is no organisation “nowhere”"):
        verify("--organisation", "nowhere")
