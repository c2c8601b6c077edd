import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotations", "0014_left_out"),
        ("atlas", "0007_series_summary"),
    ]

    operations = [
        migrations.DeleteModel("PredictionFile"),
        migrations.AddField(
            "prediction",
            "rank_by",
            models.FloatField(help_text="Mean Dice over labels; the leaderboard's order", null=True),
        ),
        migrations.CreateModel(
            name="PredictedCase",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("scores", models.JSONField(null=True)),
                ("scored_at", models.DateTimeField(null=True)),
                (
                    "prediction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="cases",
                        to="annotations.prediction",
                    ),
                ),
                (
                    "release_case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="predicted",
                        to="annotations.releasecase",
                    ),
                ),
            ],
            options={"ordering": ["release_case__number"]},
        ),
        migrations.AddConstraint(
            "predictedcase",
            models.UniqueConstraint(fields=["prediction", "release_case"], name="case_predicted_once"),
        ),
        migrations.CreateModel(
            name="PredictionFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "label",
                    models.CharField(
                        blank=True, help_text="Of a mask of one label; empty: of many", max_length=64
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("size", models.PositiveBigIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("object_key", models.CharField(max_length=300)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="files",
                        to="annotations.predictedcase",
                    ),
                ),
                (
                    "series",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="atlas.series"
                    ),
                ),
            ],
            options={"ordering": ["name"]},
        ),
        migrations.AddConstraint(
            "predictionfile",
            models.UniqueConstraint(fields=["case", "series", "label"], name="predicted_once"),
        ),
    ]
