from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import services  # noqa: F401  registers the verbs of the audit trail

        post_migrate.connect(_sync_roles, sender=self, dispatch_uid="accounts.sync_roles")


def _sync_roles(using: str, **kwargs: object) -> None:
    """After `migrate`: the groups of roles hold what the table of roles says today."""
    from django.contrib.auth.management import create_permissions

    from accounts import permissions

    # Django makes the rows of new permissions in the same round, perhaps after this call.
    for app in apps.get_app_configs():
        create_permissions(app, verbosity=0, using=using)
    permissions.sync_roles()
