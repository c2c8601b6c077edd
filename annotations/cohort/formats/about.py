"""What every release says of itself besides its data.

labels.json
splits.json
changes.json
agreement.txt
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

from django.db.models import Count

from annotations.cohort import changes, policies
from annotations.cohort.formats.plan import Format, PlannedFile
from annotations.cohort.formats.streamed import write_json
from annotations.cohort.material import CaseMaterial, ReleaseMaterial, withheld_of
from annotations.exchange.tables import as_json
from annotations.models import Release, ReleaseCase

LABELS, SPLITS, AGREEMENT = "labels.json", "splits.json", "agreement.txt"


class About(Format):
    key, title, holds = "about", "About the release", "labels, parts, changes and the agreement"
    is_always_written = True

    def record(self, case: CaseMaterial) -> Any:
        found = changes.of_case(case)
        return {"changes": found} if found else None

    def of_release(self, release: ReleaseMaterial) -> Iterator[PlannedFile]:
        labels = as_json(_labels(release.release))
        yield PlannedFile(LABELS, lambda stream: stream.write(labels), holds_marks=False)
        yield PlannedFile(SPLITS, lambda stream: _splits(release, stream), holds_marks=False)
        changed = changes.Changes(release, self.key)
        yield PlannedFile(changes.PATH, lambda stream: _changes(changed, stream))
        if agreement := release.release.agreement:
            content = f"{agreement.rstrip()}\n".encode()
            yield PlannedFile(AGREEMENT, lambda stream: stream.write(content), holds_marks=False)


def _changes(changed: changes.Changes, stream: BinaryIO) -> None:
    write_json(
        stream,
        changed.head() | {"cases_added": changed.added},
        cases_removed=changed.gone(),
        cases_changed=changed.changed(),
    )


def _labels(release: Release) -> dict[str, object]:
    """Every schema version that a read of the release followed."""
    schemas = {schema.version: schema for schema in policies.schemas_of(release)}
    return {
        "schemas": [
            {"version": version, "labels": schema.labels, "questions": schema.questions}
            for version, schema in sorted(schemas.items())
        ]
    }


# Parts ----------------------------------------------------------------------------------------------------


def _splits(release: ReleaseMaterial, stream: BinaryIO) -> None:
    """Where each case is. The strata of sequestered cases are left out: they would tell their labels."""
    of = release.release
    head = {
        "format": "atlas release splits",
        "version": 1,
        "release": {"project": of.project.slug, "number": of.number},
        "design": of.split,
        "sequestered": of.sequestered,
    }
    write_json(stream, head, parts=_parts(release), strata=_strata(release), cases=_cases(release))


def _counted(release: ReleaseMaterial, *by: str) -> Iterator[dict[str, Any]]:
    """Subjects and cases by these columns."""
    rows = ReleaseCase.objects.filter(release=release.release, withdrawn_at=None).order_by(*by)
    counts = {"subjects": Count("case__subject", distinct=True), "cases": Count("pk")}
    yield from rows.values(*by).annotate(**counts)


def _parts(release: ReleaseMaterial) -> Iterator[dict[str, Any]]:
    if release.release.split:
        yield from _counted(release, "part", "fold")


def _strata(release: ReleaseMaterial) -> Iterator[dict[str, Any]]:
    if not release.release.split:
        return
    for row in _counted(release, "stratum", "part", "fold"):
        if not withheld_of(release.release, ReleaseCase(part=row["part"])):
            yield row


def _cases(release: ReleaseMaterial) -> Iterator[dict[str, Any]]:
    for each in release.cases():
        yield {
            "case": each.number,
            "subject": each.case.subject.pseudonym if each.case else "",
            "part": each.part,
            "fold": each.fold,
            "stratum": None if withheld_of(release.release, each) else each.stratum,
        }
