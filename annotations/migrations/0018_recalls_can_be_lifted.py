import django.db.models.deletion
import django.db.models.manager
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotations", "0017_handed_in_predictions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelManagers(
            name="recall", managers=[("every", django.db.models.manager.Manager())]
        ),
        migrations.RemoveConstraint(model_name="recall", name="a_case_is_recalled_once"),
        migrations.AddField(model_name="recall", name="lifted_at", field=models.DateTimeField(null=True)),
        migrations.AddField(
            model_name="recall",
            name="lifted_because",
            field=models.CharField(blank=True, max_length=500),
        ),
        migrations.AddField(
            model_name="recall",
            name="lifted_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="recallnotice",
            name="lifting_told_at",
            field=models.DateTimeField(help_text="When they were told that it was lifted", null=True),
        ),
        migrations.AddConstraint(
            model_name="recall",
            constraint=models.UniqueConstraint(
                condition=models.Q(("lifted_at", None)),
                fields=("project", "case_number"),
                name="a_case_is_recalled_once",
            ),
        ),
    ]
