from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("network", "0006_facts_of_versions")]

    operations = [
        migrations.AlterField(
            model_name="listing",
            name="is_listed",
            field=models.BooleanField(default=False, help_text="A person has decided to show it"),
        ),
    ]
