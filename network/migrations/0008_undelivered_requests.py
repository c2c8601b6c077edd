import django.db.models.deletion
from django.db import migrations, models

STATES = [
    ("draft", "Not sent yet"),
    ("sent", "The committee has it"),
    ("undelivered", "Not delivered"),
    ("question", "The committee asks you something"),
    ("approved", "Approved: waits for your agreement"),
    ("granted", "Access granted"),
    ("refused", "Refused"),
    ("withdrawn", "Withdrawn"),
    ("dropped", "Given up: its node never had it"),
    ("ended", "Access has ended"),
]


class Migration(migrations.Migration):
    dependencies = [("network", "0007_listed_by_a_person")]

    operations = [
        migrations.AddField(
            model_name="accessrequest",
            name="subject",
            field=models.CharField(
                blank=True, default="", help_text="The hub's name for whoever asks", max_length=255
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="accesspart",
            name="undelivered",
            field=models.TextField(
                blank=True,
                default="",
                help_text="Why the other node did not take what was last sent to it; empty: it has all",
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="accessmessage",
            name="undelivered",
            field=models.TextField(blank=True, default="", help_text="Why the other node did not take it"),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="accesspart",
            name="state",
            field=models.CharField(choices=STATES, default="draft", max_length=12),
        ),
        migrations.AlterField(
            model_name="accessitem",
            name="listing",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="network.listing"
            ),
        ),
    ]
