from django.db import migrations, models


class Migration(migrations.Migration):
    """Tokens that only read, or only download releases."""

    dependencies = [("accounts", "0004_preferences")]

    operations = [
        migrations.AddField(
            model_name="apitoken",
            name="scope",
            field=models.CharField(
                choices=[
                    ("all", "Everything that you may do"),
                    ("read", "Reading only"),
                    ("releases", "Releases only: downloads, and predictions for them"),
                ],
                default="all",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="apitoken",
            name="project",
            field=models.SlugField(
                blank=True,
                db_index=False,
                default="",
                help_text="The only one whose releases it opens; empty: all",
                max_length=60,
            ),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="apitoken",
            constraint=models.CheckConstraint(
                condition=models.Q(("project", ""), ("scope", "releases"), _connector="OR"),
                name="only_releases_of_one_project",
            ),
        ),
    ]
