from django.db import migrations, models


class Migration(migrations.Migration):
    """Nothing is rewritten: what was kept as a sentence is shown as it is."""

    dependencies = [
        ("annotations", "0019_lesion_matching"),
    ]

    operations = [
        migrations.AlterField(
            model_name="adjudicatedlesion",
            name="disagreements",
            field=models.JSONField(default=list, help_text="Why it needs a person: codes with values"),
        ),
        migrations.AlterField(
            model_name="case",
            name="disagreements",
            field=models.JSONField(default=list, help_text="Why it needs adjudication: codes with values"),
        ),
    ]
