from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotations", "0005_hanging"),
    ]

    operations = [
        migrations.AddField(
            model_name="labelschema",
            name="questions",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="parkededit",
            name="settled_at",
            field=models.DateTimeField(
                help_text="The reader took it in after all, or left it out", null=True
            ),
        ),
    ]
