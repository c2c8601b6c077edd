"""Projects and their members: who may see them, create them, and who belongs to them."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils.text import slugify

from accounts import audit, permissions
from accounts.models import Invitation, Organisation, User
from accounts.permissions import Someone
from accounts.services import invitations, members
from annotations.models import Read
from annotations.reading import aside
from atlas.models import Project

audit.register("project.created", "project.edited", "reads.taken_back")

NAME_LENGTH_MAX = 200
SLUG_LENGTH_MAX = 60
SLUGS_OF_PAGES = {"new"}


def visible_projects(user: Someone) -> QuerySet[Project]:
    """The projects whose page this person may open."""
    return permissions.objects_for(user, "view_project", Project)


def project_or_404(user: Someone, slug: str, permission: str = "view_project") -> Project:
    """The project, where this person holds the permission. Http404 for strangers, PermissionDenied for
    members whose role doesn't allow it."""
    project = Project.objects.select_related("organisation").filter(slug=slug).first()
    if project is None:
        raise Http404("There is no such page, or it is not for you.")
    permissions.require(user, permission, project)
    return project


def organisations_for_projects(user: Someone) -> QuerySet[Organisation]:
    """The organisations for which this person may create a project."""
    return permissions.objects_for(user, "create_project", Organisation)


@transaction.atomic
def create_project(*, by: User, organisation: Organisation, name: str, description: str = "") -> Project:
    """A new project, with its creator as lead. Raises ValidationError where the name is missing or taken
    within the organisation."""
    permissions.require(by, "create_project", organisation)
    Organisation.objects.select_for_update().get(pk=organisation.pk)  # two forms at once: one project
    name = _checked_name(name, organisation)
    project = Project.objects.create(
        organisation=organisation,
        name=name,
        slug=_free_slug(name),
        description=description.strip(),
        created_by=by,
    )
    permissions.grant(user=by, role="lead", scope=project)
    audit.record(by, "project.created", project, organisation=organisation.pk)
    return project


@transaction.atomic
def edit_project(*, by: User, project: Project, name: str, description: str = "") -> Project:
    """Change name and description; the address stays. Raises ValidationError as `create_project`."""
    permissions.require(by, "manage_project", project)
    Organisation.objects.select_for_update().get(pk=project.organisation_id)
    project.name = _checked_name(name, project.organisation, besides=project)
    project.description = description.strip()
    project.save(update_fields=["name", "description"])
    audit.record(by, "project.edited", project)
    return project


def _checked_name(name: str, organisation: Organisation, besides: Project | None = None) -> str:
    name = " ".join(name.split())
    if not name:
        raise ValidationError({"name": "Give the project a name."})
    if len(name) > NAME_LENGTH_MAX:
        raise ValidationError({"name": f"At most {NAME_LENGTH_MAX} characters; this has {len(name)}."})
    namesakes = Project.objects.filter(organisation=organisation, name__iexact=name)
    if besides is not None:
        namesakes = namesakes.exclude(pk=besides.pk)
    if namesakes.exists():
        raise ValidationError({"name": f"{organisation.name} has a project of this name already."})
    return name


def _free_slug(name: str) -> str:
    base = slugify(name)[:SLUG_LENGTH_MAX].strip("-") or "project"
    taken = set(
        Project.objects.filter(slug__startswith=base[: SLUG_LENGTH_MAX - 8]).values_list("slug", flat=True)
    )
    taken |= SLUGS_OF_PAGES
    slug, count = base, 1
    while slug in taken:
        count += 1
        slug = f"{base[: SLUG_LENGTH_MAX - 8]}-{count}"
    return slug


# Members ---------------------------------------------------------------------------------------


@transaction.atomic
def add_member(*, by: User, project: Project, user: User, role: str) -> bool:
    """Give a person a role in the project. Returns whether it is new to them."""
    known = members.require_right_to_give(by, role, project)
    if known in permissions.roles_of(user, project):
        return False
    permissions.grant(user=user, role=role, scope=project)
    audit.record(by, "member.added", project, person=user.pk, role=role)
    return True


@transaction.atomic
def add_or_invite(*, by: User, project: Project, email: str, role: str, address: str) -> str:
    """Give the role to the account with this e-mail address, or send a letter to it.

    `address` is that of the page which takes the letter, with `{secret}` in it. Returns a sentence for who
    asked. Raises ValidationError by field.
    """
    known = members.require_right_to_give(by, role, project)
    email = email.strip()
    person = User.objects.filter(email__iexact=email, is_active=True).first() if email else None
    if person is not None:
        is_new = add_member(by=by, project=project, user=person, role=role)
        now = "now" if is_new else "already"
        return f"{person.display_name} is {now} {known.title.lower()} in this project."
    Project.objects.select_for_update().get(pk=project.pk)  # the same form sent twice: one letter
    if open_invitations(project).filter(email__iexact=email, role=role).exists():
        return f"A letter to {email} is on its way already."
    invitations.invite(by=by, email=email, role=role, scope=project, address=address)
    return f"A letter to {email} is on its way."


def open_invitations(project: Project) -> QuerySet[Invitation]:
    """Letters that wait for an answer."""
    return invitations.open_invitations(project)


@transaction.atomic
def remove_member(*, by: User, project: Project, user: User, role: str) -> int:
    """Take a role away. A reader's unopened reads are taken back; those they are at are set aside, with all
    that they have drawn.

    Returns how many reads were taken back. Raises ValidationError for the last lead.
    """
    known = members.require_right_to_give(by, role, project)
    Project.objects.select_for_update().get(pk=project.pk)  # two leads removing each other
    if known not in permissions.roles_of(user, project):
        return 0
    if role == "lead" and permissions.holders_of("manage_project", project).count() == 1:
        raise ValidationError("A project needs a lead: make someone else lead first.")
    members.remove_member(by=by, person=user, role=role, scope=project)
    taken_back = 0
    if not permissions.allows(user, "read_cases", project):
        untouched = untouched_reads().filter(case__project=project, reader=user)
        locked = list(untouched.select_for_update(of=("self",)).values_list("pk", flat=True))
        taken_back = Read.objects.filter(pk__in=locked).delete()[1].get("annotations.Read", 0)
        audit.record(by, "reads.taken_back", project, person=user.pk, reads=taken_back)
    aside.set_aside_reads_of(by=by, project=project, user=user)
    return taken_back


def untouched_reads() -> QuerySet[Read]:
    """Reads that nobody has opened or drawn in: they can be taken back without losing anything."""
    untouched = Read.objects.filter(state=Read.State.ASSIGNED, opened_at=None, last_edit_number=0)
    return untouched.exclude(incidental_findings__isnull=False)


def withdraw_invitation(*, by: User, invitation: Invitation) -> None:
    """Take a letter back. Raises ValidationError where it was answered meanwhile."""
    invitations.withdraw(by=by, invitation=invitation)
