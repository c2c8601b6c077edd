from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotations", "0013_attempted_objects")]

    operations = [
        migrations.AddField(
            model_name="release",
            name="left_out",
            field=models.JSONField(
                help_text="As frozen: {cases_in_project, reasons: [[why they stayed out, cases], …]}",
                null=True,
            ),
        )
    ]
