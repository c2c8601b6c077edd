"""Who sees which scores: everybody who may download a release its leaderboard, but of what is withheld from
them only the figures over all cases."""

from django.db.models import F, QuerySet

from accounts.models import User
from annotations.cohort import policies
from annotations.cohort.predictions.handing_in import prediction_or_404
from annotations.models import PredictedCase, Prediction, Release, ReleaseCase


def leaderboard(user: User, release: Release) -> QuerySet[Prediction]:
    """Scored predictions, the best first in each part. Raises PermissionDenied where it is closed."""
    policies.require_open(user, release)
    scored = Prediction.objects.filter(release=release, state=Prediction.State.SCORED)
    return scored.select_related("by", "release__project").order_by(
        "part", F("rank_by").desc(nulls_last=True), "scored_at"
    )


def shown_or_404(user: User, slug: str, number: int, public_id: str) -> Prediction:
    """One of the leaderboard, one's own, or any of a release that one manages."""
    release = policies.release_or_404(user, slug, number)
    found = leaderboard(user, release).filter(public_id=public_id).first()
    return found or prediction_or_404(user, slug, number, public_id)


def own_unfinished(user: User, release: Release) -> QuerySet[Prediction]:
    """What this person has open, waits for its scores, or was refused; the newest first."""
    return Prediction.objects.filter(release=release, by=user).exclude(state=Prediction.State.SCORED)


def sees_cases(user: User, prediction: Prediction) -> bool:
    """Whether this person may know how single cases scored: it tells of their marks."""
    release = prediction.release
    withheld = prediction.part == ReleaseCase.Part.TEST and release.sequestered != Release.Sequestered.NOTHING
    return not withheld or policies.manages(user, release)


def scored_cases(user: User, prediction: Prediction) -> QuerySet[PredictedCase]:
    """Those of a prediction with their scores, as far as this person may know of them."""
    if prediction.by_id != user.pk and not policies.manages(user, prediction.release):
        return PredictedCase.objects.none()
    cases = prediction.cases.filter(release_case__withdrawn_at=None).exclude(scored_at=None)
    cases = cases.select_related("release_case").order_by("release_case__number")
    return cases if sees_cases(user, prediction) else cases.none()
