from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotations", "0011_releases_hold_cases")]

    operations = [
        migrations.AddField(
            model_name="submission",
            name="facts_at",
            field=models.DateTimeField(
                null=True, help_text="When MarkFact and LabelFact were worked out; null: still to do"
            ),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(
                condition=models.Q(("facts_at", None)), fields=["read"], name="submissions_without_facts"
            ),
        ),
    ]
