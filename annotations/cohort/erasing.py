"""Erases a subject's cases: their reads, journals, masks and reviews, and their files in releases."""

from functools import partial

from annotations.cohort import recalls, writer
from annotations.models import (
    Case,
    Comment,
    DerivedObject,
    Edit,
    ImportedMark,
    ImportedSegment,
    IncidentalFinding,
    MaskPlane,
    Read,
)
from atlas.erasers import Erased
from atlas.models import Project, Subject


def erase(subject: Subject) -> Erased:
    """Within the caller's transaction. Imported segments and marks go with the series they lie on."""
    projects = Project.objects.filter(cases__subject=subject).values("pk")
    list(Project.objects.select_for_update().filter(pk__in=projects).order_by("pk"))  # none freezes meanwhile
    cases = list(Case.objects.select_for_update().filter(subject=subject).select_related("project"))
    reads = Read.objects.filter(case__in=cases)
    counts = {
        "cases": len(cases),
        "reads": reads.count(),
        "edits": Edit.objects.filter(read__in=reads).count(),
        "mask planes": MaskPlane.objects.filter(read__in=reads).count(),
        "comments": Comment.objects.filter(read__in=reads).count(),
        "incidental findings": IncidentalFinding.objects.filter(read__in=reads).count(),
        "derived objects": DerivedObject.objects.filter(series__study__subject=subject).count(),
        "imported segments": ImportedSegment.objects.filter(series__study__subject=subject).count(),
        "imported marks": ImportedMark.objects.filter(series__study__subject=subject).count(),
    }
    objects: list[str] = []
    notes: list[str] = []
    touched: set[int] = set()
    for case in cases:
        taken = recalls.taken_out(case, because="Its subject was erased.")
        objects += taken.objects
        touched.update(release.pk for release in taken.releases)
        notes += [
            f"Release {release.number} of project {case.project.slug} held case {case.number}: its files are "
            "taken out, its tables and manifest written anew."
            for release in taken.releases
        ]
        if taken.told:
            notes.append(
                f"{taken.told} who downloaded case {case.number} of project {case.project.slug} "
                f"{'is' if taken.told == 1 else 'are'} told to delete it."
            )
        case.delete()
    return Erased(counts, objects, partial(_finish, sorted(touched)), notes)


def _finish(release_ids: list[int]) -> None:
    """Now rather than when a worker comes to it: the tables still hold rows of the subject."""
    for release_id in release_ids:
        writer.finish(release_id)
