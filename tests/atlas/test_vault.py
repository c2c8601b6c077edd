"""The vault: sealed on the node, opened away from it, by whoever holds the key."""

import csv
import io
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError, call_command
from django.http import Http404

from accounts import permissions
from accounts.models import AuditRecord
from atlas.archive import vault, vault_seal
from atlas.dicom.deidentify import Keys, Profile, deidentify
from atlas.models import Subject, Vault, VaultEntry
from tests.atlas.slices import header, part_10
from tests.cast import person

ROOT = Path(__file__).resolve().parent.parent.parent
SECRET = Keys(b"a secret of at least 32 bytes, for tests only")


@pytest.fixture
def key() -> X25519PrivateKey:
    return X25519PrivateKey.generate()


@pytest.fixture
def boss(organisation):
    user = person("boss")
    permissions.grant(user=user, role="manager", scope=organisation)
    return user


@pytest.fixture
def keeper(organisation):
    user = person("keeper")
    permissions.grant(user=user, role="vault_keeper", scope=organisation)
    return user


@pytest.fixture
def turned_on(organisation, boss, key) -> Vault:
    public_key = vault_seal.write_public_key(key.public_key())
    return vault.turn_on(by=boss, organisation=organisation, public_key=public_key)


def remembered(dataset, *, patient_id="NH-20931", files=1) -> Subject:
    """As intake does: de-identify, make the subject, remember."""
    study = header(PatientID=patient_id, PatientName="Kowalczyk^B")
    results = [deidentify(io.BytesIO(part_10(study)), Profile(), SECRET) for _ in range(files)]
    subject, _ = Subject.objects.get_or_create(
        organisation=dataset.organisation, pseudonym=results[0].header.dataset.PatientID
    )
    vault.remember(dataset, [(result.original, subject.pk, result.header) for result in results])
    return subject


def opened(keyfile: Path, export: Path) -> list[dict[str, str]]:
    out = io.StringIO()
    call_command("open_vault", keyfile, export, stdout=out)
    return list(csv.DictReader(io.StringIO(out.getvalue())))


def test_without_a_vault_nothing_is_remembered(dataset):
    remembered(dataset)

    assert not VaultEntry.objects.exists()


def test_patient_study_and_series_are_remembered_once_and_sealed(dataset, turned_on):
    subject = remembered(dataset, files=3)
    remembered(dataset)

    kinds = VaultEntry.objects.filter(subject=subject).values_list("kind", flat=True)
    assert sorted(kinds) == [
        "patient",
        "series",
        "series",
        "study",
        "study",
    ]  # each call made UIDs of its own
    for entry in VaultEntry.objects.all():
        assert b"NH-20931" not in bytes(entry.sealed)
        assert len(entry.sealed) == 1 + 32 + 128 + 16  # no length tells how long a number was


def test_an_export_opens_away_from_the_node_with_its_key(dataset, turned_on, keeper, key, tmp_path):
    subject = remembered(dataset, patient_id="=HYPERLINK(1)")
    keyfile, export = tmp_path / "key", tmp_path / "export.csv"
    keyfile.write_bytes(vault_seal.private_key_pem(key, b""))
    export.write_text("".join(vault.export(by=keeper, organisation=dataset.organisation)), newline="")

    rows = {row["kind"]: row for row in opened(keyfile, export)}

    assert rows["patient"]["pseudonym"] == subject.pseudonym
    assert rows["patient"]["patient_id"] == "'=HYPERLINK(1)"  # no formula for a spreadsheet
    assert rows["study"]["uid"].startswith("1.2.826.")
    assert "HYPERLINK" not in export.read_text()


def test_another_key_opens_nothing_and_says_so(dataset, turned_on, keeper, tmp_path):
    remembered(dataset)
    keyfile, export = tmp_path / "key", tmp_path / "export.csv"
    keyfile.write_bytes(vault_seal.private_key_pem(X25519PrivateKey.generate(), b""))
    export.write_text("".join(vault.export(by=keeper, organisation=dataset.organisation)), newline="")

    with pytest.raises(CommandError, match="3 entries could not be opened"):
        opened(keyfile, export)


def test_an_entry_can_not_be_given_to_another_pseudonym(key):
    sealed = vault_seal.seal({"patient_id": "1"}, vault.belongs_to("patient", "AAAA"), key.public_key())

    assert vault_seal.unseal(sealed, vault.belongs_to("patient", "AAAA"), key) == {"patient_id": "1"}
    with pytest.raises(vault_seal.CannotOpen):
        vault_seal.unseal(sealed, vault.belongs_to("patient", "BBBB"), key)
    for at in (0, 5, 40, len(sealed) - 1):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(vault_seal.CannotOpen):
            vault_seal.unseal(changed, vault.belongs_to("patient", "AAAA"), key)


def test_only_a_manager_turns_it_on_and_only_once(organisation, boss, keeper, stranger, key):
    public_key = vault_seal.write_public_key(key.public_key())
    with pytest.raises(PermissionDenied):
        vault.turn_on(by=keeper, organisation=organisation, public_key=public_key)
    with pytest.raises(Http404):
        vault.turn_on(by=stranger, organisation=organisation, public_key=public_key)

    vault.turn_on(by=boss, organisation=organisation, public_key=public_key)
    with pytest.raises(ValidationError, match="on already"):
        vault.turn_on(by=boss, organisation=organisation, public_key=public_key)
    assert AuditRecord.objects.get(verb="vault.turned_on").object_id == organisation.pk


@pytest.mark.parametrize("written", ["", "no key", "QUJD", "A" * 43 + "="])
def test_what_is_no_public_key_is_refused(organisation, boss, written):
    with pytest.raises(ValidationError, match="no public key"):
        vault.turn_on(by=boss, organisation=organisation, public_key=written)


def test_only_a_keeper_exports_and_it_is_recorded(organisation, turned_on, boss, keeper, stranger):
    with pytest.raises(PermissionDenied):
        vault.export(by=boss, organisation=organisation)
    with pytest.raises(Http404):
        vault.export(by=stranger, organisation=organisation)

    assert list(vault.export(by=keeper, organisation=organisation)) == ["kind,pseudonym,sealed\r\n"]
    record = AuditRecord.objects.get(verb="vault.exported")
    assert (record.actor, record.object_id, record.facts) == (keeper, organisation.pk, {"entries": 0})


def test_a_keeper_sees_no_images(organisation, dataset, keeper):
    assert not permissions.allows(keeper, "view_images", organisation)
    assert not permissions.allows(keeper, "view_images", dataset)


def test_keys_are_made_without_a_database_and_never_replaced(tmp_path):
    keyfile = tmp_path / "key"
    environment = {**os.environ, "ATLAS_HOME": str(tmp_path / "home")}
    environment.pop("DATABASE_URL", None)
    environment["DJANGO_SETTINGS_MODULE"] = "atlas.settings"
    command = [sys.executable, str(ROOT / "manage.py"), "make_vault_key", str(keyfile)]
    made = subprocess.run(command, capture_output=True, text=True, env=environment, check=True, timeout=120)

    private = vault_seal.read_private_key(keyfile)
    assert made.stdout.strip() == vault_seal.write_public_key(private.public_key())
    assert stat.S_IMODE(keyfile.stat().st_mode) == 0o600
    assert not (tmp_path / "home" / "postgres").exists()
    with pytest.raises(CommandError, match="is there already"):
        call_command("make_vault_key", keyfile)
    assert vault_seal.read_private_key(keyfile).private_bytes_raw() == private.private_bytes_raw()


def test_a_key_may_have_a_passphrase(key, tmp_path):
    keyfile = tmp_path / "key"
    keyfile.write_bytes(vault_seal.private_key_pem(key, b"correct horse"))

    with pytest.raises(TypeError):
        vault_seal.read_private_key(keyfile)
    with pytest.raises(vault_seal.CannotOpen, match="passphrase is another one"):
        vault_seal.read_private_key(keyfile, b"wrong")
    assert (
        vault_seal.read_private_key(keyfile, b"correct horse").private_bytes_raw() == key.private_bytes_raw()
    )


def test_an_image_de_identified_at_the_door_can_be_led_back(dataset, turned_on, keeper, key, take, tmp_path):
    dataset.deidentification = dataset.Deidentification.AT_THE_DOOR
    dataset.deidentification_options = ["dates"]
    dataset.save()
    image = header(PatientID="MRN-7718204", PatientName="Kowalczyk^B")
    (outcome,) = take([part_10(image)], dataset)
    assert outcome.status == "stored"
    keyfile, export = tmp_path / "key", tmp_path / "export.csv"
    keyfile.write_bytes(vault_seal.private_key_pem(key, b""))
    export.write_text("".join(vault.export(by=keeper, organisation=dataset.organisation)), newline="")

    rows = {row["kind"]: row for row in opened(keyfile, export)}

    study = dataset.studies.get()
    assert rows["patient"]["pseudonym"] == study.subject.pseudonym
    assert rows["patient"]["patient_id"] == "MRN-7718204"
    assert rows["study"]["pseudonym"] == study.study_instance_uid
    assert rows["study"]["uid"] == image.StudyInstanceUID
    assert rows["series"]["uid"] == image.SeriesInstanceUID
