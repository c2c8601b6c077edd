"""Who decides about the roles on something, and taking a role away. Roles are given by invitation."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.http import Http404

from accounts import audit, permissions
from accounts.models import User
from accounts.roles import BY_KEY, Role, roles_on

audit.register("member.added", "member.removed")


def roles_to_give(user: User, scope: models.Model | None) -> list[Role]:
    """The roles that this person may give and take on a node (None), organisation, dataset or project."""
    name = permissions.scope_name(scope)
    roles = roles_on(name)
    if scope is None:
        return roles if permissions.allows(user, "administer_node", None) else []
    if name == "project":
        return roles if permissions.allows(user, "manage_project", scope) else []
    organisation = scope if name == "organisation" else getattr(scope, permissions.INHERITS[name])
    if permissions.allows(user, "manage_organisation", organisation):
        return roles
    if name == "organisation" and permissions.allows(user, "administer_node", None):
        return [role for role in roles if role.key == "manager"]
    return []


def require_right_to_give(user: User, role: str, scope: models.Model | None) -> Role:
    """The role, where this person may give it. Http404 for strangers, PermissionDenied for members."""
    known = BY_KEY.get((permissions.scope_name(scope), role))
    if known is None:
        raise ValidationError({"role": f"There is no role “{role}” here."})
    given = roles_to_give(user, scope)
    if known not in given:
        if not given and not permissions.is_member(user, scope):
            raise Http404("There is no such page, or it is not for you.")
        raise PermissionDenied("Your role does not allow this.")
    return known


@transaction.atomic
def remove_member(*, by: User, person: User, role: str, scope: models.Model | None) -> None:
    """Take a role away at once. The last administrator and the last manager stay."""
    known = require_right_to_give(by, role, scope)
    permissions.lock_role(known, scope)
    holders = [member for member, held in permissions.members_of(scope) if held == known]
    if person not in holders:
        raise ValidationError(f"{person.display_name} does not have this role.")
    if known.key in {"administrator", "manager"} and len(holders) == 1:
        raise ValidationError(f"This is the last {known.title.lower()}. Invite another one first.")
    permissions.revoke(user=person, role=role, scope=scope)
    audit.record(by, "member.removed", scope, person=person.pk, role=role)
