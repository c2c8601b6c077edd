import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.fields


def give_cases_rows_of_their_own(apps, schema_editor):
    """Until now a release pinned reads only; from now on it holds cases, and these their reads."""
    read_model, case_model = (
        apps.get_model("annotations", "ReleaseRead"),
        apps.get_model("annotations", "ReleaseCase"),
    )
    file_model, standard_model = (
        apps.get_model("annotations", "ReleaseFile"),
        apps.get_model("annotations", "ReferenceStandard"),
    )
    standards = set(standard_model.objects.values_list("submission_id", flat=True))
    cases = {}
    for read in read_model.objects.select_related("case").order_by("pk").iterator():
        key = (read.release_id, read.case_id)
        if key not in cases:
            cases[key] = case_model.objects.create(
                release_id=read.release_id,
                case_id=read.case_id,
                number=read.case.number,
                written_at=read.written_at,
            )
        read.release_case = cases[key]
        read.is_reference = read.submission_id in standards
        read.save(update_fields=["release_case", "is_reference"])
    for case in cases.values():
        reads = read_model.objects.filter(release_case=case)
        if reads.count() == 1:
            reads.update(is_reference=True)
        folder = f"cases/{case.number:04d}/"
        file_model.objects.filter(release_id=case.release_id, path__startswith=folder).update(
            release_case=case
        )
    kinds = (
        ("/images/", "nifti"),
        ("/masks/", "nifti"),
        ("/seg/", "seg"),
        ("annotations.json", "json"),
        (".csv", "tables"),
    )
    for part, key in kinds:
        file_model.objects.filter(format="", path__contains=part).update(format=key)
    apps.get_model("annotations", "Release").objects.update(
        content="both", formats=["nifti", "seg", "json", "tables"]
    )


class Migration(migrations.Migration):
    dependencies = [
        ("annotations", "0009_coded_terms"),
        ("atlas", "0007_series_summary"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint("releasecase", "submission_once_in_a_release"),
        migrations.RenameModel("ReleaseCase", "ReleaseRead"),
        # A renamed table keeps the names of its indexes, which the new table of the old name needs.
        migrations.RunSQL(
            [
                "ALTER INDEX annotations_releasecase_case_id_88d82e69 RENAME TO annotations_releaseread_case_id",
                "ALTER INDEX annotations_releasecase_release_id_43e341dc RENAME TO annotations_releaseread_release_id",
                "ALTER INDEX annotations_releasefile_release_case_id_648148e7 RENAME TO annotations_releasefile_read_id",
            ],
            migrations.RunSQL.noop,
        ),
        migrations.RenameField("releasefile", "release_case", "release_read"),
        migrations.CreateModel(
            name="ReleaseDownload",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("at", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name="ReleaseUse",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("purpose", models.TextField()),
                ("agreement_sha256", models.CharField(blank=True, max_length=64)),
                ("at", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.AlterModelOptions(
            name="releaseread",
            options={"ordering": ["id"]},
        ),
        migrations.AddField(
            model_name="release",
            name="agreement",
            field=models.TextField(blank=True, help_text="What whoever downloads it agrees to, if anything"),
        ),
        migrations.AddField(
            model_name="release",
            name="card",
            field=models.JSONField(help_text="The figures of the data card, for the page", null=True),
        ),
        migrations.AddField(
            model_name="release",
            name="certificate",
            field=models.JSONField(help_text="Its numbers, for the page; whole in its file", null=True),
        ),
        migrations.AddField(
            model_name="release",
            name="changelog",
            field=models.TextField(
                blank=True, help_text="What the lead says has changed since the one before"
            ),
        ),
        migrations.AddField(
            model_name="release",
            name="changes",
            field=models.JSONField(
                help_text="Counts of what was added, changed and removed since the release before", null=True
            ),
        ),
        migrations.AddField(
            model_name="release",
            name="citation",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="release",
            name="content",
            field=models.CharField(
                choices=[
                    ("reference", "The reference standard; where there is none, the accepted read"),
                    ("readers", "Every reader's accepted marks"),
                    ("both", "The reference standard and every reader's marks"),
                ],
                default="reference",
                max_length=9,
            ),
        ),
        migrations.AddField(
            model_name="release",
            name="formats",
            field=models.JSONField(default=list, help_text="Keys of the formats written"),
        ),
        migrations.AddField(
            model_name="release",
            name="purpose",
            field=models.TextField(blank=True, help_text="What the release is made for"),
        ),
        migrations.AddField(
            model_name="release",
            name="query",
            field=models.JSONField(
                help_text="The cohort expression that chose its cases; null: every accepted case", null=True
            ),
        ),
        migrations.AddField(
            model_name="release",
            name="sequestered",
            field=models.CharField(
                choices=[
                    ("nothing", "Nothing"),
                    ("marks", "The marks of the test part"),
                    ("all", "Images and marks of the test part"),
                ],
                default="nothing",
                help_text="What scientists can be scored on, but can't download",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="release",
            name="split",
            field=models.JSONField(
                help_text="How subjects were parted, as `annotations.cohort.splits.Design` in JSON", null=True
            ),
        ),
        migrations.AddField(
            model_name="release",
            name="writer_version",
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AddField(
            model_name="releasefile",
            name="format",
            field=models.CharField(
                blank=True, help_text="Its key; empty for what is about all", max_length=16
            ),
        ),
        migrations.AddField(
            model_name="releasefile",
            name="is_sequestered",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="releasefile",
            name="withdrawn_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="releaseread",
            name="is_reference",
            field=models.BooleanField(
                default=False, help_text="The reference standard, or the only accepted read of the case"
            ),
        ),
        migrations.AlterField(
            model_name="release",
            name="state",
            field=models.CharField(
                choices=[
                    ("writing", "Being written"),
                    ("ready", "Ready"),
                    ("failed", "Stopped by an error"),
                    ("cancelled", "Cancelled"),
                ],
                default="writing",
                max_length=9,
            ),
        ),
        migrations.AlterField(
            model_name="release",
            name="withdrawn_cases",
            field=models.JSONField(blank=True, default=list, help_text="Numbers of cases taken out since"),
        ),
        migrations.AlterField(
            model_name="releasefile",
            name="object_key",
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AlterField(
            model_name="releasefile",
            name="release_read",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="files",
                to="annotations.releaseread",
            ),
        ),
        migrations.AlterField(
            model_name="releaseread",
            name="submission",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="release_reads",
                to="annotations.submission",
            ),
        ),
        migrations.CreateModel(
            name="LabelFact",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("label", models.CharField(max_length=64)),
                ("code", models.CharField(blank=True, max_length=80)),
                (
                    "state",
                    models.CharField(
                        help_text="present, absent, indeterminate or not_assessed", max_length=16
                    ),
                ),
                ("count", models.PositiveIntegerField(default=0)),
                ("longest_mm", models.FloatField(help_text="Of the largest", null=True)),
                ("volume_ml", models.FloatField(help_text="Of all together", null=True)),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="label_facts",
                        to="annotations.submission",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="MarkFact",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("annotation", models.UUIDField()),
                ("label", models.CharField(help_text="Its key in the schema", max_length=64)),
                (
                    "code",
                    models.CharField(
                        blank=True, help_text="scheme:value, such as SCT:108369006", max_length=80
                    ),
                ),
                ("kind", models.CharField(max_length=16)),
                ("state", models.CharField(max_length=16)),
                ("longest_mm", models.FloatField(help_text="In a plane", null=True)),
                ("shortest_mm", models.FloatField(help_text="At right angles to the longest", null=True)),
                ("volume_ml", models.FloatField(null=True)),
                ("origin", models.CharField(help_text="reader, or what proposed it", max_length=24)),
                (
                    "series",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="atlas.series"
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="marks",
                        to="annotations.submission",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Prediction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", accounts.fields.PublicIdField()),
                ("name", models.CharField(help_text="Of the model, with its version", max_length=120)),
                ("description", models.TextField(blank=True)),
                (
                    "part",
                    models.CharField(
                        choices=[
                            ("train", "Train"),
                            ("validation", "Validation"),
                            ("test", "Test"),
                            ("", "Not parted"),
                        ],
                        default="test",
                        max_length=10,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Being handed in"),
                            ("scoring", "Being scored"),
                            ("scored", "Scored"),
                            ("refused", "Refused"),
                        ],
                        default="open",
                        max_length=8,
                    ),
                ),
                ("problem", models.CharField(blank=True, max_length=500)),
                (
                    "scores",
                    models.JSONField(
                        help_text="By label: measures with n and interval, over the cases", null=True
                    ),
                ),
                ("cases_total", models.PositiveIntegerField(default=0)),
                ("cases_done", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("scored_at", models.DateTimeField(null=True)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="predictions",
                        to="annotations.release",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="Recall",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", accounts.fields.PublicIdField()),
                ("case_number", models.PositiveIntegerField()),
                (
                    "reason",
                    models.CharField(help_text="For those who hold copies; it names nobody", max_length=500),
                ),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="recalls",
                        to="annotations.case",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recalls",
                        to="atlas.project",
                    ),
                ),
            ],
            options={
                "ordering": ["-at"],
            },
        ),
        migrations.CreateModel(
            name="RecallNotice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("told_at", models.DateTimeField(null=True)),
                ("confirmed_at", models.DateTimeField(null=True)),
                (
                    "recall",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to="annotations.recall",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recall_notices",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ReleaseCase",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(help_text="Of the case, within the project")),
                (
                    "part",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("train", "Train"),
                            ("validation", "Validation"),
                            ("test", "Test"),
                            ("", "Not parted"),
                        ],
                        default="",
                        max_length=10,
                    ),
                ),
                ("fold", models.PositiveSmallIntegerField(help_text="Counts from 0", null=True)),
                ("stratum", models.CharField(blank=True, max_length=200)),
                ("written_at", models.DateTimeField(null=True)),
                ("seconds", models.FloatField(help_text="That writing and checking took", null=True)),
                (
                    "record_key",
                    models.CharField(
                        blank=True,
                        help_text="Object with what spanning files need of this case",
                        max_length=300,
                    ),
                ),
                ("checks", models.JSONField(default=list, help_text="What reading its files back has found")),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("withdrawn_because", models.CharField(blank=True, max_length=500)),
                (
                    "case",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="release_cases",
                        to="annotations.case",
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="release_cases",
                        to="annotations.release",
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
            },
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
                ("problem", models.CharField(blank=True, max_length=500)),
                ("scores", models.JSONField(help_text="By label", null=True)),
                (
                    "prediction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="files",
                        to="annotations.prediction",
                    ),
                ),
                (
                    "series",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="atlas.series"
                    ),
                ),
                (
                    "release_case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="predictions",
                        to="annotations.releasecase",
                    ),
                ),
            ],
            options={
                "ordering": ["release_case__number", "name"],
            },
        ),
        migrations.AddField(
            model_name="releasefile",
            name="release_case",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="files",
                to="annotations.releasecase",
            ),
        ),
        migrations.AddField(
            model_name="releaseread",
            name="release_case",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="reads",
                to="annotations.releasecase",
            ),
        ),
        migrations.AddIndex(
            model_name="releasefile",
            index=models.Index(fields=["release", "format"], name="files_of_a_format"),
        ),
        migrations.AddConstraint(
            model_name="releaseread",
            constraint=models.UniqueConstraint(
                fields=("release_case", "submission"), name="submission_once_in_a_release"
            ),
        ),
        migrations.AddConstraint(
            model_name="releaseread",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_reference", True)),
                fields=("release_case",),
                name="one_reference_of_a_case",
            ),
        ),
        migrations.AddField(
            model_name="releasedownload",
            name="release",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="downloads",
                to="annotations.release",
            ),
        ),
        migrations.AddField(
            model_name="releasedownload",
            name="release_case",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="downloads",
                to="annotations.releasecase",
            ),
        ),
        migrations.AddField(
            model_name="releasedownload",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="releaseuse",
            name="release",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="uses", to="annotations.release"
            ),
        ),
        migrations.AddField(
            model_name="releaseuse",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="release_uses",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="labelfact",
            index=models.Index(fields=["label", "state"], name="label_facts_by_label"),
        ),
        migrations.AddConstraint(
            model_name="labelfact",
            constraint=models.UniqueConstraint(fields=("submission", "label"), name="a_fact_per_label"),
        ),
        migrations.AddIndex(
            model_name="markfact",
            index=models.Index(fields=["label", "state", "submission"], name="marks_by_label"),
        ),
        migrations.AddIndex(
            model_name="markfact",
            index=models.Index(fields=["code", "submission"], name="marks_by_code"),
        ),
        migrations.AddConstraint(
            model_name="markfact",
            constraint=models.UniqueConstraint(fields=("submission", "annotation"), name="a_fact_per_mark"),
        ),
        migrations.AddIndex(
            model_name="prediction",
            index=models.Index(fields=["release", "state"], name="predictions_of_a_release"),
        ),
        migrations.AddConstraint(
            model_name="recall",
            constraint=models.UniqueConstraint(
                fields=("project", "case_number"), name="a_case_is_recalled_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="recallnotice",
            constraint=models.UniqueConstraint(fields=("recall", "user"), name="told_once_of_a_recall"),
        ),
        migrations.AddIndex(
            model_name="releasecase",
            index=models.Index(
                condition=models.Q(("written_at", None)),
                fields=["release"],
                name="cases_of_releases_to_write",
            ),
        ),
        migrations.AddConstraint(
            model_name="releasecase",
            constraint=models.UniqueConstraint(fields=("release", "number"), name="case_once_in_a_release"),
        ),
        migrations.AddConstraint(
            model_name="releasecase",
            constraint=models.UniqueConstraint(
                fields=("release", "case"), name="case_pinned_once_in_a_release"
            ),
        ),
        migrations.AddConstraint(
            model_name="predictionfile",
            constraint=models.UniqueConstraint(
                fields=("prediction", "series", "label"), name="predicted_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="releasedownload",
            constraint=models.UniqueConstraint(
                fields=("release", "release_case", "user", "day"),
                name="download_once_a_day",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="releaseuse",
            constraint=models.UniqueConstraint(fields=("release", "user"), name="one_use_per_person"),
        ),
        migrations.AddField(
            model_name="releasefile",
            name="is_pinned",
            field=models.BooleanField(
                default=False,
                help_text="The object is the archive's own, such as a pack: it outlives the release",
            ),
        ),
        migrations.RunPython(give_cases_rows_of_their_own, migrations.RunPython.noop),
    ]
