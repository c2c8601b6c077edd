from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotations", "0010_releases")]

    operations = [
        migrations.RemoveField("releaseread", "case"),
        migrations.RemoveField("releaseread", "release"),
        migrations.RemoveField("releaseread", "written_at"),
        migrations.AlterField(
            "releaseread",
            "release_case",
            models.ForeignKey(
                on_delete=models.deletion.CASCADE, related_name="reads", to="annotations.releasecase"
            ),
        ),
    ]
