"""What people use releases for: the purpose each states once, the agreement they accept, what they fetched.

Everyone states a purpose before the first download of a release, its lead too: whoever asks later what a
cohort was used for finds an answer for every copy of it. What each fetched answers whom to tell of a recall.
"""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from accounts.permissions import Someone
from annotations.cohort import policies
from annotations.models import Release, ReleaseDownload, ReleaseFile, ReleaseUse

audit.register("release.use_stated", "release.downloaded")

PURPOSE_LENGTH_MAX = 1000


def use_of(user: Someone, release: Release) -> ReleaseUse | None:
    """What this person stated for this release, if they did and it holds for the agreement as it is."""
    if not isinstance(user, User):
        return None
    own = ReleaseUse.objects.filter(release=release, user=user)
    return own.filter(agreement_sha256=policies.agreement_sha256(release)).first()


@transaction.atomic
def state_use(*, by: User, release: Release, purpose: str, agrees: bool) -> ReleaseUse:
    """Say what a release will be used for, and accept its agreement if it has one; again changes it.

    Raises Http404 or PermissionDenied for those who may not download it, ValidationError by field.
    """
    policies.release_or_404(by, release.project.slug, release.number)
    purpose = " ".join(purpose.split())
    problems: dict[str, str] = {}
    if not purpose:
        problems["purpose"] = "Say in a sentence what you will use the release for."
    elif len(purpose) > PURPOSE_LENGTH_MAX:
        problems["purpose"] = f"Say it in at most {PURPOSE_LENGTH_MAX} characters; these are {len(purpose)}."
    if release.agreement and not agrees:
        problems["agrees"] = "Accept the agreement of this release, or leave the release where it is."
    if problems:
        raise ValidationError(problems)
    use, _ = ReleaseUse.objects.update_or_create(
        release=release,
        user=by,
        defaults={"purpose": purpose, "agreement_sha256": policies.agreement_sha256(release)},
    )
    audit.record(by, "release.use_stated", release, use=use.pk, agreed=bool(release.agreement))
    return use


def record_download(
    user: Someone,
    release: Release,
    file: ReleaseFile | None,
    use: ReleaseUse,
    *,
    cases: Iterable[int | None] = (),
) -> None:
    """That somebody was given bytes of a file of this release, or (`file` None) of an archive that holds
    files of these ReleaseCases, by key; None among them for what is about all.

    One row a person, case and day, however many files, ranges and connections, and with the first of them a
    line of the audit trail.
    """
    assert isinstance(user, User)  # noqa: S101  whoever stated a use is somebody
    wanted = {file.release_case_id} if file else set(cases)
    day = timezone.now().date()
    today = ReleaseDownload.objects.filter(release=release, user=user, day=day)
    if file:
        today = today.filter(release_case=file.release_case_id)
    missing = wanted.difference(today.values_list("release_case_id", flat=True))
    if not missing:
        return
    with transaction.atomic():
        ReleaseDownload.objects.bulk_create(
            [ReleaseDownload(release=release, release_case_id=case, user=user, day=day) for case in missing],
            batch_size=2000,
            ignore_conflicts=True,
        )
        what: dict[str, int] = {"file": file.pk} if file else {"archive": True, "cases": len(wanted - {None})}
        audit.record(user, "release.downloaded", release, use=use.pk, **what)
