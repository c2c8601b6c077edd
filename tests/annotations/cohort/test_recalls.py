"""A case that is taken back: what becomes of its files, who is told, and what releases hold from then on."""

import gzip
import json
import threading

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import AuditRecord
from annotations.cohort import downloads, recalls, releases, stored, writer
from annotations.models import (
    Case,
    Read,
    Recall,
    RecallNotice,
    Release,
    ReleaseCase,
    ReleaseDownload,
    ReleaseRead,
)
from annotations.reading.cases import _last_number
from atlas.archive.storage import storage
from tests.annotations.cohort.conftest import Cohort
from tests.annotations.cohort.test_release import content, run_jobs
from tests.cast import person

REASON = "Consent for sharing was withdrawn."


@pytest.fixture
def release(cohort: Cohort, two_cases: Case) -> Release:
    return frozen(cohort)


def begun(cohort: Cohort) -> Release:
    choice = releases.Choice(formats=("nifti", "json", "tables"))
    return releases.freeze(by=cohort.people["lead"], project=cohort.project, choice=choice)


def frozen(cohort: Cohort) -> Release:
    release = begun(cohort)
    run_jobs()
    release.refresh_from_db()
    assert (release.problem, release.state) == ("", Release.State.READY)
    return release


def recall(cohort: Cohort, callbacks, case: Case | None = None) -> Recall:
    """And what follows the commit."""
    with callbacks(execute=True):
        return recalls.recall(by=cohort.people["lead"], case=case or cohort.case, reason=f"  {REASON}\n ")


def fetched(release: Release, who, path: str) -> None:
    of = release.files.get(path=path).release_case
    ReleaseDownload.objects.create(release=release, release_case=of, user=who, day=timezone.now().date())


def image(release: Release, number: int) -> str:
    return release.files.get(path__startswith=f"cases/{number:04d}/images/").path


# Its files ----------------------------------------------------------------------------------------------


def test_its_files_stay_listed_and_their_bytes_go(cohort, release, django_capture_on_commit_callbacks):
    own = release.files.filter(path__startswith="cases/0001/")
    listed, keys = set(own.values_list("path", flat=True)), set(own.values_list("object_key", flat=True))
    record = release.release_cases.get(number=1).record_key
    kept = dict(release.files.filter(path__startswith="cases/0002/").values_list("path", "sha256"))
    before = release.manifest_sha256
    assert keys | {record} <= {one.key for one in storage().keys("")}

    recall(cohort, django_capture_on_commit_callbacks)
    run_jobs()
    release.refresh_from_db()
    assert set(own.values_list("path", flat=True)) == listed
    assert not own.exclude(withdrawn_at__isnull=False, object_key="").exists()
    assert not (keys | {record}) & {one.key for one in storage().keys("")}
    assert (release.state, release.cases_total, release.cases_done) == (Release.State.READY, 1, 1)
    assert release.withdrawn_cases == [1]
    assert release.manifest_sha256 != before
    assert dict(release.files.filter(path__startswith="cases/0002/").values_list("path", "sha256")) == kept
    taken_out = release.release_cases.get(number=1)
    assert (taken_out.withdrawn_because, taken_out.case_id) == (REASON, cohort.case.pk)
    assert not taken_out.reads.exists()
    assert not keys & {one.key for one in stored.release_files()}


def test_what_spans_the_cases_no_longer_holds_it(cohort, release, django_capture_on_commit_callbacks):
    assert b"N-0001" in content(release, "splits.json")
    recall(cohort, django_capture_on_commit_callbacks)
    run_jobs()
    for file in release.files.filter(release_case=None):
        stored_bytes = content(release, file.path)
        stored_bytes = gzip.decompress(stored_bytes) if file.path.endswith(".gz") else stored_bytes
        assert b"N-0001" not in stored_bytes, file.path
        assert b"cases/0001" not in stored_bytes, file.path
    assert json.loads(content(release, "manifest.json"))["withdrawn_cases"] == [1]


def test_an_object_of_the_archive_outlives_the_recall(cohort, release, django_capture_on_commit_callbacks):
    """Original images are the packs themselves; other projects read them."""
    key = cohort.series.pack_key
    release.files.filter(path=image(release, 1)).update(object_key=key, is_pinned=True)
    recall(cohort, django_capture_on_commit_callbacks)
    assert key in {one.key for one in storage().keys("")}
    file = release.files.get(path__startswith="cases/0001/images/")
    assert (file.object_key, file.withdrawn_at is None) == ("", False)


def test_it_leaves_every_release_and_enters_none(cohort, release, django_capture_on_commit_callbacks):
    again = frozen(cohort)
    recall(cohort, django_capture_on_commit_callbacks)
    run_jobs()
    for each in (release, again):
        each.refresh_from_db()
        assert (each.state, each.withdrawn_cases) == (Release.State.READY, [1])
    third = frozen(cohort)
    assert list(third.release_cases.values_list("number", flat=True)) == [2]
    assert third.left_out["reasons"] == [["were recalled", 1]]
    assert json.loads(content(third, "changes.json"))["cases_removed"] == [{"case": 1, "withdrawn": False}]


def test_until_its_tables_are_written_anew_a_release_is_not_ready(
    cohort, release, django_capture_on_commit_callbacks
):
    recall(cohort, django_capture_on_commit_callbacks)
    release.refresh_from_db()
    assert release.state == Release.State.WRITING


def test_a_case_recalled_while_it_is_written_leaves_nothing(cohort, two_cases, monkeypatch):
    release = begun(cohort)
    write = writer.filing.made

    def recalled_meanwhile(of, release_case, *rest):
        in_turn = threading.current_thread() is threading.main_thread()  # the large ones are made beside
        if in_turn and release_case is not None and not Recall.objects.exists():
            recalls.recall(by=cohort.people["lead"], case=cohort.case, reason=REASON)
        return write(of, release_case, *rest)

    monkeypatch.setattr(writer.filing, "made", recalled_meanwhile)
    run_jobs()
    release.refresh_from_db()
    assert (release.problem, release.state, release.cases_total) == ("", Release.State.READY, 1)
    assert not release.files.filter(path__startswith="cases/0001/", withdrawn_at=None).exists()
    named = set(release.files.values_list("object_key", flat=True))
    named |= set(release.release_cases.values_list("record_key", flat=True))
    own = {one.key for one in storage().keys("") if len(one.key) == 36}
    assert own <= named


def test_a_case_recalled_while_the_tables_are_written_is_in_none_of_them(cohort, two_cases, monkeypatch):
    """Who finishes has read the rows of the case already: then it is not ready, and finished anew."""
    release = begun(cohort)
    ready = releases.mark_ready

    def recalled_before(*args, **kwargs):
        if not Recall.objects.exists():
            recalls.recall(by=cohort.people["lead"], case=cohort.case, reason=REASON)
        ready(*args, **kwargs)

    monkeypatch.setattr(releases, "mark_ready", recalled_before)
    run_jobs()
    release.refresh_from_db()
    assert (release.state, release.withdrawn_cases) == (Release.State.READY, [1])
    assert b"N-0001" not in content(release, "splits.json")


# Who is told --------------------------------------------------------------------------------------------


def test_who_downloaded_it_or_the_whole_is_told_once_and_nobody_else(
    cohort, release, django_capture_on_commit_callbacks
):
    people = cohort.people
    fetched(release, people["scientist"], image(release, 1))
    fetched(release, people["reviewer"], "splits.json")
    fetched(release, people["reader"], image(release, 2))
    made = recall(cohort, django_capture_on_commit_callbacks)
    assert set(made.notices.values_list("user__username", flat=True)) == {"scientist", "reviewer"}
    assert mail.outbox == []
    run_jobs()
    recalls.tell(made.pk)
    recalls.tell(made.pk)
    assert sorted(letter.to for letter in mail.outbox) == sorted(
        [people[name].email] for name in ("scientist", "reviewer")
    )
    assert not made.notices.filter(told_at=None).exists()
    for letter in mail.outbox:
        assert "Case 1 of release 1 of the project Respond was recalled" in letter.body
        assert REASON in letter.body
        said = letter.subject + letter.body
        assert "N-0001" not in said
        assert not [one for one in people.values() if one.username in said or one.email in said]


def test_what_is_told_names_every_release_that_held_it(cohort, release, django_capture_on_commit_callbacks):
    frozen(cohort)
    fetched(release, cohort.people["scientist"], image(release, 1))
    recalls.tell(recall(cohort, django_capture_on_commit_callbacks).pk)
    assert "Case 1 of releases 1, 2 of" in mail.outbox[0].body


def test_a_letter_that_could_not_be_sent_is_sent_when_the_job_runs_again(
    cohort, release, django_capture_on_commit_callbacks, monkeypatch
):
    for name in ("scientist", "reviewer"):
        fetched(release, cohort.people[name], image(release, 1))
    made = recall(cohort, django_capture_on_commit_callbacks)
    send, sent = recalls.send_mail, []

    def out_of_order(*args):
        sent.append(args)
        if len(sent) == 2:
            raise OSError("No route to host")
        return send(*args)

    monkeypatch.setattr(recalls, "send_mail", out_of_order)
    with pytest.raises(OSError, match="No route"):
        recalls.tell(made.pk)
    recalls.tell(made.pk)
    assert len(mail.outbox) == 2
    assert len({tuple(letter.to) for letter in mail.outbox}) == 2


def test_who_was_told_confirms_that_their_copies_are_deleted(
    cohort, release, django_capture_on_commit_callbacks
):
    scientist, other = cohort.people["scientist"], cohort.people["reader"]
    fetched(release, scientist, image(release, 1))
    made = recall(cohort, django_capture_on_commit_callbacks)
    assert [one.recall for one in recalls.open_notices(scientist)] == [made]
    assert list(recalls.open_notices(other)) == []
    first = recalls.confirm(by=scientist, recall=made).confirmed_at
    assert recalls.confirm(by=scientist, recall=made).confirmed_at == first
    assert list(recalls.open_notices(scientist)) == []
    assert AuditRecord.objects.filter(verb="recall.deletion_confirmed", actor=scientist).count() == 1
    with pytest.raises(Http404):
        recalls.confirm(by=other, recall=made)


# Who may, and when --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "refusal"),
    [("scientist", PermissionDenied), ("reviewer", PermissionDenied), ("stranger", Http404)],
)
def test_only_a_lead_recalls(cohort: Cohort, who: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        recalls.recall(by=cohort.people[who], case=cohort.case, reason=REASON)
    assert not Recall.objects.exists()


def test_a_recall_has_a_reason_and_happens_once(cohort: Cohort) -> None:
    lead = cohort.people["lead"]
    for reason, says in (("  \n", "Say why"), ("x" * 501, "501 characters")):
        with pytest.raises(ValidationError, match=says):
            recalls.recall(by=lead, case=cohort.case, reason=reason)
    recalls.recall(by=lead, case=cohort.case, reason=REASON)
    with pytest.raises(ValidationError, match="recalled before"):
        recalls.recall(by=lead, case=cohort.case, reason=REASON)


def test_the_trail_says_what_was_recalled_and_from_where(cohort, release, django_capture_on_commit_callbacks):
    made = recall(cohort, django_capture_on_commit_callbacks)
    line = AuditRecord.objects.get(verb="case.recalled")
    assert (line.actor, line.facts) == (
        cohort.people["lead"],
        {"case": cohort.case.pk, "case_number": 1},
    )
    assert (line.object_type, line.object_id) == ("recall", made.pk)
    line = AuditRecord.objects.get(verb="release.withdrawn_in_part")
    assert (line.object_id, line.facts) == (release.pk, {"number": 1, "case_number": 1})


def test_the_number_of_an_erased_case_that_was_recalled_is_not_given_again(cohort, release):
    recalls.taken_out(Case.objects.get(number=2), because=REASON)
    Read.objects.filter(case__number=2).delete()
    Case.objects.get(number=2).delete()
    assert Recall.objects.get().case is None
    assert _last_number(cohort.project) == 2


def test_a_recall_reaches_releases_that_failed_or_were_cancelled(cohort, two_cases):
    """They pin submissions as well, and may be retried."""
    failed = begun(cohort)
    releases.mark_failed(failed.pk, "Case 2: no images")
    cancelled = begun(cohort)
    releases.cancel(by=cohort.people["lead"], release=cancelled)
    ProcrastinateJob.objects.all().delete()
    recalls.recall(by=cohort.people["lead"], case=cohort.case, reason=REASON)
    for each, state in ((failed, Release.State.FAILED), (cancelled, Release.State.CANCELLED)):
        each.refresh_from_db()
        assert (each.state, each.withdrawn_cases) == (state, [1])
    assert not ReleaseRead.objects.filter(release_case__number=1).exists()
    assert set(ProcrastinateJob.objects.values_list("task_name", flat=True)) == {recalls.TELL}
    releases.retry(by=cohort.people["lead"], release=failed)
    run_jobs()
    failed.refresh_from_db()
    assert (failed.state, failed.problem, failed.cases_total) == (Release.State.READY, "", 1)
    assert not ReleaseCase.objects.filter(release=failed, number=1, withdrawn_at=None).exists()


# Lifting ------------------------------------------------------------------------------------------------

LIFTED = "Consent was confirmed."


def lift(cohort: Cohort) -> Recall:
    return recalls.lift(by=cohort.people["lead"], case=cohort.case, reason=f" {LIFTED}\n")


def test_a_lifted_recall_lets_the_next_release_hold_the_case_and_gives_nothing_back(
    cohort, release, django_capture_on_commit_callbacks
):
    made = recall(cohort, django_capture_on_commit_callbacks)
    run_jobs()
    lifted = lift(cohort)
    assert (lifted.pk, lifted.lifted_because, lifted.lifted_by) == (made.pk, LIFTED, cohort.people["lead"])
    again = frozen(cohort)
    assert list(again.release_cases.values_list("number", flat=True)) == [1, 2]
    assert again.files.filter(path__startswith="cases/0001/images/", withdrawn_at=None).exists()
    release.refresh_from_db()
    assert release.withdrawn_cases == [1]
    assert not release.files.filter(path__startswith="cases/0001/", withdrawn_at=None).exists()
    line = AuditRecord.objects.get(verb="case.recall_lifted")
    assert (line.actor, line.object_id, line.facts) == (
        cohort.people["lead"],
        made.pk,
        {"case": cohort.case.pk, "case_number": 1},
    )


def test_its_files_say_that_they_are_gone_and_that_the_recall_was_lifted(
    cohort, release, django_capture_on_commit_callbacks
):
    path = image(release, 1)
    recall(cohort, django_capture_on_commit_callbacks)
    with pytest.raises(downloads.Withdrawn, match="Delete your copies"):
        downloads.file_or_404(cohort.people["scientist"], release, path)
    lift(cohort)
    with pytest.raises(downloads.Withdrawn, match=f"lifted on .*: {LIFTED}") as told:
        downloads.file_or_404(cohort.people["scientist"], release, path)
    assert REASON in str(told.value)
    assert "Delete" not in str(told.value)


def test_who_was_told_of_a_recall_is_told_once_that_it_was_lifted(
    cohort, release, django_capture_on_commit_callbacks
):
    scientist = cohort.people["scientist"]
    fetched(release, scientist, image(release, 1))
    made = recall(cohort, django_capture_on_commit_callbacks)
    recalls.tell(made.pk)
    recalls.tell_of_lifting(made.pk)  # it stands
    assert recalls.open_notices(scientist).count() == 1
    mail.outbox.clear()
    lift(cohort)
    assert recalls.open_notices(scientist).count() == 0
    job = ProcrastinateJob.objects.get(task_name=recalls.TELL_OF_LIFTING)
    recalls.tell_of_lifting(**job.args)
    recalls.tell_of_lifting(**job.args)
    assert [letter.to for letter in mail.outbox] == [[scientist.email]]
    assert REASON in mail.outbox[0].body
    assert LIFTED in mail.outbox[0].body
    assert AuditRecord.objects.get(verb="recall.lifting_told").facts["person"] == scientist.pk


def test_a_recall_that_was_lifted_before_its_letters_went_is_told_to_nobody(
    cohort, release, django_capture_on_commit_callbacks
):
    fetched(release, cohort.people["scientist"], image(release, 1))
    made = recall(cohort, django_capture_on_commit_callbacks)
    lift(cohort)
    recalls.tell(made.pk)
    recalls.tell_of_lifting(made.pk)
    assert mail.outbox == []


def test_a_case_is_recalled_again_after_its_recall_was_lifted(
    cohort, release, django_capture_on_commit_callbacks
):
    first = recall(cohort, django_capture_on_commit_callbacks)
    run_jobs()
    lift(cohort)
    again = frozen(cohort)
    second = recall(cohort, django_capture_on_commit_callbacks)
    run_jobs()
    again.refresh_from_db()
    release.refresh_from_db()
    assert second.pk != first.pk
    assert again.withdrawn_cases == [1]
    assert list(recalls.recalls_of(again)) == list(recalls.recalls_of(release)) == [second]
    assert not frozen(cohort).release_cases.filter(number=1).exists()


def test_lifting_takes_a_lead_a_reason_and_a_recall_that_stands(cohort: Cohort) -> None:
    lead = cohort.people["lead"]
    with pytest.raises(ValidationError, match="not recalled"):
        lift(cohort)
    recalls.recall(by=lead, case=cohort.case, reason=REASON)
    for who, refusal in (
        ("scientist", PermissionDenied),
        ("reviewer", PermissionDenied),
        ("stranger", Http404),
    ):
        with pytest.raises(refusal):
            recalls.lift(by=cohort.people[who], case=cohort.case, reason=LIFTED)
    for reason, says in (("  \n", "Say why"), ("x" * 501, "501 characters")):
        with pytest.raises(ValidationError, match=says):
            recalls.lift(by=lead, case=cohort.case, reason=reason)
    lift(cohort)
    with pytest.raises(ValidationError, match="not recalled"):
        lift(cohort)


def test_a_person_without_an_address_is_told_on_the_page(cohort, release, django_capture_on_commit_callbacks):
    silent = person("silent")
    silent.email = ""
    silent.save()
    fetched(release, silent, image(release, 1))
    made = recall(cohort, django_capture_on_commit_callbacks)
    recalls.tell(made.pk)
    assert mail.outbox == []
    assert RecallNotice.objects.get(user=silent).told_at is not None
    assert recalls.open_notices(silent).count() == 1
