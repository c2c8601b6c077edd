"""What predictions say of a case that is withdrawn goes with it."""

from procrastinate.contrib.django import app

from annotations.models import PredictedCase, Prediction, PredictionFile, ReleaseCase

COUNT = "count_prediction"  # the job in annotations.tasks


def forget(release_case: ReleaseCase) -> list[str]:
    """Within the caller's transaction; returns the objects that must go after the commit.

    Scores that are out stay: they are of all cases together. What is being scored is counted again.
    """
    files = PredictionFile.objects.filter(case__release_case=release_case)
    objects = list(files.values_list("object_key", flat=True))
    waiting = Prediction.objects.filter(cases__release_case=release_case, state=Prediction.State.SCORING)
    for prediction_id in list(waiting.values_list("pk", flat=True)):
        app.configure_task(COUNT).defer(prediction_id=prediction_id)
    PredictedCase.objects.filter(release_case=release_case).delete()
    return objects
