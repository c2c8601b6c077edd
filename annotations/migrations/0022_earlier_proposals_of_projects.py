from django.db import migrations

from annotations.exchange.uids import derived_uid


def give_to_their_projects(apps, schema_editor):
    """What was proposed before belongs to the project of its release, too."""
    files = apps.get_model("annotations", "PredictionFile").objects
    segments = apps.get_model("annotations", "ImportedSegment").objects
    proposed = files.filter(case__prediction__proposed_at__isnull=False)
    columns = ("case__prediction__public_id", "case__prediction__release__project", "name", "series")
    for prediction, project, name, series in proposed.values_list(*columns).iterator():
        uid = derived_uid("prediction", prediction, name)
        segments.filter(source_series=series, source_sop_instance_uid=uid).update(project=project)


class Migration(migrations.Migration):
    dependencies = [
        ("annotations", "0021_proposals_of_a_project"),
    ]

    operations = [
        migrations.RunPython(give_to_their_projects, migrations.RunPython.noop),
    ]
