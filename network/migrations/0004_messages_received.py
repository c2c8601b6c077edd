import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("network", "0003_questions_of_organisations")]

    operations = [
        migrations.AddField(
            model_name="node",
            name="catalogue_digest",
            field=models.CharField(
                blank=True, help_text="SHA-256 of the catalogue that it last published here", max_length=64
            ),
        ),
        migrations.AddField(
            model_name="node",
            name="trouble",
            field=models.CharField(
                blank=True,
                help_text="Why the last exchange failed, in a sentence; empty: it went well",
                max_length=500,
            ),
        ),
        migrations.AddConstraint(
            model_name="node",
            constraint=models.UniqueConstraint(
                condition=models.Q(("part", "hub"), models.Q(("state", "left"), _negated=True)),
                fields=("part",),
                name="one_hub_at_a_time",
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="refused",
            field=models.CharField(
                blank=True, help_text="What the other side said to refuse it", max_length=500
            ),
        ),
        migrations.CreateModel(
            name="ReceivedMessage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uid", models.CharField(help_text="Its public id at the sender", max_length=40)),
                ("kind", models.CharField(max_length=40)),
                ("received_at", models.DateTimeField(auto_now_add=True)),
                ("done_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("refused", models.CharField(blank=True, max_length=500)),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="received",
                        to="network.node",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=("node", "uid"), name="a_message_is_received_once")
                ],
            },
        ),
    ]
