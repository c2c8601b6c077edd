"""The one place that decides who may do what. Only this module calls guardian.

Roles are granted on the node, an organisation, a dataset or a project, each through a group that holds the
role's permissions on that object. What lies below inherits by join: a permission held on an organisation
holds on its datasets. Studies, cases and reads have no permissions of their own; `policies` modules derive
theirs from these four.
"""

from collections.abc import Collection, Iterable
from typing import cast

from django.apps import apps
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.core.exceptions import PermissionDenied
from django.db import connection, models, transaction
from django.db.models import Q, QuerySet
from django.http import Http404
from guardian.shortcuts import assign_perm, get_objects_for_user
from guardian.utils import get_group_obj_perms_model

from accounts import revocation
from accounts.models import User
from accounts.roles import BY_KEY, Role, roles_on

type Someone = User | AnonymousUser

# What a scope inherits from: the field that points to it. Permissions of the same name hold there too.
INHERITS = {"dataset": "organisation"}


def scope_name(scope: models.Model | type[models.Model] | None) -> str:
    """ "node", "organisation", "dataset" or "project"."""
    return "node" if scope is None else str(scope._meta.model_name)


def objects_for[M: models.Model](user: Someone, permission: str, model: type[M]) -> QuerySet[M]:
    """The organisations, datasets or projects on which this person holds the permission."""
    everything = model._default_manager.all()
    if not user.is_authenticated or not user.is_active:
        return everything.none()
    held = Q(pk__in=_directly(user, permission, model).values("pk"))
    parent_field = INHERITS.get(scope_name(model))
    if parent_field:
        parent = cast(type[models.Model], model._meta.get_field(parent_field).related_model)
        if _knows(parent, permission):
            held |= Q(**{f"{parent_field}__in": objects_for(user, permission, parent).values("pk")})
    return everything.filter(held)


def _knows(model, permission: str) -> bool:
    return permission in {name for name, _ in model._meta.permissions}


def _directly(user: User, permission: str, model: type[models.Model]) -> QuerySet:
    if not _knows(model, permission):
        return model._default_manager.none()
    return get_objects_for_user(
        user,
        permission,  # without its app: with it, guardian looks for one model, and several have view_images
        klass=model,
        accept_global_perms=False,
        with_superuser=False,
    )


def allows(user: Someone, permission: str, scope: models.Model | None) -> bool:
    """Whether this person holds the permission on that organisation, dataset, project, or (None) the node."""
    if not user.is_authenticated or not user.is_active:
        return False
    if scope is None:
        return _node_roles_of(user, permission)
    return objects_for(user, permission, type(scope)).filter(pk=scope.pk).exists()


def _node_roles_of(user: User, permission: str) -> bool:
    wanted = [_group_name(role, None) for role in roles_on("node") if permission in role.permissions]
    return user.groups.filter(name__in=wanted).exists()


def is_member(user: Someone, scope: models.Model | None) -> bool:
    """Whether this person has any role there, on the node, or on what it inherits from."""
    if not user.is_authenticated or not user.is_active:
        return False
    names = [_group_name(role, scope) for role in roles_on(scope_name(scope))]
    if user.groups.filter(name__in=names).exists():
        return True
    parent_field = INHERITS.get(scope_name(scope))
    return parent_field is not None and is_member(user, getattr(scope, parent_field))


def require(user: Someone, permission: str, scope: models.Model | None) -> None:
    """Pass, or raise: Http404 for someone who has nothing to do with it, PermissionDenied for a member
    who lacks this right."""
    if allows(user, permission, scope):
        return
    if scope is not None and not is_member(user, scope):
        raise Http404("There is no such page, or it is not for you.")
    raise PermissionDenied("Your role does not allow this.")


@transaction.atomic
def grant(*, user: User, role: str, scope: models.Model | None) -> None:
    """Give a role. Giving it twice changes nothing. The caller has checked and records it."""
    group = _group_for(BY_KEY[scope_name(scope), role], scope)
    user.groups.add(group)


def lock_role(role: Role, scope: models.Model | None) -> None:
    """Until this transaction ends nobody else passes here for the same role: who counts its holders can
    rely on the count."""
    list(Group.objects.select_for_update().filter(name=_group_name(role, scope)))


@transaction.atomic
def revoke(*, user: User, role: str, scope: models.Model | None) -> None:
    """Take a role away."""
    group = Group.objects.filter(name=_group_name(BY_KEY[scope_name(scope), role], scope)).first()
    if group:
        user.groups.remove(group)
        revocation.announce()


def roles_of(user: Someone, scope: models.Model | None) -> list[Role]:
    """The roles that this person was granted on exactly this, strongest first."""
    if not user.is_authenticated:
        return []
    held = set(user.groups.values_list("name", flat=True))
    return [role for role in roles_on(scope_name(scope)) if _group_name(role, scope) in held]


def held_anywhere(user: Someone) -> set[tuple[str, str]]:
    """(scope name, permission) of every role this person has on anything: one query, enough for a menu.

    It says that there is something to see, never which; pages ask `objects_for` for that.
    """
    if not user.is_authenticated or not user.is_active:
        return set()
    names = user.groups.values_list("name", flat=True)
    roles = (
        BY_KEY.get((scope, key))
        for scope, _, key in (name.split(":") for name in names if name.count(":") == 2)
    )
    return {(role.scope, permission) for role in roles if role for permission in role.permissions}


def members_of(scope: models.Model | None) -> list[tuple[User, Role]]:
    """Everyone with a role on exactly this, by role and name."""
    found: list[tuple[User, Role]] = []
    for role in roles_on(scope_name(scope)):
        people = User.objects.filter(groups__name=_group_name(role, scope), is_active=True)
        found += [(person, role) for person in people.order_by("last_name", "first_name", "username")]
    return found


def held_roles(people: Collection[int], scopes: Iterable[models.Model]) -> dict[int, list[Role]]:
    """By primary key of a person, the roles they have on exactly these: in the order of these, the strongest
    first. One query, however many there are."""
    roles = {_group_name(role, scope): role for scope in scopes for role in roles_on(scope_name(scope))}
    order = {name: at for at, name in enumerate(roles)}
    held = User.objects.filter(pk__in=people, groups__name__in=roles).values_list("pk", "groups__name")
    found: dict[int, list[Role]] = {}
    for person, name in sorted(held, key=lambda row: order[row[1]]):
        found.setdefault(person, []).append(roles[name])
    return found


def holders_of(permission: str, scope: models.Model) -> QuerySet[User]:
    """The people who hold a permission on exactly this organisation, dataset or project."""
    names = [
        _group_name(role, scope) for role in roles_on(scope_name(scope)) if permission in role.permissions
    ]
    return User.objects.filter(groups__name__in=names, is_active=True).distinct()


def _group_name(role: Role, scope: models.Model | None) -> str:
    return f"{role.scope}:{scope.pk if scope is not None else '-'}:{role.key}"


def _group_for(role: Role, scope: models.Model | None) -> Group:
    group, is_new = Group.objects.get_or_create(name=_group_name(role, scope))
    if is_new and scope is not None:
        for codename in role.permissions:
            assign_perm(_permission(codename, type(scope)), group, scope)
    return group


def _permission(codename: str, model: type[models.Model]) -> Permission:
    return Permission.objects.get(
        codename=codename,
        content_type__app_label=model._meta.app_label,
        content_type__model=model._meta.model_name,
    )


@transaction.atomic
def sync_roles() -> None:
    """Give every role group exactly the permissions that the table of roles lists today.

    Groups are made once per object; when a role gains or loses a permission, those that exist must follow.
    Runs after each `migrate`.
    """
    tables = connection.introspection.table_names()
    for model in _scope_models():
        if model._meta.db_table not in tables:  # `migrate` of one app alone
            continue
        held_permissions = get_group_obj_perms_model(model)  # type: ignore[arg-type]
        groups = Group.objects.filter(name__startswith=f"{scope_name(model)}:")
        wanted: set[tuple[int, int, int]] = set()  # group, object, permission
        existing_objects = set(model._default_manager.values_list("pk", flat=True))
        permission_ids = {
            codename: pk
            for pk, codename in Permission.objects.filter(
                content_type__app_label=model._meta.app_label, content_type__model=model._meta.model_name
            ).values_list("pk", "codename")
        }
        for group_id, name in groups.values_list("pk", "name"):
            scope, object_id, key = name.split(":")
            role = BY_KEY.get((scope, key))
            if role and int(object_id) in existing_objects:
                wanted |= {
                    (group_id, int(object_id), permission_ids[codename]) for codename in role.permissions
                }
        rows = held_permissions._default_manager.filter(group__in=groups)
        held = {
            (g, o, p): pk for pk, g, o, p in rows.values_list("pk", "group", "content_object", "permission")
        }
        rows.filter(pk__in=[pk for row, pk in held.items() if row not in wanted]).delete()
        held_permissions._default_manager.bulk_create(
            held_permissions(group_id=group_id, content_object_id=object_id, permission_id=permission_id)
            for group_id, object_id, permission_id in sorted(wanted - set(held))
        )


def scope_model(name: str) -> type[models.Model]:
    """The model that "organisation", "dataset" or "project" names."""
    return next(model for model in _scope_models() if model._meta.model_name == name)


def _scope_models() -> list[type[models.Model]]:
    """The models that roles are granted on, found by name: those of apps above can't be imported here."""
    names = {role.scope for role in BY_KEY.values()} - {"node"}
    return [model for model in apps.get_models() if model._meta.model_name in names]
