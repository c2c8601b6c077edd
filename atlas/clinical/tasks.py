"""The job that reads a file of clinical facts, and what forgets files and facts."""

import logging
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app

from accounts import audit
from atlas.archive.keys import KeyUnusable
from atlas.archive.receiving import IntakeClosed
from atlas.clinical import headings, mapping, originals
from atlas.clinical.errors import NotTaken
from atlas.clinical.facts import Fact
from atlas.clinical.people import People
from atlas.clinical.reading import File, Finding, Report, read_through
from atlas.erasers import Erased
from atlas.fanout import broadcast
from atlas.models import ClinicalFact, ClinicalImport, Subject

audit.register("clinical.read")

logger = logging.getLogger(__name__)

ATTEMPTS_MAX = 5
KEPT_WAITING = timedelta(days=7)
State = ClinicalImport.State


def tell(one: ClinicalImport) -> None:
    """The dataset's pages follow: they read the numbers when they hear this."""
    message = {"type": "upload", "clinical": one.public_id}
    group = f"dataset.{one.dataset.slug}"
    transaction.on_commit(lambda: broadcast(group, message))


@app.task(
    name="atlas.read_clinical_file",
    pass_context=True,
    retry=RetryStrategy(max_attempts=ATTEMPTS_MAX, exponential_wait=4),
)
def read_clinical_file(context: JobContext, import_id: int) -> None:
    """Running it again, after a worker was killed, reads again and keeps each fact once."""
    try:
        read_file(import_id)
    except Exception:
        if context.job.attempts + 1 < ATTEMPTS_MAX:
            raise  # the disk may have room again, or the storage may answer
        logger.exception("Clinical file %s is given up", import_id)
        end(import_id, State.FAILED, _alone("The node could not read it; its log says why. Send it again."))


def read_file(import_id: int) -> None:
    """Every row of a file whose columns are mapped."""
    one = ClinicalImport.objects.select_related("dataset__organisation").get(pk=import_id)
    if one.state not in (State.WAITING, State.READING):
        return
    try:
        file = File(one.kind, originals.read(one), mapping.told(one.mapping), People(one.dataset))  # type: ignore[arg-type]
        _progress(one, Report(), total=file.total)
        if one.mapping.get("accept") == "file":
            report = read_through(file, lambda _: None)
            if report.refused:
                report.taken = 0
                end(one.pk, State.FAILED, report)
                return
        report = read_through(file, lambda rows: _keep(one, rows), each=lambda told: _progress(one, told))
    except (NotTaken, IntakeClosed, KeyUnusable) as error:
        if isinstance(error, KeyUnusable):
            logger.error("%s", error)
            error = NotTaken("The organisation's key can't be used now; the node's log says why.")
        end(one.pk, State.FAILED, _alone(str(error)))
        return
    end(one.pk, State.DONE, report)


def _keep(one: ClinicalImport, rows: list[tuple[int, Fact]]) -> None:
    """Each fact once; one that is here already is this file's from now on."""
    made = {}
    for subject_id, fact in rows:
        digest = fact.digest(one.dataset_id)
        made[subject_id, digest] = ClinicalFact(
            subject_id=subject_id,
            dataset=one.dataset,
            source=one,
            kind=fact.kind,
            name=fact.name,
            code=fact.code,
            meaning=fact.meaning,
            starts_on=fact.starts.day if fact.starts else None,
            ends_on=fact.ends.day if fact.ends else None,
            starts_precision=fact.starts.precision if fact.starts else "day",
            ends_precision=fact.ends.precision if fact.ends else "day",
            digest=digest,
        )
    with transaction.atomic():
        wanted = sorted({subject_id for subject_id, _ in made})
        here = set(  # locked: nobody is erased in between
            Subject.objects.select_for_update(no_key=True)
            .filter(pk__in=wanted)
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        ClinicalFact.objects.bulk_create(
            [fact for (subject_id, _), fact in made.items() if subject_id in here],
            update_conflicts=True,
            unique_fields=["subject", "digest"],
            update_fields=["source"],
        )


def _progress(one: ClinicalImport, report: Report, *, total: int | None = None) -> None:
    changes: dict[str, Any] = {
        "state": State.READING, "rows_taken": report.taken, "rows_refused": report.refused
    }  # fmt: skip
    if total is not None:
        changes["rows_total"] = total
    ClinicalImport.objects.filter(pk=one.pk).update(**changes)
    tell(one)


def _alone(sentence: str) -> Report:
    finding: Finding = {"row": 0, "column": "", "sentence": sentence}
    return Report(findings=[finding])


@transaction.atomic
def end(import_id: int, state: str, report: Report) -> None:
    one = ClinicalImport.objects.select_for_update(of=("self",)).select_related("dataset").get(pk=import_id)
    ClinicalImport.objects.filter(pk=one.pk).update(
        state=state,
        rows_taken=report.taken,
        rows_refused=report.refused,
        findings=report.findings,
        finished_at=timezone.now(),
    )
    audit.record(
        None, "clinical.read", one, dataset=one.dataset_id, taken=report.taken, refused=report.refused
    )
    tell(one)
    originals.discard(one)


@app.periodic(cron="47 3 * * *")
@app.task(name="atlas.forget_clinical_files", queueing_lock="forget_clinical_files")
def forget_clinical_files(timestamp: int) -> None:
    """What nobody mapped within a week goes: it may name patients."""
    old = ClinicalImport.objects.filter(state=State.MAPPING, created_at__lt=timezone.now() - KEPT_WAITING)
    for one in old.values_list("pk", flat=True):
        end(one, State.FAILED, _alone("Nobody mapped its columns within a week. It was deleted unread."))


def forget_words(imports: QuerySet[ClinicalImport]) -> None:
    """What people wrote goes: names of files, issuers, and headings of tables that aren't known words."""
    for one in imports.select_for_update(of=("self",), no_key=True).order_by("pk"):
        was = (one.file_name, one.mapping, one.findings)
        if one.kind == "csv" and isinstance(one.mapping.get("names"), list):
            names = one.mapping["names"]
            place = dict(zip(names, headings.kept(names), strict=True))
            told = {place.get(name, ""): role for name, role in one.mapping.get("columns", {}).items()}
            one.mapping = {**one.mapping, "names": list(place.values()), "columns": told}
            one.findings = [{**found, "column": place.get(found["column"], "")} for found in one.findings]
        if one.state not in (State.WAITING, State.READING):
            one.mapping = originals.without_issuer(one.mapping)
        one.file_name = originals.nameless(one)
        if (one.file_name, one.mapping, one.findings) != was:
            one.save(update_fields=["file_name", "mapping", "findings"])


def erase(subject: Subject) -> Erased:
    """A subject's facts go, within the caller's transaction; files that wait and may name them go as well."""
    waiting = ClinicalImport.objects.filter(
        dataset__organisation=subject.organisation_id, state=State.MAPPING
    )
    for one in waiting.values_list("pk", flat=True):
        end(one, State.FAILED, _alone("A subject was erased while it waited. Send it again without them."))
    forget_words(ClinicalImport.objects.filter(dataset__organisation=subject.organisation_id))
    gone, _ = subject.clinical_facts.all().delete()
    return Erased(counts={"clinical facts": gone})
