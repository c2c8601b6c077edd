from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotations", "0012_facts_at")]

    operations = [
        migrations.AddField(
            model_name="releasecase",
            name="attempted",
            field=models.JSONField(
                default=list,
                help_text="Keys of objects that writing it may have put into storage and no file names yet",
            ),
        ),
    ]
