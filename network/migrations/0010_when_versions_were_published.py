import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("network", "0009_under_which_policy")]

    operations = [
        migrations.AlterField(
            model_name="listingversion",
            name="published_at",
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
    ]
