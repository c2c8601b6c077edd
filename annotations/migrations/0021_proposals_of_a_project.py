import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotations", "0020_reasons_as_codes"),
        ("atlas", "0009_precision_of_clinical_dates"),
    ]

    operations = [
        migrations.AddField(
            model_name="importedsegment",
            name="project",
            field=models.ForeignKey(
                help_text="Whose readers are offered it; null: it came with the images, "
                "so everybody who reads them",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="atlas.project",
            ),
        ),
    ]
