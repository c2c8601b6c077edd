from django.db import migrations


class Migration(migrations.Migration):
    """The right to export an organisation's vault."""

    dependencies = [("accounts", "0002_cache_table")]

    operations = [
        migrations.AlterModelOptions(
            name="organisation",
            options={
                "default_permissions": (),
                "ordering": ["name"],
                "permissions": [
                    ("manage_organisation", "Create datasets, invite members"),
                    ("create_project", "Create projects"),
                    ("view_images", "View every image of the organisation"),
                    ("import_images", "Take images in"),
                    ("open_vault", "Export the vault that leads back to patients"),
                ],
            },
        )
    ]
