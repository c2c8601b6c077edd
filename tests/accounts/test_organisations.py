"""Organisations, their members, the node's first person, and roles that follow the table."""

import io
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from guardian.models import GroupObjectPermissionBase

from accounts import permissions, roles
from accounts.models import AuditRecord, Organisation, OrganisationGroupPermission, User
from tests.cast import PASSWORD, signed_in

MEMBERS = "/organisations/karlsund/members/"


def test_an_administrator_creates_an_organisation_and_goes_on_to_its_members(administrator):
    browser = signed_in(administrator)
    answer = browser.post("/organisations/new/", {"name": " Hospital  Ribera Alta ", "country": "ES"})
    assert answer.headers["Location"] == "/organisations/hospital-ribera-alta/members/"
    made = Organisation.objects.get()
    assert (made.name, made.country) == ("Hospital Ribera Alta", "ES")
    assert AuditRecord.objects.filter(
        actor=administrator, verb="organisation.created", object_id=made.pk
    ).exists()
    assert browser.get(answer.headers["Location"]).status_code == 200


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"name": "karlsund university hospital", "country": "SE"}, "of this name already"),
        ({"name": "New", "country": "XX"}, "not one of the available choices"),
        ({"name": "", "country": "SE"}, "This field is required"),
    ],
)
def test_what_can_not_be_used_is_said(administrator, organisation, facts, sentence):
    answer = signed_in(administrator).post("/organisations/new/", facts)
    assert sentence in answer.content.decode()
    assert Organisation.objects.count() == 1


def test_a_name_like_a_page_gets_another_address(administrator):
    signed_in(administrator).post("/organisations/new/", {"name": "New", "country": "SE"})
    assert Organisation.objects.get().slug == "new-2"


@pytest.mark.parametrize(
    ("who", "new", "page", "members"),
    [
        ("administrator", 200, 200, 200),
        ("owner", 403, 200, 200),
        ("member", 403, 200, 200),
        ("outsider", 403, 404, 404),
    ],
)
def test_who_sees_what(request, organisation, who, new, page, members):
    browser = signed_in(request.getfixturevalue(who))
    # The node is no secret to someone with an account: its pages are forbidden, not absent.
    assert browser.get("/organisations/new/").status_code == new
    assert browser.get("/organisations/karlsund/").status_code == page
    assert browser.get(MEMBERS).status_code == members
    assert ("Karlsund" in browser.get("/organisations/").content.decode()) == (page == 200)


def test_strangers_are_asked_to_sign_in(organisation):
    for path in (
        "/organisations/",
        "/organisations/new/",
        "/organisations/karlsund/",
        MEMBERS,
        "/administrators/",
    ):
        assert Client().get(path).headers["Location"] == f"/sign-in/?next={path}"


def remove(browser: Client, person: User, role: str):
    return browser.post(MEMBERS, {"deed": "remove", "person": person.public_id, "role": role}, follow=True)


def test_a_removed_member_loses_the_right_at_once(owner, member, organisation):
    remove(signed_in(owner), member, "project_creator")
    assert not permissions.allows(member, "create_project", organisation)
    assert AuditRecord.objects.filter(actor=owner, verb="member.removed").count() == 1


def test_the_last_manager_stays(owner, organisation):
    assert "the last manager" in remove(signed_in(owner), owner, "manager").content.decode()
    assert permissions.allows(owner, "manage_organisation", organisation)


def test_nobody_removes_without_the_right(member, outsider, owner, administrator, organisation):
    assert remove(signed_in(member), owner, "manager").status_code == 403
    assert remove(signed_in(outsider), owner, "manager").status_code == 404
    # The node's administrator appoints managers, and leaves the rest to them.
    assert remove(signed_in(administrator), member, "project_creator").status_code == 403
    assert permissions.allows(owner, "manage_organisation", organisation)
    assert permissions.allows(member, "create_project", organisation)


def test_an_administrator_sees_no_images(administrator, organisation):
    assert not permissions.allows(administrator, "view_images", organisation)


def create_administrator(password: str, monkeypatch, **options) -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
    told = io.StringIO()
    call_command("create_administrator", password_stdin=True, stdout=told, **options)
    return told.getvalue()


def test_the_first_administrator_comes_from_the_command_line(db, monkeypatch):
    told = create_administrator(PASSWORD, monkeypatch, username="ines", email="ines@example.org")
    assert "ines may now sign in" in told
    ines = User.objects.get(username="ines")
    assert permissions.allows(ines, "administer_node", None)
    assert not ines.is_superuser
    assert Client().login(username="ines", password=PASSWORD)
    assert AuditRecord.objects.filter(verb="member.added", actor=None).count() == 1


def test_a_weak_password_makes_no_account(db, monkeypatch):
    with pytest.raises(CommandError, match="too short"):
        create_administrator("x1", monkeypatch, username="ines", email="ines@example.org")
    assert not User.objects.exists()


def test_an_address_is_taken_once_whatever_its_case(outsider, monkeypatch):
    with pytest.raises(CommandError, match="an account with this address"):
        create_administrator(PASSWORD, monkeypatch, username="ines", email="OTTO@example.org")


def held_by(role: str) -> set[str]:
    rows: list[GroupObjectPermissionBase] = OrganisationGroupPermission.objects.filter(
        group__name__endswith=f":{role}"
    )
    return {row.permission.codename for row in rows}


def test_groups_follow_the_table_of_roles(owner, member, organisation, monkeypatch):
    """A role that gains or loses a permission does so for those who hold it already."""
    changed = tuple(
        replace(role, permissions=frozenset({"create_project", "import_images"}))
        if (role.scope, role.key) == ("organisation", "project_creator")
        else role
        for role in roles.ROLES
    )
    monkeypatch.setattr(permissions, "BY_KEY", {(role.scope, role.key): role for role in changed})
    permissions.sync_roles()
    assert held_by("project_creator") == {"create_project", "import_images"}
    assert permissions.allows(member, "import_images", organisation)
    assert permissions.allows(owner, "manage_organisation", organisation)

    without = {key: role for key, role in permissions.BY_KEY.items() if role.key != "project_creator"}
    monkeypatch.setattr(permissions, "BY_KEY", without)
    permissions.sync_roles()
    assert held_by("project_creator") == set()
    assert not permissions.allows(member, "create_project", organisation)


def test_migrating_again_changes_no_right(owner, organisation):
    before = held_by("manager")
    call_command("migrate", verbosity=0)
    assert held_by("manager") == before == roles.BY_KEY["organisation", "manager"].permissions
