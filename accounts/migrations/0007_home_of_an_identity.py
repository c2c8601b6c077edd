from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_external_identities"),
    ]

    operations = [
        migrations.AddField(
            model_name="externalidentity",
            name="home",
            field=models.CharField(
                blank=True, help_text="The node they belong to, by its own word", max_length=200
            ),
        ),
    ]
