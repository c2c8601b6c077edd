from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def from_last_sign_in(apps, schema_editor) -> None:
    """Accounts without a password were signed in to in no other way."""
    identities = apps.get_model("accounts", "ExternalIdentity").objects
    last = apps.get_model("accounts", "User").objects.filter(pk=OuterRef("user_id")).values("last_login")
    without_password = identities.filter(user__password__startswith="!")  # noqa: S106  a lookup
    without_password.update(confirmed_at=Subquery(last))


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_home_of_an_identity"),
    ]

    operations = [
        migrations.AddField(
            model_name="externalidentity",
            name="confirmed_at",
            field=models.DateTimeField(help_text="When its owner last signed in with it", null=True),
        ),
        migrations.RunPython(from_last_sign_in, migrations.RunPython.noop, elidable=True),
    ]
