"""Which role gives which permissions, and on what it may be granted. The only such table.

A permission granted on an organisation holds on its datasets by the join in `accounts.permissions`;
nothing is copied downward. What is not in this table nobody has.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    """`scope` is what it is granted on: node, organisation, dataset or project."""

    key: str
    scope: str
    title: str
    permissions: frozenset[str]
    explains: str


def _role(key: str, scope: str, title: str, permissions: str, explains: str) -> Role:
    return Role(key, scope, title, frozenset(permissions.split()), explains)


ROLES: tuple[Role, ...] = (
    _role(
        "administrator",
        "node",
        "Node administrator",
        "administer_node",
        "Creates organisations and invites their managers. Sees no images.",
    ),
    _role(
        "member",
        "node",
        "Member",
        "",
        "Has an account: asks questions, requests access, signs in at nodes of the network. Sees no images.",
    ),
    _role(
        "manager",
        "organisation",
        "Manager",
        "manage_organisation create_project view_images import_images",
        "Creates datasets, takes images in and invites members.",
    ),
    _role(
        "project_creator",
        "organisation",
        "Project creator",
        "create_project",
        "May create projects for this organisation.",
    ),
    _role(
        "vault_keeper",
        "organisation",
        "Vault keeper",
        "open_vault",
        "May export the vault, which leads from pseudonyms back to patients. Sees no images.",
    ),
    _role(
        "access_committee",
        "organisation",
        "Access committee",
        "approve_access",
        "Answers requests for access to the organisation's datasets. Sees no images.",
    ),
    _role(
        "data_manager",
        "dataset",
        "Data manager",
        "view_images import_images",
        "Takes images into this dataset and looks after them.",
    ),
    _role(
        "lead",
        "project",
        "Lead",
        "view_project view_images read_cases review_cases manage_project download_releases",
        "Chooses cases and readers, watches the work and freezes releases.",
    ),
    _role(
        "reviewer",
        "project",
        "Reviewer",
        "view_project view_images review_cases",
        "Accepts reads, or returns them with comments.",
    ),
    _role(
        "reader",
        "project",
        "Reader",
        "view_project read_cases",
        "Draws on the cases assigned to them, and sees only those.",
    ),
    _role(
        "scientist",
        "project",
        "Scientist",
        "view_project download_releases",
        "Downloads releases, and sees released cases only.",
    ),
)

BY_KEY: dict[tuple[str, str], Role] = {(role.scope, role.key): role for role in ROLES}


def roles_on(scope: str) -> list[Role]:
    """The roles that can be granted on a node, organisation, dataset or project, strongest first."""
    return [role for role in ROLES if role.scope == scope]
