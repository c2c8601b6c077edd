"""The vault's page: off by default, turned on by a manager, exported by its keeper only."""

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from accounts import permissions
from accounts.models import AuditRecord, User
from atlas.archive import intake
from atlas.archive.vault_seal import write_public_key
from atlas.models import Dataset, Vault
from tests.atlas.slices import header, part_10, pixels
from tests.cast import person, signed_in

PAGE = "/organisations/karlsund/vault/"


@pytest.fixture
def keeper(organisation) -> User:
    user = person("vera", "Vera", "Lund")
    permissions.grant(user=user, role="vault_keeper", scope=organisation)
    return user


def a_key() -> str:
    return write_public_key(X25519PrivateKey.generate().public_key())


def turn_on(user: User, key: str) -> str:
    return signed_in(user).post(PAGE, {"public_key": key}, follow=True).content.decode()


def exported(user: User) -> list[str]:
    answer = signed_in(user).post(f"{PAGE}export/")
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    return b"".join(answer).decode().splitlines()


def test_a_vault_is_off_until_a_manager_turns_it_on(owner, organisation):
    page = signed_in(owner).get(PAGE).content.decode()
    assert "nobody can go back from a pseudonym to the patient" in page
    assert not Vault.objects.exists()
    key = a_key()
    page = turn_on(owner, key)
    assert "The vault is on" in page
    assert key in page
    assert Vault.objects.get().turned_on_by == owner
    assert AuditRecord.objects.filter(verb="vault.turned_on", actor=owner).count() == 1
    assert "The vault is on already" in turn_on(owner, a_key())
    assert Vault.objects.get().public_key == key


@pytest.mark.parametrize("key", ["", "hello", "A" * 44, "ä" * 20, "A" * 65])
def test_what_is_no_key_turns_nothing_on(owner, organisation, key):
    assert 'class="errors"' in turn_on(owner, key)
    assert not Vault.objects.exists()


def test_its_keeper_exports_sealed_lines_and_that_is_recorded(owner, keeper, organisation):
    turn_on(owner, a_key())
    dataset = Dataset.objects.create(
        organisation=organisation, name="CT", slug="ct", deidentification="at_the_door"
    )
    file = part_10(header(PatientID="770312-1234"), pixels(0))
    (outcome,) = intake.take_in([intake.from_bytes("1.dcm", file)], dataset=dataset)
    assert outcome.status == "stored"
    head, *lines = exported(keeper)
    assert head == "kind,pseudonym,sealed"
    assert sorted(line.split(",")[0] for line in lines) == ["patient", "series", "study"]
    assert "770312" not in "".join(lines)
    page = signed_in(keeper).get(PAGE).content.decode()
    assert "Vera Lund exported it" in page
    assert "3: one for each" in page


def test_a_manager_does_not_export_and_a_keeper_does_not_turn_on(owner, keeper, organisation):
    assert signed_in(keeper).post(PAGE, {"public_key": a_key()}).status_code == 403
    turn_on(owner, a_key())
    assert signed_in(owner).post(f"{PAGE}export/").status_code == 403
    assert "Export</button>" not in signed_in(owner).get(PAGE).content.decode()
    assert not AuditRecord.objects.filter(verb="vault.exported").exists()


def test_without_a_vault_there_is_nothing_to_export(keeper, organisation):
    assert signed_in(keeper).post(f"{PAGE}export/").status_code == 404


@pytest.mark.parametrize(("who", "status"), [("member", 403), ("manager", 404), ("stranger", 404)])
def test_nobody_else_sees_the_page(request, organisation, who, status):
    browser = signed_in(request.getfixturevalue(who))
    assert browser.get(PAGE).status_code == status
    assert browser.post(f"{PAGE}export/").status_code == status


def test_the_organisation_s_page_leads_managers_and_keepers_there(owner, keeper, member, organisation):
    leads = {
        user.username: PAGE in signed_in(user).get("/organisations/karlsund/").content.decode()
        for user in (owner, keeper, member)
    }
    assert leads == {"nina": True, "vera": True, "rui": False}
