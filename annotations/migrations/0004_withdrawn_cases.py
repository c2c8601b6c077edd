from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotations", "0003_derived_objects")]

    operations = [
        migrations.AddField(
            model_name="release",
            name="withdrawn_cases",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="Numbers of cases that were taken out because a subject was erased",
            ),
        ),
    ]
