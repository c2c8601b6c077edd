"""What has changed since the release before: cases, and where both hold a case, its marks.

Releases pin submissions, so where both pin the same one there is nothing to compare.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from annotations.cohort.material import (
    CaseMaterial,
    ReadMaterial,
    ReleaseMaterial,
    reader_identifier,
    withheld_of,
)
from annotations.models import Release, ReleaseCase, ReleaseFile, ReleaseRead, Submission
from annotations.reading import diff
from annotations.reading.journal import state_at
from atlas.archive.storage import storage
from atlas.models import Project

PATH = "changes.json"
KINDS = ("added", "changed", "removed")

type Counts = dict[str, int]


# When a release is frozen ---------------------------------------------------------------------------------


def of_cases(project: Project, numbers: list[int]) -> dict[str, Any]:
    """Which release a new one with these cases follows, and how many of its cases that one didn't hold."""
    given_out = Release.objects.filter(
        project=project, state__in=(Release.State.READY, Release.State.WRITING)
    ).order_by("-number")
    before = given_out.first()
    known = set() if before is None else set(_cases_of(before).values_list("number", flat=True))
    return {
        "since": before.number if before else None,
        "cases_added": len(set(numbers) - known),
        "cases_removed": len(known - set(numbers)),
    }


def before(release: Release) -> Release | None:
    """The release that this one was compared with when it was frozen."""
    since = (release.changes or {}).get("since")
    if since is None:
        return None
    return Release.objects.filter(project=release.project_id, number=since).first()


def _cases_of(release: Release) -> Any:
    return ReleaseCase.objects.filter(release=release, withdrawn_at=None)


# When a case is written -----------------------------------------------------------------------------------


def of_case(case: CaseMaterial) -> dict[str, Any] | None:
    """How the marks of a case differ from those in the release before, read by read; None where they don't.

    Where that one kept them from those who download it, all are new.
    """
    earlier = _pinned_before(case)
    reads: list[dict[str, Any]] = []
    for read in case.reads:
        known = earlier.pop(read.submission.read_id, None)
        if known is None:
            reads.append(_all(read))
        elif known.submission_id != read.submission.pk:
            reads.append(_between(read, known.submission))
    for gone in earlier.values():
        reads.append(_gone(case, gone.submission))
    reads = [one for one in reads if one["labels"] or one["answers"]]
    return {"reads": reads} if reads else None


def _pinned_before(case: CaseMaterial) -> dict[int, ReleaseRead]:
    """What the release before holds of a case, by read."""
    earlier = before(case.release)
    release_case = earlier and _cases_of(earlier).filter(number=case.release_case.number).first()
    if not earlier or not release_case or withheld_of(earlier, release_case):
        return {}
    pinned = ReleaseRead.objects.filter(release_case=release_case).order_by("pk")
    return {one.submission.read_id: one for one in pinned.select_related("submission__read__reader")}


def _all(read: ReadMaterial) -> dict[str, Any]:
    labels = Counter(mark.value["label"] for mark in read.state.annotations)
    return _row(read.reader, "added", {label: {"added": n} for label, n in labels.items()}, len(read.answers))


def _gone(case: CaseMaterial, submission: Submission) -> dict[str, Any]:
    state = state_at(submission.read, submission.edit_number)
    labels = Counter(mark.value["label"] for mark in state.annotations)
    reader = reader_identifier(case.release, submission.read.reader.public_id)
    return _row(reader, "removed", {label: {"removed": n} for label, n in labels.items()}, len(state.answers))


def _between(read: ReadMaterial, earlier: Submission) -> dict[str, Any]:
    """What the reader changed from one accepted round to another. A mark that got another label was changed,
    and counts where it is now."""
    since = diff.Round(earlier.round, earlier.at, earlier.edit_number)
    found = diff.between(read.submission.read, since, [], read.submission.edit_number)
    labels: dict[str, Counts] = {}
    for mark in found.marks:
        value = mark.after or mark.before or {}
        counts = labels.setdefault(value["label"], {})
        counts[mark.what] = counts.get(mark.what, 0) + 1
    return _row(read.reader, "changed", labels, len(found.answers))


def _row(reader: str, what: str, labels: dict[str, Counts], answers: int) -> dict[str, Any]:
    """`answers` about the case, its images and labels; those about a mark count as a change of the mark."""
    return {"reader": reader, "what": what, "labels": dict(sorted(labels.items())), "answers": answers}


# When all cases are written -------------------------------------------------------------------------------


class Changes:
    """All that changes.json says of a release whose cases are written; one case in memory at a time."""

    def __init__(self, material: ReleaseMaterial, format_key: str) -> None:
        self._material, self._key = material, format_key
        release = material.release
        self._before = before(release)
        now = set(_cases_of(release).values_list("number", flat=True))
        held = set(_held_before(self._before)) if self._before else set()
        self.added, self.removed = sorted(now - held), sorted(held - now)
        self._kept = now & held
        self._withdrawn = set(release.withdrawn_cases)

    def head(self) -> dict[str, Any]:
        """The counts. Marks by label are those of cases in both releases: all marks of an added case are
        new, and those of a removed one gone."""
        release = self._material.release
        return {
            "format": "atlas release changes",
            "version": 1,
            "release": {"project": release.project.slug, "number": release.number},
            "since": self._before.number if self._before else None,
            "changelog": release.changelog,
            "counts": self._counts(),
        }

    def _counts(self) -> dict[str, Any]:
        marks: dict[str, Counts] = {}
        changed = 0
        for row in self.changed():
            changed += 1
            for read in row["reads"]:
                for label, counts in read["labels"].items():
                    of_label = marks.setdefault(label, dict.fromkeys(KINDS, 0))
                    for kind, n in counts.items():
                        of_label[kind] += n
        return {
            "cases_added": len(self.added),
            "cases_removed": len(self.removed),
            "cases_changed": changed,
            **{f"marks_{kind}": sum(counts[kind] for counts in marks.values()) for kind in KINDS},
            "labels": dict(sorted(marks.items())),
        }

    def gone(self) -> Iterator[dict[str, Any]]:
        for number in self.removed:
            yield {"case": number, "withdrawn": number in self._withdrawn}

    def changed(self) -> Iterator[dict[str, Any]]:
        """Cases of both releases whose marks differ."""
        for release_case, record in self._material.records(self._key):
            if release_case.number in self._kept and record.get("changes"):
                yield {"case": release_case.number, **record["changes"]}


def _held_before(release: Release) -> Iterator[int]:
    """Also what it held and was withdrawn since: whoever compares copies has it."""
    yield from ReleaseCase.objects.filter(release=release).values_list("number", flat=True)


def counted(release: Release) -> dict[str, Any]:
    """For `Release.changes`: the counts as changes.json, which is written, has them."""
    known: dict[str, Any] = release.changes or {"since": None}
    file = ReleaseFile.objects.filter(release=release, path=PATH).first()
    if file is None:
        return known
    with storage().open(file.object_key) as stream:
        return {"since": known["since"], **json.load(stream)["counts"]}
